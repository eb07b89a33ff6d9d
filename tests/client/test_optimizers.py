"""Every optimizer of torch.optim takes the same steps on the device as on the CPU; clipping, GradScaler, checkpointing."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

STEPS = 4

# Optimizer -> arguments that take its other branches; each is one test.
OPTIMIZERS: dict[str, list[dict[str, Any]]] = {
    "Adadelta": [{}, {"weight_decay": 0.1, "maximize": True}],
    "Adafactor": [{}],
    "Adagrad": [{}, {"lr_decay": 0.1, "weight_decay": 0.1}],
    "Adam": [{}, {"amsgrad": True, "weight_decay": 0.1}],
    "AdamW": [{}, {"amsgrad": True, "maximize": True}],
    "Adamax": [{}, {"weight_decay": 0.1}],
    "ASGD": [{}, {"weight_decay": 0.1}],
    "LBFGS": [{"line_search_fn": "strong_wolfe"}, {"max_iter": 3}],
    "Muon": [{}],
    "NAdam": [{}, {"decoupled_weight_decay": True, "weight_decay": 0.1}],
    "RAdam": [{}, {"decoupled_weight_decay": True, "weight_decay": 0.1}],
    "RMSprop": [{}, {"momentum": 0.9, "centered": True}],
    "Rprop": [{}],
    "SGD": [{"lr": 0.1}, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}],
    "SparseAdam": [{}],
}
WITHOUT_FOREACH = {"Adafactor", "LBFGS", "Muon", "SparseAdam"}
# The adapter has kernels for these; for the others `fused=True` is refused by PyTorch or by the adapter.
FUSED = {"Adam", "AdamW", "SGD"}


def refused_fused(name: str, options: dict[str, Any]) -> bool:
    """The adapter's fused SGD wants a momentum."""
    return name == "SGD" and "momentum" not in options


# Seen with the arithmetic in order: these would fail on a real chip too.
FAILS_IN_THE_ADAPTER = {
    "SparseAdam": "the adapter's sparse_mask drops elements that are zero, as every moment is at the first step",
}


def cases() -> list[Any]:
    found = []
    for name, variants in OPTIMIZERS.items():
        for number, options in enumerate(variants):
            foreach = [{}] if name in WITHOUT_FOREACH else [{"foreach": False}, {"foreach": True}]
            fused = [{"fused": True}] if name in FUSED and not refused_fused(name, options) else []
            for form in foreach + fused:
                words = [name, str(number), *(key for key, value in form.items() if value)]
                found.append(pytest.param(name, {**options, **form}, id="-".join(words)))
    return found


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))


def parameters_of(model: nn.Module, name: str) -> list[nn.Parameter]:
    """Muon takes matrices only."""
    return [parameter for parameter in model.parameters() if name != "Muon" or parameter.ndim == 2]


def trained(name: str, options: dict[str, Any], device: str) -> list[torch.Tensor]:
    model = network().to(device)
    optimizer = getattr(torch.optim, name)(parameters_of(model, name), **options)
    torch.manual_seed(1)
    inputs, targets = torch.randn(5, 6).to(device), torch.randn(5, 3).to(device)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs), targets)
        loss.backward()
        if name == "SparseAdam":
            for parameter in model.parameters():
                parameter.grad = parameter.grad.to_sparse()
        return loss

    for _ in range(STEPS):
        if name == "LBFGS":
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()
    return [parameter.detach().cpu() for parameter in model.parameters()]


@pytest.mark.parametrize("name,options", cases())
def test_steps_as_on_the_cpu(
    name: str, options: dict[str, Any], device: str, request: pytest.FixtureRequest
) -> None:
    if device == "npu" and name in FAILS_IN_THE_ADAPTER:
        request.applymarker(pytest.mark.xfail(reason=FAILS_IN_THE_ADAPTER[name], strict=True))
    torch.testing.assert_close(trained(name, options, device), trained(name, options, "cpu"), rtol=1e-5, atol=1e-6)


def test_every_optimizer_is_listed() -> None:
    classes = {
        name for name, value in vars(torch.optim).items()
        if isinstance(value, type) and issubclass(value, torch.optim.Optimizer) and name != "Optimizer"
    }  # fmt: skip
    assert classes == set(OPTIMIZERS)


@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize("norm", [1.0, 2.0, float("inf")])
def test_gradient_clipping(device: str, norm: float, foreach: bool) -> None:
    def clipped(on: str) -> tuple[torch.Tensor, list[torch.Tensor]]:
        model = network().to(on)
        model(torch.ones(4, 6, device=on)).pow(2).sum().backward()
        total = nn.utils.clip_grad_norm_(model.parameters(), 0.5, norm_type=norm, foreach=foreach)
        return total.cpu(), [parameter.grad.cpu() for parameter in model.parameters()]

    torch.testing.assert_close(clipped(device), clipped("cpu"))


