"""The operators of xFormers."""

from . import fmha
from .fmha import (
    AttentionBias,
    AttentionOp,
    LowerTriangularMask,
    MemoryEfficientAttentionCutlassOp,
    MemoryEfficientAttentionFlashAttentionOp,
    memory_efficient_attention,
    memory_efficient_attention_forward,
    memory_efficient_attention_forward_requires_grad,
    memory_efficient_attention_partial,
    merge_attentions,
)
from .indexing import index_select_cat, scaled_index_add
from .layers import RMSNorm, SwiGLU, rms_norm, rms_norm_add, swiglu
from .unbind import unbind

MemoryEfficientAttentionOp = MemoryEfficientAttentionCutlassOp

__all__ = [
    "AttentionBias",
    "AttentionOp",
    "LowerTriangularMask",
    "MemoryEfficientAttentionCutlassOp",
    "MemoryEfficientAttentionFlashAttentionOp",
    "MemoryEfficientAttentionOp",
    "RMSNorm",
    "SwiGLU",
    "fmha",
    "index_select_cat",
    "memory_efficient_attention",
    "memory_efficient_attention_forward",
    "memory_efficient_attention_forward_requires_grad",
    "memory_efficient_attention_partial",
    "merge_attentions",
    "rms_norm",
    "rms_norm_add",
    "scaled_index_add",
    "swiglu",
    "unbind",
]
