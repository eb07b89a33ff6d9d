"""Quantisation in blocks, with plain operators: 8 bit by a table or in whole numbers, 4 bit as NF4 or FP4.

A block's values are divided by their largest magnitude and replaced by the nearest of the table's values, which lie in
[-1, 1]. Two 4-bit numbers share a byte, the first in its upper half, so that a state dict is that of bitsandbytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

# The values of NF4 split the normal distribution into parts of equal weight (QLoRA, appendix E).
NF4 = (-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
       -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634,
       0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0)  # fmt: skip
# Sign, two bits of exponent, one of mantissa; the smallest has a value of its own.
_FP4_MAGNITUDES = (0.0, 0.0052083333, 0.66666667, 1.0, 0.33333333, 0.5, 0.16666667, 0.25)
FP4 = (*_FP4_MAGNITUDES, *(-one for one in _FP4_MAGNITUDES))
TABLES = {"nf4": NF4, "fp4": FP4}
BLOCK_4, BLOCK_8, BLOCK_NESTED = 64, 4096, 256


@dataclass
class QuantState:
    """What it takes to get the values back. `state2` and `offset` are there if `absmax` is quantised itself."""

    absmax: Tensor
    shape: torch.Size | None = None
    code: Tensor | None = None
    blocksize: int = BLOCK_4
    quant_type: str | None = None
    dtype: torch.dtype = torch.float16
    offset: Tensor | None = None
    state2: QuantState | None = None

    @property
    def nested(self) -> bool:
        return self.state2 is not None

    def to(self, device: Any) -> QuantState:
        self.absmax = self.absmax.to(device)
        self.code = None if self.code is None else self.code.to(device)
        self.offset = None if self.offset is None else self.offset.to(device)
        if self.state2 is not None:
            self.state2.to(device)
        return self

    def as_dict(self, packed: bool = False) -> dict[str, Any]:
        """As in a state dict: tensors, and one of bytes with the rest as JSON if `packed`."""
        assert self.code is not None and self.shape is not None
        found: dict[str, Any] = {"quant_type": self.quant_type, "absmax": self.absmax, "blocksize": self.blocksize,
                                 "quant_map": self.code, "dtype": str(self.dtype).removeprefix("torch."),
                                 "shape": tuple(self.shape)}  # fmt: skip
        if self.state2 is not None and self.offset is not None:
            assert self.state2.code is not None
            found |= {"nested_absmax": self.state2.absmax, "nested_blocksize": self.state2.blocksize,
                      "nested_quant_map": self.state2.code, "nested_offset": self.offset.item(),
                      "nested_dtype": str(self.state2.dtype).removeprefix("torch.")}  # fmt: skip
        if not packed:
            return found
        import json

        tensors = {name: value for name, value in found.items() if isinstance(value, Tensor)}
        rest = json.dumps({name: value for name, value in found.items() if name not in tensors}).encode()
        key = f"quant_state.bitsandbytes__{self.quant_type}"
        return {**tensors, key: torch.tensor(list(rest), dtype=torch.uint8)}

    @classmethod
    def from_dict(cls, qs_dict: dict[str, Any], device: Any) -> QuantState:
        import json

        found = {
            name.rpartition(".")[2] if "quant_state" not in name else name: value
            for name, value in qs_dict.items()
        }
        for name in [name for name in found if "quant_state" in name]:
            found |= json.loads(bytes(found.pop(name).tolist()).decode())
        offset = state2 = None
        if "nested_absmax" in found:
            offset = torch.tensor(float(found["nested_offset"]), device=device)
            state2 = cls(
                absmax=found["nested_absmax"].to(device), code=found["nested_quant_map"].to(device),
                blocksize=found["nested_blocksize"], dtype=getattr(torch, found["nested_dtype"]),
            )  # fmt: skip
        return cls(
            absmax=found["absmax"].to(device), shape=torch.Size(found["shape"]), code=found["quant_map"].to(device),
            blocksize=found["blocksize"], quant_type=found["quant_type"], dtype=getattr(torch, found["dtype"]),
            offset=offset, state2=state2,
        )  # fmt: skip


@cache
def create_dynamic_map(signed: bool = True, max_exponent_bits: int = 7, total_bits: int = 8) -> Tensor:
    """The 256 values of the dynamic 8-bit type: decades of which each larger one is divided finer."""
    found: list[float] = []
    for decade in range(max_exponent_bits):
        steps = 2 ** (decade + total_bits - max_exponent_bits - int(signed)) + 1
        bounds = torch.linspace(0.1, 1, int(steps) if signed else int(2 * (steps - 1)) + 1)
        means = (bounds[:-1] + bounds[1:]) / 2 * 10.0 ** (decade - max_exponent_bits + 1)
        found += means.tolist() + ([-one for one in means.tolist()] if signed else [])
    found += [0.0, 1.0]
    found += [0.0] * (2**total_bits - len(found))
    return torch.tensor(sorted(found), dtype=torch.float32)


@cache
def _table(quant_type: str, device: torch.device) -> Tensor:
    if quant_type not in TABLES:
        raise NotImplementedError(f"4-bit quantization data type {quant_type} is not implemented.")
    return torch.tensor(TABLES[quant_type], dtype=torch.float32, device=device)


def _in_blocks(A: Tensor, blocksize: int) -> tuple[Tensor, Tensor]:
    """(blocks, blocksize) divided by the largest magnitude of each, padded with zeros, and those magnitudes."""
    flat = A.detach().flatten().float()
    count = math.ceil(flat.numel() / blocksize)
    padded = torch.nn.functional.pad(flat, (0, count * blocksize - flat.numel())).view(count, blocksize)
    absmax = padded.abs().amax(1)
    return padded / torch.where(absmax > 0, absmax, 1.0)[:, None], absmax


def _nearest(values: Tensor, table: Tensor) -> Tensor:
    """The index of the nearest value of the table, of any order."""
    ordered, places = table.sort()
    between = (ordered[1:] + ordered[:-1]) / 2
    return places[torch.bucketize(values, between)]


def quantize_blockwise(
    A: Tensor, code: Tensor | None = None, absmax: Tensor | None = None, out: Tensor | None = None,
    blocksize: int = BLOCK_8, nested: bool = False,
) -> tuple[Tensor, QuantState]:  # fmt: skip
    code = (create_dynamic_map() if code is None else code).to(A.device)
    scaled, largest = _in_blocks(A, blocksize)
    numbers = _nearest(scaled, code).to(torch.uint8).flatten()[: A.numel()].view(A.shape)
    state = QuantState(largest, A.shape, code, blocksize, dtype=A.dtype)
    if nested:
        state.offset = largest.mean()
        state.absmax, state.state2 = quantize_blockwise(largest - state.offset, blocksize=blocksize)
    return (numbers if out is None else out.copy_(numbers)), state


def dequantize_blockwise(
    A: Tensor, quant_state: QuantState | None = None, absmax: Tensor | None = None, code: Tensor | None = None,
    out: Tensor | None = None, blocksize: int = BLOCK_8, nested: bool = False,
) -> Tensor:  # fmt: skip
    if quant_state is None:
        assert absmax is not None
        known = create_dynamic_map() if code is None else code
        quant_state = QuantState(absmax, A.shape, known, blocksize, dtype=torch.float32)
    assert quant_state.code is not None
    values = quant_state.code.to(A.device)[A.flatten().int()]
    found = _scaled(values, _largest(quant_state), quant_state.blocksize).view(A.shape).to(quant_state.dtype)
    return found if out is None else out.copy_(found)


def _largest(state: QuantState) -> Tensor:
    if state.state2 is None or state.offset is None:
        return state.absmax.float()
    return dequantize_blockwise(state.absmax, state.state2).float() + state.offset


def _scaled(values: Tensor, largest: Tensor, blocksize: int) -> Tensor:
    return values * largest.repeat_interleave(blocksize)[: values.numel()]


def quantize_4bit(
    A: Tensor, absmax: Tensor | None = None, out: Tensor | None = None, blocksize: int = BLOCK_4,
    compress_statistics: bool = False, quant_type: str = "fp4", quant_storage: torch.dtype = torch.uint8,
) -> tuple[Tensor, QuantState]:  # fmt: skip
    """Bytes (count / 2, 1) as `quant_storage`, and what it takes to get the values back."""
    table = _table(quant_type, A.device)
    scaled, largest = _in_blocks(A, blocksize)
    numbers = _nearest(scaled, table).flatten()[: A.numel()]
    numbers = torch.nn.functional.pad(numbers, (0, numbers.numel() % 2)).to(torch.uint8)
    packed = ((numbers[::2] << 4) | numbers[1::2])[:, None]
    state = QuantState(largest, A.shape, table, blocksize, quant_type, A.dtype)
    if compress_statistics:
        state.offset = largest.mean()
        state.absmax, state.state2 = quantize_blockwise(largest - state.offset, blocksize=BLOCK_NESTED)
    if quant_storage is not torch.uint8:
        packed = packed.cpu().flatten().view(quant_storage)[:, None].to(A.device)
    return (packed if out is None else out.copy_(packed)), state


def dequantize_4bit(
    A: Tensor, quant_state: QuantState | None = None, absmax: Tensor | None = None, out: Tensor | None = None,
    blocksize: int = BLOCK_4, quant_type: str = "fp4",
) -> Tensor:  # fmt: skip
    if quant_state is None:
        assert absmax is not None and out is not None
        quant_state = QuantState(
            absmax, out.shape, _table(quant_type, A.device), blocksize, quant_type, out.dtype
        )
    assert quant_state.shape is not None and quant_state.code is not None
    packed = A.flatten() if A.dtype is torch.uint8 else A.cpu().flatten().view(torch.uint8).to(A.device)
    numbers = torch.stack((packed >> 4, packed & 15), 1).flatten()[: quant_state.shape.numel()].int()
    values = quant_state.code.to(A.device)[numbers]
    found = _scaled(values, _largest(quant_state).to(A.device), quant_state.blocksize)
    found = found.view(quant_state.shape).to(quant_state.dtype)
    return found if out is None else out.copy_(found)


def quantize_nf4(A: Tensor, **chosen: Any) -> tuple[Tensor, QuantState]:
    return quantize_4bit(A, quant_type="nf4", **chosen)


def quantize_fp4(A: Tensor, **chosen: Any) -> tuple[Tensor, QuantState]:
    return quantize_4bit(A, quant_type="fp4", **chosen)


def dequantize_nf4(A: Tensor, quant_state: QuantState, **chosen: Any) -> Tensor:
    return dequantize_4bit(A, quant_state, **chosen)


dequantize_fp4 = dequantize_nf4


def int8_vectorwise_quant(A: Tensor, threshold: float = 0.0) -> tuple[Tensor, Tensor, Tensor | None]:
    """Rows in whole numbers to 127, their largest magnitudes, and the columns with values above the threshold."""
    outliers = None
    rows = A.detach().float()
    if threshold > 0:
        above = rows.abs() >= threshold
        outliers = above.flatten(0, -2).any(0).nonzero().flatten()
        rows = rows.masked_fill(above, 0)
    largest = rows.abs().amax(-1)
    scale = 127.0 / torch.where(largest > 0, largest, 1.0)
    return (rows * scale[..., None]).round().to(torch.int8), largest.flatten(), outliers


def int8_vectorwise_dequant(A: Tensor, stats: Tensor) -> Tensor:
    return A.float() * stats.view(*A.shape[:-1], 1) / 127.0


class Int8State:
    """Of an 8-bit matrix: its whole numbers `CB` and its rows' largest magnitudes `SCB`."""

    def __init__(self) -> None:
        self.CB: Tensor | None = None
        self.SCB: Tensor | None = None
        self.threshold = 0.0
        self.has_fp16_weights = True
        self.is_training = True
        self.idx: Tensor | None = None

    def reset_grads(self) -> None:
        self.idx = None


