"""Typed tensors and storages."""

from __future__ import annotations

from typing import Any

import torch

from answers.asking import Question, cuda


def kind(name: str, dtype: torch.dtype) -> Question:
    """A typed tensor made, and asked about."""

    def ask() -> Any:
        made = getattr(cuda, f"{name}Tensor")(2, 3)
        is_it = isinstance(made, getattr(cuda, f"{name}Tensor")) and not isinstance(
            torch.zeros(1), cuda.FloatTensor
        )
        return made.shape, made.dtype, made.type(), is_it

    return ask, ((2, 3), dtype, f"torch.cuda.{name}Tensor", True)


def storage(name: str, dtype: torch.dtype) -> Question:
    def ask() -> Any:
        made = getattr(cuda, f"{name}Storage")(4)
        return made.size(), made.dtype, str(made.device)

    return ask, (4, dtype, "cuda:0")


ANSWERS: dict[str, Question] = {
    "BFloat16Tensor": kind("BFloat16", torch.bfloat16),
    "BoolTensor": kind("Bool", torch.bool),
    "ByteTensor": kind("Byte", torch.uint8),
    "CharTensor": kind("Char", torch.int8),
    "DoubleTensor": kind("Double", torch.float64),
    "FloatTensor": kind("Float", torch.float32),
    "HalfTensor": kind("Half", torch.float16),
    "IntTensor": kind("Int", torch.int32),
    "LongTensor": kind("Long", torch.int64),
    "ShortTensor": kind("Short", torch.int16),
    "BFloat16Storage": storage("BFloat16", torch.bfloat16),
    "BoolStorage": storage("Bool", torch.bool),
    "ByteStorage": storage("Byte", torch.uint8),
    "CharStorage": storage("Char", torch.int8),
    "ComplexDoubleStorage": storage("ComplexDouble", torch.complex128),
    "ComplexFloatStorage": storage("ComplexFloat", torch.complex64),
    "DoubleStorage": storage("Double", torch.float64),
    "FloatStorage": storage("Float", torch.float32),
    "HalfStorage": storage("Half", torch.float16),
    "IntStorage": storage("Int", torch.int32),
    "LongStorage": storage("Long", torch.int64),
    "ShortStorage": storage("Short", torch.int16),
}
