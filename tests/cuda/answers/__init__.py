"""One question to every public name of torch.cuda, with what a CUDA machine answers, by chapter."""
