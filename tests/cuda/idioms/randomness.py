"""Random numbers: seeds, states, generators."""

from __future__ import annotations

import random

import numpy
import torch

from idioms import DEVICES, idiom, kept, raised


@idiom("`torch.manual_seed(n)` seeds the GPU", "karpathy/nanoGPT/train.py", True)
def seed() -> object:
    torch.manual_seed(1337)
    x = torch.rand(8, device="cuda")
    torch.manual_seed(1337)
    return torch.equal(x, torch.rand(8, device="cuda"))


@idiom(
    "`torch.cuda.manual_seed` and `manual_seed_all`",
    "ultralytics/yolov5/utils/general.py",
    [True, True, True],
)
def seed_of_cuda() -> object:
    same = []
    for set_seed in (torch.cuda.manual_seed, torch.cuda.manual_seed_all):
        set_seed(7)
        x = torch.randn(8, device="cuda")
        set_seed(7)
        same.append(torch.equal(x, torch.randn(8, device="cuda")))
    torch.cuda.manual_seed_all(7)
    return [*same, torch.equal(torch.rand(4, device="cuda:0").cpu(), torch.rand(4, device="cuda:1").cpu())]


@idiom(
    "`torch.cuda.get_rng_state()`",
    "huggingface/transformers/src/transformers/trainer.py",
    ("cpu", torch.uint8, 16, True),
)
def state() -> object:
    before = torch.cuda.get_rng_state()
    x = torch.rand(4, device="cuda")
    torch.cuda.set_rng_state(before)
    return before.device.type, before.dtype, before.numel(), torch.equal(x, torch.rand(4, device="cuda"))


@idiom(
    "`torch.cuda.get_rng_state_all()`, restored",
    "huggingface/accelerate/src/accelerate/checkpointing.py",
    (DEVICES, True),
)
def states_of_all() -> object:
    states = torch.cuda.get_rng_state_all()
    x = torch.rand(4, device="cuda:1")
    torch.cuda.set_rng_state_all(states)
    return len(states), torch.equal(x, torch.rand(4, device="cuda:1"))


@idiom(
    "`torch.cuda.get_rng_state('cuda:1')`, by number and device",
    "NVIDIA/Megatron-LM/megatron/core/tensor_parallel/random.py",
    True,
)
def state_of_one() -> object:
    states = [torch.cuda.get_rng_state(which) for which in (1, "cuda:1", torch.device("cuda:1"))]
    return all(torch.equal(states[0], one) for one in states)


@idiom("`torch.cuda.initial_seed()`", "pytorch/pytorch/torch/cuda/random.py", (99, True))
def initial_seed() -> object:
    torch.cuda.manual_seed(99)
    found = torch.cuda.initial_seed()
    torch.cuda.seed()
    return found, torch.cuda.initial_seed() != 99


@idiom("`torch.random.fork_rng()`", "pytorch/pytorch/torch/random.py", [True, True])
def fork() -> object:
    same = []
    for devices in ([0], None):
        torch.manual_seed(3)
        with torch.random.fork_rng(devices=devices):
            inside = torch.rand(4, device="cuda")
        same.append(torch.equal(inside, torch.rand(4, device="cuda")))
    return same


@idiom("`torch.Generator(device='cuda').manual_seed(0)`", "flagos-ai/Torch-FL#144", ("cuda", True, True))
def generator() -> object:
    made = torch.Generator(device="cuda").manual_seed(0)
    x = torch.randn(4, generator=made, device="cuda")
    again = torch.randn(4, generator=torch.Generator("cuda").manual_seed(0), device="cuda")
    return made.device.type, torch.equal(x, again), isinstance(made, torch.Generator)


@idiom("a generator of the CPU for a tensor of the GPU", "huggingface/diffusers#6501",
       "Expected a 'cuda' device type for generator but found 'cpu'")  # fmt: skip
def wrong_generator() -> object:
    return raised(lambda: torch.randn(2, generator=torch.Generator(), device="cuda"))


@idiom(
    "a generator of the GPU for a tensor of the CPU",
    "zhang-can/CoLA#10",
    "Expected a 'cpu' device type for generator but found 'cuda'",
)
def other_wrong_generator() -> object:
    return raised(lambda: torch.randperm(4, generator=torch.Generator("cuda")))


@idiom("`torch.randperm(n, device='cuda', generator=g)`", "pytorch/pytorch#58545", ([0, 1, 2, 3, 4], True))
def permutation() -> object:
    made = torch.Generator(device="cuda").manual_seed(5)
    x = torch.randperm(5, generator=made, device="cuda")
    return sorted(x.tolist()), torch.equal(x, torch.randperm(5, generator=made.manual_seed(5), device="cuda"))


@idiom("`generator.get_state()` and `set_state`", "torchfont/torchfont#327", True)
def generator_state() -> object:
    made = torch.Generator("cuda").manual_seed(1)
    before = made.get_state()
    x = torch.rand(3, generator=made, device="cuda")
    made.set_state(before)
    return torch.equal(x, torch.rand(3, generator=made, device="cuda"))


@idiom("`torch.cuda.default_generators`", "pytorch/pytorch/torch/cuda/__init__.py", (DEVICES, "cuda:0", True))
def default_generators() -> object:
    torch.cuda.init()
    found = torch.cuda.default_generators
    torch.cuda.manual_seed(11)
    return len(found), str(found[0].device), found[0].initial_seed() == 11


@idiom("`x.normal_(generator=g)`, `bernoulli_`, `torch.multinomial`", "mlverse/torch#480", [True, True, True])
def in_place() -> object:
    def draw() -> list[torch.Tensor]:
        g, x = torch.Generator("cuda").manual_seed(2), torch.zeros(6, device="cuda")
        weights = torch.ones(6, device="cuda")
        return [x.clone().normal_(generator=g), x.clone().bernoulli_(0.5, generator=g),
                torch.multinomial(weights, 3, generator=g)]  # fmt: skip

    return [torch.equal(a, b) for a, b in zip(draw(), draw(), strict=True)]


@idiom(
    "seeding everything for a reproducible run",
    "huggingface/transformers/src/transformers/trainer_utils.py",
    (True, True, True),
)
def everything() -> object:
    def draw() -> tuple[float, float, list[float]]:
        random.seed(0)
        numpy.random.seed(0)
        torch.manual_seed(0)
        torch.cuda.manual_seed_all(0)
        return (
            random.random(),
            numpy.random.rand(),
            torch.nn.functional.dropout(torch.ones(8).cuda()).tolist(),
        )

    with kept(torch.backends.cudnn, "deterministic", "benchmark"):
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
        return tuple(a == b for a, b in zip(draw(), draw(), strict=True))
