"""The layer normalisation of contrib."""

from ...normalization import FusedLayerNorm as FastLayerNorm

__all__ = ["FastLayerNorm"]
