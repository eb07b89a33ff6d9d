"""xFormers by its interface: attention on the vendor's fused operator, the rest with plain ones."""

from . import ops

__all__ = ["ops"]

_is_functorch_available = False
