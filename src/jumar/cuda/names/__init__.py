"""What stands in for CUDA names, one file a chapter of PyTorch. Importing one registers it; one may have an `enter`."""
