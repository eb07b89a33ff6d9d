"""Apex by its stand-in: optimizers against PyTorch's or the formula, normalisations, amp and parallel."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

pytestmark = pytest.mark.usefixtures("face_for_module")


@pytest.fixture(scope="module")
def apex(face_for_module: None) -> Any:
    import apex

    return apex


def trained(make: Any, steps: int = 4, device: str = "cuda") -> list[torch.Tensor]:
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2)).to(device)
    x = torch.randn(8, 6).to(device)
    optimizer = make(model.parameters())
    for _ in range(steps):
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()
    return [one.detach().cpu() for one in model.parameters()]


@pytest.mark.parametrize(
    ("name", "options", "plain"),
    [
        ("FusedAdam", {"lr": 0.01, "weight_decay": 0.1}, lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1)),
        (
            "FusedAdam",
            {"lr": 0.01, "weight_decay": 0.1, "adam_w_mode": False},
            lambda p: torch.optim.Adam(p, 0.01, weight_decay=0.1),
        ),
        ("FusedSGD", {"lr": 0.01, "momentum": 0.9}, lambda p: torch.optim.SGD(p, 0.01, momentum=0.9)),
        ("FusedAdagrad", {"lr": 0.05}, lambda p: torch.optim.Adagrad(p, 0.05, eps=1e-10)),
    ],
)
def test_optimizers_are_pytorch_s(apex: Any, name: str, options: dict[str, Any], plain: Any) -> None:
    ours = trained(lambda p: getattr(apex.optimizers, name)(p, **options))
    for one, expected in zip(ours, trained(plain, device="cpu"), strict=True):
        torch.testing.assert_close(one, expected, atol=1e-4, rtol=1e-4)


def test_lamb_by_its_formula(apex: Any) -> None:
    weight, grad = torch.tensor([3.0, 4.0]), torch.tensor([0.3, -0.4])
    parameter = nn.Parameter(weight.clone().cuda())
    optimizer = apex.optimizers.FusedLAMB([parameter], lr=0.1, weight_decay=0.01, max_grad_norm=0.25)
    parameter.grad = grad.cuda()
    optimizer.step()
    clipped = grad / (grad.norm() / 0.25)
    update = clipped / (clipped.abs() + 1e-6) + 0.01 * weight
    expected = weight - 0.1 * (weight.norm() / update.norm()) * update
    torch.testing.assert_close(parameter.detach().cpu(), expected, atol=1e-4, rtol=1e-4)


def test_novograd_goes_down(apex: Any) -> None:
    first = trained(lambda p: apex.optimizers.FusedNovoGrad(p, lr=0.05), steps=1)
    later = trained(lambda p: apex.optimizers.FusedNovoGrad(p, lr=0.05), steps=30)
    assert sum(one.abs().sum() for one in later) < sum(one.abs().sum() for one in first)


def test_what_is_not_there_is_refused(apex: Any) -> None:
    with pytest.raises(RuntimeError, match="AMSGrad"):
        apex.optimizers.FusedAdam([nn.Parameter(torch.ones(1))], amsgrad=True)


def test_normalisations(apex: Any) -> None:
    x = torch.randn(4, 3, 8)
    ours, plain = apex.normalization.FusedLayerNorm(8).cuda(), nn.LayerNorm(8)
    torch.testing.assert_close(ours(x.cuda()).cpu(), plain(x), atol=1e-5, rtol=1e-5)
    rms = apex.normalization.FusedRMSNorm((3, 8)).cuda()
    expected = x / (x.square().mean((1, 2), keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(rms(x.cuda()).cpu(), expected, atol=1e-5, rtol=1e-5)
    mixed = apex.normalization.MixedFusedRMSNorm(8).cuda()
    assert mixed(x.cuda().half()).dtype is torch.float32
    assert ours(x.cuda().half()).dtype is torch.float16
    assert set(rms.state_dict()) == {"weight"}


@pytest.mark.parametrize("level", ["O0", "O1", "O2"])
def test_mixed_precision(apex: Any, level: str) -> None:
    from apex import amp

    torch.manual_seed(0)
    model = nn.Linear(8, 8).cuda()
    seen: list[torch.dtype] = []
    model.register_forward_hook(lambda module, given, out: seen.append(out.dtype))
    optimizer = apex.optimizers.FusedAdam(model.parameters(), lr=0.1)
    model, optimizer = amp.initialize(model, optimizer, opt_level=level, verbosity=0)
    x = torch.randn(16, 8).cuda()
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        for part in x.chunk(2):  # two parts of a step add up
            loss = (model(part) - 1).square().mean()
            with amp.scale_loss(loss, optimizer) as scaled:
                scaled.backward()
        assert model.weight.grad.abs().max() < 100
        nn.utils.clip_grad_norm_(amp.master_params(optimizer), 5.0)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    saved = amp.state_dict()
    amp.load_state_dict(saved)
    assert list(saved) == ["loss_scaler0"]


def test_a_level_that_is_none(apex: Any) -> None:
    with pytest.raises(RuntimeError, match="the prefix O is the letter O"):
        apex.amp.initialize(nn.Linear(1, 1), opt_level="01")


def test_synchronised_batch_normalisation(apex: Any) -> None:
    model = apex.parallel.convert_syncbn_model(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)))
    assert isinstance(model[1], nn.SyncBatchNorm)


def test_softmax_of_scores(apex: Any) -> None:
    from apex.transformer.functional import scaled_masked_softmax, scaled_upper_triang_masked_softmax

    scores = torch.randn(2, 3, 4, 4)
    mask = torch.zeros(2, 1, 4, 4, dtype=torch.bool)
    mask[..., 2:] = True
    found = scaled_masked_softmax(scores.cuda(), mask.cuda(), 0.5).cpu()
    torch.testing.assert_close(found, (scores * 0.5).masked_fill(mask, -10000.0).softmax(-1), atol=1e-5, rtol=1e-5)
    found = scaled_upper_triang_masked_softmax(scores[0].cuda(), None, 0.5).cpu()
    hidden = torch.ones(4, 4).triu(1).bool()
    torch.testing.assert_close(found, (scores[0] * 0.5).masked_fill(hidden, -torch.inf).softmax(-1), atol=1e-5, rtol=1e-5)
