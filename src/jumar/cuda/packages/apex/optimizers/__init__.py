"""Optimizers with Apex's arguments: PyTorch's where it has the same, LAMB and NovoGrad written with its operators."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

__all__ = ["FusedAdagrad", "FusedAdam", "FusedLAMB", "FusedNovoGrad", "FusedSGD"]

Closure = Callable[[], Any] | None


class _Clearing(torch.optim.Optimizer):
    """Apex's optimizers are told once whether to drop gradients or to zero them."""

    set_grad_none = True

    def zero_grad(self, set_to_none: bool | None = None) -> None:
        super().zero_grad(set_to_none=self.set_grad_none if set_to_none is None else set_to_none)


class FusedAdam(_Clearing, torch.optim.Adam):
    """Adam, with decoupled decay unless `adam_w_mode` is off. Steps are counted in the group too, as in Apex."""

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, bias_correction: bool = True,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, adam_w_mode: bool = True,
        weight_decay: float = 0.0, amsgrad: bool = False, set_grad_none: bool = True, capturable: bool = False,
        master_weights: bool = False,
    ) -> None:  # fmt: skip
        if amsgrad:
            raise RuntimeError("FusedAdam does not support the AMSGrad variant.")
        if not bias_correction or master_weights:
            raise NotImplementedError(
                "jumar's FusedAdam always corrects the bias and keeps no master weights: "
                "use torch.optim.AdamW on float32 parameters under autocast"
            )
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, decoupled_weight_decay=adam_w_mode
        )
        self.set_grad_none, self.adam_w_mode = set_grad_none, int(adam_w_mode)


class FusedSGD(_Clearing, torch.optim.SGD):
    def __init__(
        self, params: Iterable[Any], lr: float, momentum: float = 0.0, dampening: float = 0.0,
        weight_decay: float = 0.0, nesterov: bool = False, wd_after_momentum: bool = False,
        materialize_master_grads: bool = True, set_grad_none: bool = False,
    ) -> None:  # fmt: skip
        if wd_after_momentum:
            raise NotImplementedError("jumar's FusedSGD decays before the momentum, as torch.optim.SGD does")
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
        )
        self.set_grad_none = set_grad_none


class FusedAdagrad(_Clearing, torch.optim.Adagrad):
    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, eps: float = 1e-10, weight_decay: float = 0.0,
        set_grad_none: bool = True, adagrad_w_mode: bool = False,
    ) -> None:  # fmt: skip
        if adagrad_w_mode and weight_decay:
            raise NotImplementedError(
                "jumar's FusedAdagrad adds the decay to the gradient (adagrad_w_mode=False)"
            )
        super().__init__(params, lr=lr, eps=eps, weight_decay=weight_decay)
        self.set_grad_none = set_grad_none


class _Stepping(_Clearing):
    """One step a group: `_update` is given the parameters that have gradients."""

    @torch.no_grad()
    def step(self, closure: Closure = None, *unused: Any) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._begin()
        for group in self.param_groups:
            group["step"] = group.get("step", 0) + 1
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad.float(), self.state[parameter], group)
        return loss

    def _begin(self) -> None:
        pass

    def _update(self, parameter: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        raise NotImplementedError


class FusedLAMB(_Stepping):
    """LAMB: Adam's step, scaled for each tensor by the norm of the parameter over the norm of the step."""

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, bias_correction: bool = True,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-6, weight_decay: float = 0.01,
        amsgrad: bool = False, adam_w_mode: bool = True, grad_averaging: bool = True, set_grad_none: bool = True,
        max_grad_norm: float = 1.0, use_nvlamb: bool = False,
    ) -> None:  # fmt: skip
        if amsgrad:
            raise RuntimeError("FusedLAMB does not support the AMSGrad variant.")
        defaults = {
            "lr": lr,
            "bias_correction": bias_correction,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "grad_averaging": grad_averaging,
            "max_grad_norm": max_grad_norm,
        }
        super().__init__(params, defaults)
        self.adam_w_mode, self.set_grad_none, self.use_nvlamb = adam_w_mode, set_grad_none, use_nvlamb
        self._clip: Tensor | float = 1.0

    def _begin(self) -> None:
        grads = [one.grad for group in self.param_groups for one in group["params"] if one.grad is not None]
        limit = self.defaults["max_grad_norm"]
        if grads and limit:
            norm = torch.nn.utils.get_total_norm([one.float() for one in grads])
            self._clip = (norm / limit).clamp(min=1.0)

    def _update(self, parameter: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(grad), torch.zeros_like(grad)
        (beta1, beta2), step, weight = group["betas"], group["step"], parameter.float()
        grad = grad / self._clip
        if not self.adam_w_mode:
            grad = grad + group["weight_decay"] * weight
        state["exp_avg"].mul_(beta1).add_(grad, alpha=1 - beta1 if group["grad_averaging"] else 1.0)
        state["exp_avg_sq"].mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        correct = group["bias_correction"]
        mean = state["exp_avg"] / (1 - beta1**step if correct else 1.0)
        square = state["exp_avg_sq"] / (1 - beta2**step if correct else 1.0)
        update = mean / (square.sqrt() + group["eps"])
        if self.adam_w_mode:
            update = update + group["weight_decay"] * weight
        ratio = torch.ones((), device=weight.device)
        if self.use_nvlamb or group["weight_decay"]:
            size, length = weight.norm(), update.norm()
            ratio = torch.where((size > 0) & (length > 0), size / length, 1.0)
        parameter.copy_(weight - group["lr"] * ratio * update)


class FusedNovoGrad(_Stepping):
    """NovoGrad: the second moment is one number for each tensor, the norm of its gradient."""

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, bias_correction: bool = True,
        betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.0,
        amsgrad: bool = False, reg_inside_moment: bool = False, grad_averaging: bool = True, norm_type: int = 2,
        init_zero: bool = False, set_grad_none: bool = True,
    ) -> None:  # fmt: skip
        if norm_type not in (0, 2):
            raise RuntimeError("FusedNovoGrad only support l2/inf norm now.")
        defaults = {
            "lr": lr,
            "bias_correction": bias_correction,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "grad_averaging": grad_averaging,
            "norm_type": norm_type,
            "init_zero": init_zero,
            "inside": reg_inside_moment,
        }
        super().__init__(params, defaults)
        self.set_grad_none = set_grad_none

    def _update(self, parameter: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        (beta1, beta2), step = group["betas"], group["step"]
        norm = grad.norm(torch.inf if group["norm_type"] == 0 else 2)
        if not state:
            state["exp_avg"] = torch.zeros_like(grad)
            state["norm"] = torch.zeros_like(norm) if group["init_zero"] else norm.clone()
        if group["norm_type"] == 0:
            state["norm"] = beta2 * state["norm"] + (1 - beta2) * norm
        else:
            state["norm"] = (beta2 * state["norm"].square() + (1 - beta2) * norm.square()).sqrt()
        correct = group["bias_correction"]
        scale = state["norm"] / ((1 - beta2**step) ** 0.5 if correct else 1.0) + group["eps"]
        weight = parameter.float()
        share = 1 - beta1 if group["grad_averaging"] else 1.0
        decay = group["weight_decay"] * weight
        if group["inside"]:
            state["exp_avg"].mul_(beta1).add_(grad / scale + decay, alpha=share)
            update = state["exp_avg"] / (1 - beta1**step if correct else 1.0)
        else:
            state["exp_avg"].mul_(beta1).add_(grad, alpha=share)
            update = state["exp_avg"] / (1 - beta1**step if correct else 1.0) / scale + decay
        parameter.copy_(weight - group["lr"] * update)
