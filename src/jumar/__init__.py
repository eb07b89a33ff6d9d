"""jumar: the AI platform adapts to the program. Runs CUDA and Ascend PyTorch programs on virtual Ascend chips."""

from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`jumar.cuda` is imported when it is first asked for, so that `import jumar` stays instant."""
    if name == "cuda":
        import importlib

        return importlib.import_module("jumar.cuda")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
