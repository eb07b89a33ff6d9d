"""The command `nvidia-smi` as programs in a run find it: NVIDIA's output, about the chips of this machine."""
