"""Optimizers whose names say how their state is kept on CUDA; here it is in full precision, in the chip's memory.

So a step is at least as exact; the memory that 8 bits or paging would save is not saved.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

Betas = tuple[float, float]


class GlobalOptimManager:
    """Which parameters keep their state in 32 bits: here all do."""

    _instance: GlobalOptimManager | None = None

    def __init__(self) -> None:
        self.overrides: list[Any] = []

    @classmethod
    def get_instance(cls) -> GlobalOptimManager:
        cls._instance = cls._instance or cls()
        return cls._instance

    def register_parameters(self, params: Any) -> None:
        pass

    def override_config(
        self, parameters: Any, key: str | None = None, value: Any = None, key_value_dict: Any = None
    ) -> None:
        self.overrides.append((parameters, key, value, key_value_dict))

    def register_module_override(self, module: Any, param_name: str, config: Any) -> None:
        self.overrides.append((module, param_name, config))


class Adam(torch.optim.Adam):
    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0.0, amsgrad: bool = False, optim_bits: int = 32, args: Any = None,
        min_8bit_size: int = 4096, percentile_clipping: int = 100, block_wise: bool = True, is_paged: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad)


class AdamW(torch.optim.AdamW):
    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: Betas = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 1e-2, amsgrad: bool = False, optim_bits: int = 32, args: Any = None,
        min_8bit_size: int = 4096, percentile_clipping: int = 100, block_wise: bool = True, is_paged: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad)


class SGD(torch.optim.SGD):
    def __init__(
        self, params: Iterable[Any], lr: float, momentum: float = 0.0, dampening: float = 0.0,
        weight_decay: float = 0.0, nesterov: bool = False, optim_bits: int = 32, args: Any = None,
        min_8bit_size: int = 4096, percentile_clipping: int = 100, block_wise: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
        )


class RMSprop(torch.optim.RMSprop):
    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0.0, momentum: float = 0.0, centered: bool = False, optim_bits: int = 32,
        args: Any = None, min_8bit_size: int = 4096, percentile_clipping: int = 100, block_wise: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(
            params,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
        )


class Adagrad(torch.optim.Adagrad):
    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, lr_decay: float = 0.0, weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0, eps: float = 1e-10, optim_bits: int = 32, args: Any = None,
        min_8bit_size: int = 4096, percentile_clipping: int = 100, block_wise: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(params, lr, lr_decay, weight_decay, initial_accumulator_value, eps)


class Lion(torch.optim.Optimizer):
    """The sign of a mean of gradients; PyTorch has no Lion."""

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-4, betas: Betas = (0.9, 0.99), weight_decay: float = 0.0,
        optim_bits: int = 32, args: Any = None, min_8bit_size: int = 4096, percentile_clipping: int = 100,
        block_wise: bool = True, is_paged: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)
        return loss

    def _update(self, parameter: Tensor, group: dict[str, Any]) -> None:
        state, (beta1, beta2) = self.state[parameter], group["betas"]
        assert parameter.grad is not None
        grad = parameter.grad.float()
        if not state:
            state["state1"] = torch.zeros_like(grad)
        direction = state["state1"].lerp(grad, 1 - beta1).sign()
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(direction.to(parameter.dtype), alpha=-group["lr"])
        state["state1"].lerp_(grad, 1 - beta2)


def _named(base: type, *names: str) -> None:
    """A class of that name for each way to keep the state."""
    for name in names:
        globals()[name] = type(
            name, (base,), {"__module__": __name__, "__doc__": f"{base.__name__}: see this module."}
        )


_named(Adam, "Adam8bit", "Adam32bit", "PagedAdam", "PagedAdam8bit", "PagedAdam32bit")
_named(AdamW, "AdamW8bit", "AdamW32bit", "PagedAdamW", "PagedAdamW8bit", "PagedAdamW32bit")
_named(SGD, "SGD8bit", "SGD32bit")
_named(RMSprop, "RMSprop8bit", "RMSprop32bit")
_named(Adagrad, "Adagrad8bit", "Adagrad32bit")
_named(Lion, "Lion8bit", "Lion32bit", "PagedLion", "PagedLion8bit", "PagedLion32bit")
