"""Parts of Megatron that Apex carries: see functional."""
