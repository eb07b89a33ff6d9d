"""Real models train on the device to the same losses as on the CPU and generate the same tokens."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from models import Batch, Case, cases

STEPS = 5
CASES = cases()
GENERATING = sorted(name for name, case in CASES.items() if case.prompt)

# The vendor's autograd formulas add up in another order than PyTorch's own; five steps of AdamW amplify that.
FLOAT32 = {"rtol": 1e-4, "atol": 1e-5}
AUTOCAST = {"rtol": 2e-2, "atol": 2e-2}


def moved(batch: Batch, device: str) -> Batch:
    return {name: value.to(device) for name, value in batch.items()}


def reference(case: Case, model: torch.nn.Module, batches: list[Batch], autocast: bool = False) -> list[float]:
    with case.on_cpu():
        return train(case, model, batches, "cpu", autocast)


def train(
    case: Case, model: torch.nn.Module, batches: list[Batch], device: str, autocast: bool = False
) -> list[float]:
    """Losses of STEPS steps of AdamW, and the loss after the last one."""
    model = copy.deepcopy(model).to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for batch in batches:
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=autocast):
            loss = case.loss(model, moved(batch, device))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses).cpu().tolist()


@pytest.fixture
def built() -> Callable[[str], tuple[Case, torch.nn.Module, list[Batch]]]:
    def build(name: str) -> tuple[Case, torch.nn.Module, list[Batch]]:
        torch.manual_seed(0)
        case = CASES[name]
        model = case.build()
        batch = case.batch()
        return case, model, [batch] * STEPS + [case.batch()]

    return build


@pytest.mark.parametrize("name", CASES)
def test_trains_as_on_the_cpu(name: str, built: Callable, device: str) -> None:
    case, model, batches = built(name)
    expected = reference(case, model, batches)
    assert expected[STEPS - 1] < expected[0], "the loss does not fall: the case shows nothing"
    torch.testing.assert_close(train(case, model, batches, device), expected, **FLOAT32)


@pytest.mark.parametrize("name", ["gpt2", "llama", "bert", "vit", "unet"])
def test_trains_under_autocast(name: str, built: Callable, device: str) -> None:
    case, model, batches = built(name)
    expected = reference(case, model, batches, autocast=True)
    torch.testing.assert_close(train(case, model, batches, device, autocast=True), expected, **AUTOCAST)


@pytest.mark.parametrize("name", GENERATING)
def test_generates_the_same_tokens(name: str, built: Callable, device: str) -> None:
    case, model, _ = built(name)
    model.eval()
    prompt = case.prompt()
    options = {"max_new_tokens": 12, "do_sample": False, "use_cache": True}
    expected = model.generate(**prompt, **options)
    assert expected.shape[1] > 8
    result = copy.deepcopy(model).to(device).generate(**moved(prompt, device), **options)
    assert result.cpu().tolist() == expected.tolist()


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_samples_tokens(name: str, built: Callable, device: str) -> None:
    """Sampling draws from the device's own generator: equal seeds, equal tokens."""
    case, model, _ = built(name)
    model = model.eval().to(device)
    prompt = moved(case.prompt(), device)

    def sample(seed: int) -> list[list[int]]:
        torch.manual_seed(seed)
        return model.generate(**prompt, max_new_tokens=12, do_sample=True, top_k=20, top_p=0.9).cpu().tolist()

    assert sample(1) == sample(1)
    assert sample(1) != sample(2)
