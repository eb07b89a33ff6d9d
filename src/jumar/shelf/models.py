"""Layouts in which the decoders of the shelf are trained."""

from __future__ import annotations

from typing import Any

from jumar.shelf.pretraining import train

# Name -> batch and length of a micro-batch, micro-batches of a step, tensor and pipeline ranks; the rest is data.
LAYOUTS: dict[str, dict[str, Any]] = {
    "gpt2": {"batch": 8, "sequence": 1024, "recompute": False},
    "llama-2-7b": {"batch": 1, "sequence": 4096},
    "llama-2-13b": {"batch": 2, "sequence": 4096, "tensor": 8},
    "llama-2-70b": {"batch": 1, "sequence": 4096, "micro_batches": 16, "tensor": 8, "pipeline": 4},
    "mixtral-8x7b": {"batch": 1, "sequence": 4096, "micro_batches": 8, "pipeline": 4},
}


def main(name: str, words: list[str]) -> None:
    train(name, words, **LAYOUTS[name])
