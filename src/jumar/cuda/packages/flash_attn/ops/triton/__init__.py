"""Parts of flash-attn 2, see the modules."""
