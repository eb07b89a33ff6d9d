"""Optimizer steps that run as one operator, and gradient scaling for mixed precision."""

from __future__ import annotations

import torch
from torch import Tensor

from jumar.ops.registry import op
from jumar.ops.rules import pointwise, updating

Tensors = list[Tensor]


def _flat(tensor: Tensor, like: Tensor) -> Tensor:
    """The fused kernels walk memory in order and want one type: the tensor itself where it already fits."""
    return tensor.to(like.dtype).contiguous()


def _adamw_step(
    state: Tensors,
    grad: Tensor,
    step: Tensor,
    lr: float,
    betas: tuple[float, float],
    decay: float,
    eps: float,
    amsgrad: bool,
    maximize: bool,
) -> None:
    """state: parameter, first moment, second moment and, with amsgrad, the largest second moment."""
    fitting = [_flat(tensor, state[0]) for tensor in state]
    torch._fused_adamw_(
        fitting[:1],
        [_flat(grad, state[0])],
        fitting[1:2],
        fitting[2:3],
        fitting[3:] if amsgrad else [],
        [step],
        lr=lr,
        beta1=betas[0],
        beta2=betas[1],
        weight_decay=decay,
        eps=eps,
        amsgrad=amsgrad,
        maximize=maximize,
    )
    for tensor, stepped in zip(state, fitting, strict=True):
        if stepped is not tensor:
            tensor.copy_(stepped)


@op("aclnnApplyAdamWV2", work=updating(0, 1, 2, 3, operations=12, transcendentals=1))
def apply_adamw_v2(
    var: Tensor,
    m: Tensor,
    v: Tensor,
    max_v: Tensor | None,
    grad: Tensor,
    step: Tensor,
    lr: float,
    beta1: float,
    beta2: float,
    weight_decay: float,
    eps: float,
    amsgrad: bool,
    maximize: bool,
) -> None:
    state = [var, m, v] if max_v is None else [var, m, v, max_v]
    # The adapter sends the number of steps already done.
    steps = step.reshape(()).float() + 1
    _adamw_step(state, grad, steps, lr, (beta1, beta2), weight_decay, eps, amsgrad, maximize)


@op("aclnnApplyAdamW", work=updating(0, 1, 2, 11, operations=12, transcendentals=1))
def apply_adamw(
    var: Tensor,
    m: Tensor,
    v: Tensor,
    beta1_power: Tensor,
    beta2_power: Tensor,
    lr: Tensor,
    weight_decay: Tensor,
    beta1: Tensor,
    beta2: Tensor,
    eps: Tensor,
    grad: Tensor,
    max_v: Tensor | None,
    amsgrad: bool,
    maximize: bool,
) -> None:
    """The powers are those of the step before: beta**(t - 1)."""
    gradient = -grad if maximize else grad
    var.mul_(1 - lr * weight_decay)
    m.lerp_(gradient.to(m.dtype), (1 - beta1).to(m.dtype))
    v.mul_(beta2).addcmul_(gradient, gradient * (1 - beta2))
    second = v
    if amsgrad and max_v is not None:
        second = torch.maximum(max_v, v, out=max_v)
    denominator = (second / (1 - beta2_power * beta2)).sqrt_().add_(eps)
    var.sub_(lr / (1 - beta1_power * beta1) * m / denominator)


@op("aclnnApplyAdam", work=updating(0, 1, 2, operations=11, transcendentals=1))
def apply_adam(
    var: Tensor,
    m: Tensor,
    v: Tensor,
    beta1_power: Tensor,
    beta2_power: Tensor,
    lr: Tensor,
    beta1: Tensor,
    beta2: Tensor,
    eps: Tensor,
    grad: Tensor,
    use_locking: bool,
    use_nesterov: bool,
) -> None:
    rate = lr * torch.sqrt(1 - beta2_power) / (1 - beta1_power)
    m.add_((grad - m) * (1 - beta1))
    v.add_((grad * grad - v) * (1 - beta2))
    direction = m * beta1 + grad * (1 - beta1) if use_nesterov else m
    var.sub_(rate * direction / (torch.sqrt(v) + eps))


@op("aclnnFusedAdam", work=updating(0, 2, 3, 4, operations=12, transcendentals=1))
def fused_adam(
    params: Tensors,
    grads: Tensors,
    exp_avgs: Tensors,
    exp_avg_sqs: Tensors,
    max_exp_avg_sqs: Tensors,
    steps: Tensors,
    grad_scale: Tensor | None,
    found_inf: Tensor | None,
    lr: float,
    beta1: float,
    beta2: float,
    weight_decay: float,
    eps: float,
    amsgrad: bool,
    maximize: bool,
) -> None:
    torch._fused_adam_(
        params,
        grads,
        exp_avgs,
        exp_avg_sqs,
        max_exp_avg_sqs if amsgrad else [],
        steps,
        lr=lr,
        beta1=beta1,
        beta2=beta2,
        weight_decay=weight_decay,
        eps=eps,
        amsgrad=amsgrad,
        maximize=maximize,
        grad_scale=grad_scale,
        found_inf=found_inf,
    )


@op("aclnnFusedSgd", work=updating(0, 2, operations=4))
def fused_sgd(
    params: Tensors,
    grads: Tensors,
    momenta: Tensors,
    grad_scale: Tensor | None,
    weight_decay: float,
    momentum: float,
    lr: float,
    dampening: float,
    nesterov: bool,
    maximize: bool,
    first: bool,
) -> None:
    torch._fused_sgd_(
        params,
        grads,
        momenta,
        weight_decay=weight_decay,
        momentum=momentum,
        lr=lr,
        dampening=dampening,
        nesterov=nesterov,
        maximize=maximize,
        is_first_step=first,
        grad_scale=grad_scale,
    )


@op("aclnnForeachNonFiniteCheckAndUnscale", work=updating(0, operations=3))
def check_and_unscale(grads: Tensors, found_inf: Tensor, inverse_scale: Tensor) -> None:
    torch._amp_foreach_non_finite_check_and_unscale_(grads, found_inf, inverse_scale)


@op("aclnnAmpUpdateScale", work=pointwise(4, outs=2))
def update_scale(
    scale: Tensor,
    growth_tracker: Tensor,
    found_inf: Tensor,
    growth: float,
    backoff: float,
    interval: int,
    new_scale: Tensor,
    new_growth_tracker: Tensor,
) -> None:
    if new_scale.data_ptr() != scale.data_ptr():
        new_scale.copy_(scale)
        new_growth_tracker.copy_(growth_tracker)
    torch._amp_update_scale_(new_scale, new_growth_tracker, found_inf, growth, backoff, interval)