def test_clipping_by_value(device: str) -> None:
    model = network().to(device)
    model(torch.ones(4, 6, device=device)).pow(2).sum().mul(100).backward()
    nn.utils.clip_grad_value_(model.parameters(), 0.25)
    assert max(parameter.grad.abs().max().item() for parameter in model.parameters()) == 0.25


def test_grad_scaler_skips_a_step_that_overflows(device: str) -> None:
    model = network().to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler(device, init_scale=1024.0, growth_interval=2)
    before = copy.deepcopy(model.state_dict())
    for factor in (float("inf"), 1.0, 1.0):
        optimizer.zero_grad()
        loss = model(torch.ones(4, 6, device=device)).pow(2).mean() * factor
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        if factor != 1.0:
            torch.testing.assert_close(model.state_dict(), before)
    assert scaler.get_scale() == 1024.0  # halved once, doubled after two good steps
    assert not torch.equal(model[0].weight, before["0.weight"])


def test_grad_scaler_gives_the_unscaled_step(device: str) -> None:
    def step(scale: float) -> torch.Tensor:
        model = network().to(device)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        scaler = torch.amp.GradScaler(device, init_scale=scale)
        scaler.scale(model(torch.ones(4, 6, device=device)).pow(2).mean()).backward()
        scaler.step(optimizer)
        return model[0].weight.detach().cpu()

    torch.testing.assert_close(step(1.0), step(4096.0))


@pytest.mark.parametrize("reentrant", [False, True])
def test_activation_checkpointing(device: str, reentrant: bool) -> None:
    from torch.utils.checkpoint import checkpoint

    block = nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Dropout(0.5), nn.Linear(8, 8)).to(device)
    inputs = torch.randn(4, 8).to(device).requires_grad_()

    def gradients(checkpointed: bool) -> list[torch.Tensor]:
        torch.manual_seed(3)
        hidden = checkpoint(block, inputs, use_reentrant=reentrant) if checkpointed else block(inputs)
        return [gradient.cpu() for gradient in torch.autograd.grad(hidden.sum(), list(block.parameters()))]

    def by_backward(checkpointed: bool) -> list[torch.Tensor]:
        torch.manual_seed(3)
        block.zero_grad()
        hidden = checkpoint(block, inputs, use_reentrant=reentrant) if checkpointed else block(inputs)
        hidden.sum().backward()
        return [parameter.grad.cpu() for parameter in block.parameters()]

    run = by_backward if reentrant else gradients
    torch.testing.assert_close(run(True), run(False), rtol=0, atol=0)


@pytest.mark.parametrize(
    "scheduler",
    [
        lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10),
        lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=10),
        lambda optimizer: torch.optim.lr_scheduler.LinearLR(optimizer),
    ],
    ids=["cosine", "one-cycle", "linear"],
)
def test_schedules(device: str, scheduler: Any) -> None:
    def weights(on: str) -> torch.Tensor:
        model = network().to(on)
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        schedule = scheduler(optimizer)
        for _ in range(STEPS):
            optimizer.zero_grad()
            model(torch.ones(4, 6, device=on)).pow(2).mean().backward()
            optimizer.step()
            schedule.step()
        return model[0].weight.detach().cpu()

    torch.testing.assert_close(weights(device), weights("cpu"), rtol=1e-5, atol=1e-6)


def test_state_moves_between_device_and_file(device: str, tmp_path: Any) -> None:
    """A checkpoint of model and optimizer written on the device goes on identically after loading."""

    def steps(model: nn.Module, optimizer: torch.optim.Optimizer, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            model(torch.ones(4, 6, device=device)).pow(2).mean().backward()
            optimizer.step()

    model = network().to(device)
    optimizer = torch.optim.AdamW(model.parameters())
    steps(model, optimizer, 2)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "checkpoint.pt")
    steps(model, optimizer, 2)
    loaded = torch.load(tmp_path / "checkpoint.pt", map_location=device)
    other = network().to(device)
    other_optimizer = torch.optim.AdamW(other.parameters())
    other.load_state_dict(loaded["model"])
    other_optimizer.load_state_dict(loaded["optimizer"])
    steps(other, other_optimizer, 2)
    assert all(torch.equal(one, two) for one, two in zip(model.parameters(), other.parameters(), strict=True))
