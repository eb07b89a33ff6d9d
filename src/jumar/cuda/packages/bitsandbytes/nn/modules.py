"""Linear layers of 8 and 4 bits: a weight is quantised when it is first moved to a device."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .. import functional
from ..functional import Int8State, QuantState


def _device_of(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, Any, bool]:
    device, dtype, non_blocking, _ = torch._C._nn._parse_to(*arguments, **keywords)
    return device, dtype, bool(non_blocking)


def _chip(device: Any) -> Any:
    return "cuda" if device is None else torch.device("cuda", device) if isinstance(device, int) else device


class Params4bit(nn.Parameter):
    """A weight in 4 bits. `quant_state` is None until it has been on a device."""

    quant_state: QuantState | None
    blocksize: int
    compress_statistics: bool
    quant_type: str
    quant_storage: torch.dtype
    module: Any
    bnb_quantized: bool

    def __new__(
        cls, data: Tensor | None = None, requires_grad: bool = False, quant_state: QuantState | None = None,
        blocksize: int = functional.BLOCK_4, compress_statistics: bool = True, quant_type: str = "fp4",
        quant_storage: torch.dtype = torch.uint8, module: Any = None, bnb_quantized: bool = False,
    ) -> Params4bit:  # fmt: skip
        data = torch.empty(0) if data is None else data
        self: Params4bit = torch.Tensor._make_subclass(cls, data, requires_grad)
        self.blocksize, self.compress_statistics = blocksize, compress_statistics
        self.quant_type, self.quant_storage = quant_type, quant_storage
        self.quant_state, self.module, self.bnb_quantized = quant_state, module, bnb_quantized
        return self

    def _kept(self, data: Tensor, **changed: Any) -> Params4bit:
        own = {"quant_state": self.quant_state, "blocksize": self.blocksize,
               "compress_statistics": self.compress_statistics, "quant_type": self.quant_type,
               "quant_storage": self.quant_storage, "module": self.module,
               "bnb_quantized": self.bnb_quantized}  # fmt: skip
        return Params4bit(data, requires_grad=self.requires_grad, **(own | changed))

    @classmethod
    def from_prequantized(
        cls,
        data: Tensor,
        quantized_stats: dict[str, Any],
        requires_grad: bool = False,
        device: Any = "cuda",
        module: Any = None,
        **_: Any,
    ) -> Params4bit:
        state = QuantState.from_dict(quantized_stats, device)
        found = cls(
            data.to(device), requires_grad, state, state.blocksize, state.nested, state.quant_type or "fp4", data.dtype,
            module, True,
        )  # fmt: skip
        if module is not None:
            module.quant_state = state
        return found

    def _quantized(self, device: Any) -> Params4bit:
        data, state = functional.quantize_4bit(
            self.data.to(device), blocksize=self.blocksize, compress_statistics=self.compress_statistics,
            quant_type=self.quant_type, quant_storage=self.quant_storage,
        )  # fmt: skip
        # In place, as in bitsandbytes: a module that moves keeps the parameter and takes its data.
        self.data, self.quant_state, self.bnb_quantized = data, state, True
        if self.module is not None:
            self.module.quant_state = state
        return self

    def to(self, *arguments: Any, **keywords: Any) -> Any:
        device, dtype, non_blocking = _device_of(arguments, keywords)
        if device is not None and device.type != "meta" and not self.bnb_quantized:
            return self._quantized(device)
        if self.quant_state is not None and device is not None:
            self.quant_state.to(device)
        # Numbers in 4 bits have no other dtype; what is not quantised yet has.
        dtype = None if self.bnb_quantized else dtype
        return self._kept(self.data.to(device=device, dtype=dtype, non_blocking=non_blocking))

    def cuda(self, device: Any = None, non_blocking: bool = False) -> Any:  # type: ignore[override]
        return self.to(device=_chip(device))

    def cpu(self) -> Any:  # type: ignore[override]
        return self.to(device="cpu")

    def detach(self) -> Any:
        """Of the same kind: a module that moves its parameters makes them anew from what this gives."""
        return self._kept(super().detach())

    def __deepcopy__(self, memo: dict[int, Any]) -> Params4bit:
        return self._kept(self.data.clone())


class Int8Params(nn.Parameter):
    """A weight in 8 bits: `CB` and `SCB` are None until it has been on a device."""

    CB: Tensor | None
    SCB: Tensor | None
    has_fp16_weights: bool

    def __new__(
        cls, data: Tensor | None = None, requires_grad: bool = True, has_fp16_weights: bool = False,
        CB: Tensor | None = None, SCB: Tensor | None = None, **_: Any,
    ) -> Int8Params:  # fmt: skip
        data = torch.empty(0) if data is None else data
        self: Int8Params = torch.Tensor._make_subclass(cls, data, requires_grad and data.is_floating_point())
        self.CB, self.SCB, self.has_fp16_weights = CB, SCB, has_fp16_weights
        return self

    def to(self, *arguments: Any, **keywords: Any) -> Any:
        device, dtype, non_blocking = _device_of(arguments, keywords)
        quantise = device is not None and device.type not in ("meta", "cpu") and not self.has_fp16_weights
        if quantise and self.data.is_floating_point():
            numbers, self.SCB, _ = functional.int8_vectorwise_quant(self.data.to(device))
            self.requires_grad_(False)
            self.data, self.CB = numbers, numbers
            return self
        dtype = dtype if self.data.is_floating_point() else None
        data = self.data.to(device=device, dtype=dtype, non_blocking=non_blocking)
        kept = None if self.CB is None else data
        largest: Any = None if self.SCB is None else self.SCB.to(device=data.device)
        return Int8Params(data, self.requires_grad, self.has_fp16_weights, kept, largest)

    def cuda(self, device: Any = None, non_blocking: bool = False) -> Any:  # type: ignore[override]
        return self.to(device=_chip(device))

    def cpu(self) -> Any:  # type: ignore[override]
        return self.to(device="cpu")

    def detach(self) -> Any:
        return Int8Params(super().detach(), self.requires_grad, self.has_fp16_weights, self.CB, self.SCB)

    def __deepcopy__(self, memo: dict[int, Any]) -> Int8Params:
        data = self.data.clone()
        kept = None if self.CB is None else data
        return Int8Params(data, self.requires_grad, self.has_fp16_weights, kept, self.SCB)


class Linear4bit(nn.Linear):
    """Its weight's values are restored for each product, in `compute_dtype`."""

    def __init__(
        self, input_features: int, output_features: int, bias: bool = True, compute_dtype: torch.dtype | None = None,
        compress_statistics: bool = True, quant_type: str = "fp4", quant_storage: torch.dtype = torch.uint8,
        device: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_features, output_features, bias, device)
        self.weight = Params4bit(
            self.weight.data, requires_grad=False, compress_statistics=compress_statistics, quant_type=quant_type,
            quant_storage=quant_storage, module=self,
        )  # fmt: skip
        self.compute_dtype, self.quant_storage = compute_dtype, quant_storage
        self.quant_state: QuantState | None = None

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        if not keep_vars:
            destination[f"{prefix}weight"] = torch.Tensor.detach(
                self.weight
            )  # without what it knows of itself
        state = getattr(self.weight, "quant_state", None)
        if state is not None:
            for name, value in state.as_dict(packed=True).items():
                destination[f"{prefix}weight.{name}"] = value if keep_vars else value.detach()

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        names = [name for name in state_dict if name.startswith(f"{prefix}weight.")]
        stats = {name.removeprefix(f"{prefix}weight."): state_dict.pop(name) for name in names}
        if stats:
            data = state_dict[f"{prefix}weight"]
            self.weight = Params4bit.from_prequantized(data, stats, device=self.weight.device, module=self)
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def forward(self, x: Tensor) -> Tensor:
        state = getattr(self.weight, "quant_state", None) or self.quant_state
        if state is None:
            raise RuntimeError(
                "FP4 quantization state not initialized. "
                "Please call .cuda() or .to(device) on the LinearFP4 layer first."
            )
        given = x.dtype
        wanted = self.compute_dtype or (
            given if given in (torch.float16, torch.bfloat16, torch.float32) else torch.float32
        )
        return functional.matmul_4bit(x.to(wanted), self.weight.data, state, bias=self.bias).to(given)


