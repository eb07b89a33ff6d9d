"""Fused optimizer steps and gradient scaling against torch.optim and CPU PyTorch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from .opinfo import assert_bits, call, strided

STEPS = 4
ADAMW = {"lr": 0.01, "betas": (0.9, 0.99), "weight_decay": 0.1, "eps": 1e-6}


def parameter() -> Tensor:
    return torch.rand(5, 3, generator=torch.Generator().manual_seed(1))


def gradients() -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(2)
    for _ in range(STEPS):
        yield torch.randn(5, 3, generator=generator)


def trained(optimizer: type[torch.optim.Optimizer], **options: object) -> Tensor:
    value = parameter().requires_grad_()
    stepper = optimizer([value], **options)  # type: ignore[arg-type]
    for grad in gradients():
        value.grad = grad
        stepper.step()
    return value.detach()


@pytest.mark.parametrize("layout", [torch.clone, strided])
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_adamw_with_step_counter(amsgrad: bool, maximize: bool, layout: object) -> None:
    wanted = trained(torch.optim.AdamW, amsgrad=amsgrad, maximize=maximize, **ADAMW)
    state = [layout(tensor) for tensor in (parameter(), *(torch.zeros(5, 3) for _ in range(3)))]  # type: ignore[operator]
    for done, grad in enumerate(gradients()):
        step = torch.tensor(float(done))
        options = (0.01, 0.9, 0.99, 0.1, 1e-6, amsgrad, maximize)
        call("ApplyAdamWV2", *state[:3], state[3] if amsgrad else None, grad, step, *options)
        assert step.item() == done
    torch.testing.assert_close(state[0], wanted)


@pytest.mark.parametrize("amsgrad", [False, True])
def test_adamw_with_powers(amsgrad: bool) -> None:
    wanted = trained(torch.optim.AdamW, amsgrad=amsgrad, **ADAMW)
    value, m, v, largest = parameter(), *(torch.zeros(5, 3) for _ in range(3))
    for done, grad in enumerate(gradients()):
        scalars = [torch.tensor(x) for x in (0.9**done, 0.99**done, 0.01, 0.1, 0.9, 0.99, 1e-6)]
        call("ApplyAdamW", value, m, v, *scalars, grad, largest if amsgrad else None, amsgrad, False)
    torch.testing.assert_close(value, wanted)


def test_adam_with_powers() -> None:
    """This operator adds epsilon before the correction of the bias; with a tiny epsilon the two agree."""
    wanted = trained(torch.optim.Adam, lr=0.01, betas=(0.9, 0.99), eps=1e-12)
    value, m, v = parameter(), torch.zeros(5, 3), torch.zeros(5, 3)
    for step, grad in enumerate(gradients(), start=1):
        scalars = [torch.tensor(x) for x in (0.9**step, 0.99**step, 0.01, 0.9, 0.99, 1e-12)]
        call("ApplyAdam", value, m, v, *scalars, grad, False, False)
    torch.testing.assert_close(value, wanted)


def test_fused_adam() -> None:
    wanted = trained(torch.optim.Adam, fused=True, lr=0.01)
    value, m, v = parameter(), torch.zeros(5, 3), torch.zeros(5, 3)
    for step, grad in enumerate(gradients(), start=1):
        steps = [torch.tensor(float(step))]
        options = (0.01, 0.9, 0.999, 0.0, 1e-8, False, False)
        call("FusedAdam", [value], [grad], [m], [v], [], steps, None, None, *options)
    assert_bits(value, wanted, "FusedAdam")


@pytest.mark.parametrize("nesterov", [False, True])
def test_fused_sgd(nesterov: bool) -> None:
    wanted = trained(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=nesterov, weight_decay=0.01)
    value, momentum = parameter(), torch.zeros(5, 3)
    for done, grad in enumerate(gradients()):
        call("FusedSgd", [value], [grad], [momentum], None, 0.01, 0.9, 0.1, 0.0, nesterov, False, done == 0)
    torch.testing.assert_close(value, wanted)


@pytest.mark.parametrize("bad", [None, float("inf"), float("nan")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_unscaling(dtype: torch.dtype, bad: float | None) -> None:
    grads = [torch.tensor([2.0, 4.0], dtype=dtype), torch.tensor([[8.0]], dtype=dtype)]
    if bad is not None:
        grads[1][0, 0] = bad
    found = torch.zeros(1)
    call("ForeachNonFiniteCheckAndUnscale", grads, found, torch.tensor([0.5]))
    assert found.item() == (bad is not None)
    assert grads[0].tolist() == [1, 2]


@pytest.mark.parametrize(("found", "scale", "tracker"), [(0.0, 16.0, 0), (1.0, 4.0, 0)])
def test_scale_update(found: float, scale: float, tracker: int) -> None:
    current, growth = torch.tensor([8.0]), torch.tensor([2], dtype=torch.int32)
    call("AmpUpdateScale", current, growth, torch.tensor([found]), 2.0, 0.5, 3, current, growth)
    assert (current.item(), growth.item()) == (scale, tracker)
