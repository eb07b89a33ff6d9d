"""jumar: the AI platform adapts to the program. Runs CUDA and Ascend PyTorch programs on virtual Ascend chips."""

__version__ = "0.1.0"