class LinearNF4(Linear4bit):
    def __init__(
        self,
        input_features: int,
        output_features: int,
        bias: bool = True,
        compute_dtype: Any = None,
        **chosen: Any,
    ) -> None:
        super().__init__(
            input_features, output_features, bias, compute_dtype, **{**chosen, "quant_type": "nf4"}
        )


class LinearFP4(Linear4bit):
    def __init__(
        self,
        input_features: int,
        output_features: int,
        bias: bool = True,
        compute_dtype: Any = None,
        **chosen: Any,
    ) -> None:
        super().__init__(
            input_features, output_features, bias, compute_dtype, **{**chosen, "quant_type": "fp4"}
        )


class Linear8bitLt(nn.Linear):
    """Weight and input in 8 bits, values of the input above `threshold` as they are."""

    weight: Int8Params

    def __init__(
        self, input_features: int, output_features: int, bias: bool = True, has_fp16_weights: bool = True,
        threshold: float = 0.0, index: Any = None, device: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_features, output_features, bias, device)
        self.state, self.index = Int8State(), index
        self.state.threshold, self.state.has_fp16_weights = threshold, has_fp16_weights
        self.weight = Int8Params(
            self.weight.data, requires_grad=has_fp16_weights, has_fp16_weights=has_fp16_weights
        )

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        if not keep_vars:
            destination[f"{prefix}weight"] = torch.Tensor.detach(
                self.weight
            )  # without what it knows of itself
        if self.weight.SCB is not None:
            destination[f"{prefix}SCB"] = self.weight.SCB
            destination[f"{prefix}weight_format"] = torch.tensor(0, dtype=torch.uint8)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        largest = state_dict.pop(f"{prefix}SCB", None)
        state_dict.pop(f"{prefix}weight_format", None)
        if largest is not None:
            numbers = state_dict[f"{prefix}weight"].to(self.weight.device)
            self.weight = Int8Params(numbers, False, False, numbers, largest.to(numbers.device))
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def forward(self, x: Tensor) -> Tensor:
        self.state.is_training = self.training
        if self.state.has_fp16_weights:
            return nn.functional.linear(x, self.weight.to(x.dtype), self.bias)
        if self.weight.SCB is None:
            raise RuntimeError("the 8-bit weight is quantised by .cuda() or .to(device): call that first")
        self.state.CB, self.state.SCB = self.weight.data, self.weight.SCB
        return functional.matmul(x, self.weight.data, state=self.state, bias=self.bias)


class StableEmbedding(nn.Embedding):
    """An embedding with a layer normalisation behind it."""

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *rest: Any,
        **chosen: Any,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, *rest, **chosen)
        self.norm = nn.LayerNorm(embedding_dim)
        nn.init.xavier_uniform_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        out: Tensor = self.norm(super().forward(input).float())
        return out.to(self.weight.dtype)


Embedding = nn.Embedding
