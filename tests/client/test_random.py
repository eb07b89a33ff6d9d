"""The device's random numbers: reproducible from seed and state, of the right distribution, with the generator advancing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

COUNT = 20_000

# Name -> how to draw COUNT numbers, their mean and standard deviation.
DISTRIBUTIONS: dict[str, tuple[Callable[[str], torch.Tensor], float, float]] = {
    "rand": (lambda device: torch.rand(COUNT, device=device), 0.5, 12**-0.5),
    "randn": (lambda device: torch.randn(COUNT, device=device), 0.0, 1.0),
    "normal": (lambda device: torch.empty(COUNT, device=device).normal_(3.0, 2.0), 3.0, 2.0),
    "uniform": (lambda device: torch.empty(COUNT, device=device).uniform_(-2.0, 4.0), 1.0, 6 * 12**-0.5),
    "bernoulli": (lambda device: torch.empty(COUNT, device=device).bernoulli_(0.3), 0.3, 0.21**0.5),
    "exponential": (lambda device: torch.empty(COUNT, device=device).exponential_(2.0), 0.5, 0.5),
    "randint": (lambda device: torch.randint(0, 10, (COUNT,), device=device), 4.5, 8.25**0.5),
    "random": (lambda device: torch.zeros(COUNT, device=device).random_(0, 10), 4.5, 8.25**0.5),
    "multinomial": (
        lambda device: torch.multinomial(torch.tensor([0.7, 0.3], device=device), COUNT, replacement=True), 0.3, 0.21**0.5,
    ),
    "dropout": (lambda device: torch.nn.functional.dropout(torch.ones(COUNT, device=device), 0.5), 1.0, 1.0),
    "randperm": (lambda device: torch.randperm(COUNT, device=device), (COUNT - 1) / 2, COUNT / 12**0.5),
}  # fmt: skip


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_is_reproducible_and_distributed(device: str, name: str) -> None:
    draw, mean, deviation = DISTRIBUTIONS[name]
    torch.manual_seed(5)
    first, second = draw(device), draw(device)
    torch.manual_seed(5)
    again = draw(device)
    assert torch.equal(first, again)
    assert not torch.equal(first, second), "the generator did not advance"
    numbers = first.double().cpu()
    assert abs(numbers.mean().item() - mean) < 5 * deviation / COUNT**0.5
    assert abs(numbers.std().item() / deviation - 1) < 0.05


def test_randperm_is_a_permutation(device: str) -> None:
    assert torch.equal(torch.randperm(1000, device=device).sort().values.cpu(), torch.arange(1000))


def test_multinomial_without_replacement(device: str) -> None:
    drawn = torch.multinomial(torch.tensor([[0.1, 0.2, 0.0, 0.7]] * 50, device=device), 3)
    assert drawn.cpu().sort().values.tolist() == [[0, 1, 3]] * 50


def test_dropout_mask_serves_backward(device: str) -> None:
    inputs = torch.ones(1000, device=device, requires_grad=True)
    outputs = torch.nn.functional.dropout(inputs, 0.25)
    outputs.sum().backward()
    assert torch.equal(inputs.grad.cpu(), outputs.detach().cpu())
    assert set(outputs.detach().cpu().unique().tolist()) == {0.0, torch.tensor(1 / 0.75).item()}


@pytest.mark.needs_chip
def test_state_of_the_generator(device: str) -> None:
    torch.npu.manual_seed(9)
    torch.randn(7, device=device)
    state = torch.npu.get_rng_state()
    expected = torch.randn(100, device=device)
    torch.npu.set_rng_state(state)
    assert torch.equal(torch.randn(100, device=device), expected)
    assert torch.npu.initial_seed() == 9


@pytest.mark.needs_chip
def test_fork_rng_leaves_the_state_alone(device: str) -> None:
    torch.manual_seed(2)
    expected = torch.randn(10, device=device)
    torch.manual_seed(2)
    with torch.random.fork_rng(devices=[0], device_type="npu"):
        torch.randn(33, device=device)
    assert torch.equal(torch.randn(10, device=device), expected)


def test_generators_of_their_own(device: str) -> None:
    one, two = (torch.Generator(device=device).manual_seed(4) for _ in range(2))
    first = torch.randn(50, device=device, generator=one)
    torch.randn(50, device=device)  # the default generator is another one
    assert torch.equal(torch.randn(50, device=device, generator=two), first)
    two.set_state(one.get_state())
    left, right = (torch.rand(50, device=device, generator=which) for which in (one, two))
    assert torch.equal(left, right)