class _Int8(torch.autograd.Function):
    """The product with a matrix that is kept in whole numbers and takes no derivative."""

    @staticmethod
    def forward(
        ctx: Any, A: Tensor, CB: Tensor, SCB: Tensor, bias: Tensor | None, threshold: float
    ) -> Tensor:
        ctx.save_for_backward(CB, SCB)
        ctx.has_bias = bias is not None
        numbers, largest, outliers = int8_vectorwise_quant(A, threshold)
        weight = int8_vectorwise_dequant(CB, SCB)
        # The sums of products of whole numbers up to 127 are exact in float32 to a width of a thousand.
        out = int8_vectorwise_dequant(numbers, largest) @ weight.t()
        if outliers is not None and outliers.numel():
            big = A.detach().float()
            big = big.masked_fill(big.abs() < threshold, 0)
            out = out + big @ weight.t()
        return (out if bias is None else out + bias.float()).to(A.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        CB, SCB = ctx.saved_tensors
        (grad,) = grads
        to_input = (grad.float() @ int8_vectorwise_dequant(CB, SCB)).to(grad.dtype)
        to_bias = grad.flatten(0, -2).sum(0) if ctx.has_bias and ctx.needs_input_grad[3] else None
        return to_input, None, None, to_bias, None


def matmul(
    A: Tensor, B: Tensor, out: Tensor | None = None, state: Int8State | None = None, threshold: float = 0.0,
    bias: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """A times the transposed matrix of the state."""
    state = state or Int8State()
    if state.CB is None or state.SCB is None:
        state.CB, state.SCB, _ = int8_vectorwise_quant(B)
    apply: Any = _Int8.apply
    found: Tensor = apply(A, state.CB, state.SCB, bias, threshold or state.threshold)
    return found if out is None else out.copy_(found)


def matmul_4bit(
    A: Tensor, B: Tensor, quant_state: QuantState, out: Tensor | None = None, bias: Tensor | None = None
) -> Tensor:
    """A times the quantised matrix, of which `B` is the transposed view of its bytes."""
    weight = dequantize_4bit(B.t() if B.dim() == 2 and B.shape[0] == 1 else B, quant_state).to(A.dtype)
    found = torch.nn.functional.linear(A, weight, None if bias is None else bias.to(A.dtype))
    return found if out is None else out.copy_(found)
