"""The command `npu-smi` as programs and people in a run find it: the vendor's output, about the chips of the server."""
