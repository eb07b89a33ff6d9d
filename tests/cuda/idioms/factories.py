"""Everything that makes tensors, told to make them on the GPU. Each answer lists what was made elsewhere: nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from idioms import idiom


def elsewhere(makers: Mapping[str, Callable[[], Tensor]], device: str = "cuda:0") -> list[str]:
    """What did not make a tensor on that device, with what came instead."""
    wrong = []
    for name, make in makers.items():
        try:
            made = str(make().device)
        except (RuntimeError, TypeError, ValueError, AssertionError, NotImplementedError) as error:
            made = f"{type(error).__name__}: {str(error).splitlines()[0][:60]}"
        if made != device:
            wrong.append(f"{name}: {made}")
    return wrong


@idiom("factories with sizes and `device='cuda'`", "pytorch/pytorch/torch/utils/_device.py", [])
def with_sizes() -> object:
    names = ("empty", "ones", "zeros", "rand", "randn")
    return elsewhere({name: lambda name=name: getattr(torch, name)(2, 3, device="cuda") for name in names})


@idiom("factories of sequences with `device='cuda'`", "pytorch/pytorch/torch/utils/_device.py", [])
def sequences() -> object:
    return elsewhere({
        "arange": lambda: torch.arange(0, 4, device="cuda"),
        "linspace": lambda: torch.linspace(0, 1, 3, device="cuda"),
        "logspace": lambda: torch.logspace(0, 1, 3, device="cuda"),
        "range": lambda: torch.range(0, 3, device="cuda"),
        "eye": lambda: torch.eye(3, device="cuda"),
        "full": lambda: torch.full((2,), 3.0, device="cuda"),
        "randint": lambda: torch.randint(5, (2,), device="cuda"),
        "randperm": lambda: torch.randperm(5, device="cuda"),
        "normal": lambda: torch.normal(0.0, 1.0, (2,), device="cuda"),
        "tril_indices": lambda: torch.tril_indices(3, 3, device="cuda"),
        "triu_indices": lambda: torch.triu_indices(3, 3, device="cuda"),
        "scalar_tensor": lambda: torch.scalar_tensor(2.0, device="cuda"),
        "empty_strided": lambda: torch.empty_strided((2, 2), (2, 1), device="cuda"),
    })  # fmt: skip


@idiom("windows with `device='cuda'`", "pytorch/audio/src/torchaudio/transforms/_transforms.py", [])
def windows() -> object:
    names = ("hann_window", "hamming_window", "bartlett_window", "blackman_window", "kaiser_window")
    return elsewhere({name: lambda name=name: getattr(torch, name)(8, device="cuda") for name in names})


@idiom("`torch.fft.fftfreq(…, device='cuda')`", "Ascend/pytorch/torch_npu/contrib/transfer_to_npu.py", [])
def frequencies() -> object:
    return elsewhere({
        "fftfreq": lambda: torch.fft.fftfreq(4, device="cuda"),
        "rfftfreq": lambda: torch.fft.rfftfreq(4, device="cuda"),
    })  # fmt: skip


@idiom("factories from data with `device='cuda'`", "pytorch/pytorch/torch/utils/_device.py", [])
def from_data() -> object:
    return elsewhere({
        "tensor": lambda: torch.tensor([1, 2], device="cuda"),
        "as_tensor": lambda: torch.as_tensor([1.0], device="cuda"),
        "asarray": lambda: torch.asarray([1.0], device="cuda"),
        "sparse": lambda: torch.sparse_coo_tensor([[0], [0]], [1.0], (2, 2), device="cuda"),
        "complex": lambda: torch.zeros(2, dtype=torch.complex64, device="cuda"),
        "nested": lambda: torch.nested.nested_tensor([[1.0], [2.0, 3.0]], layout=torch.jagged, device="cuda"),
    })  # fmt: skip


@idiom("`torch.*_like` and `x.new_*`", "pytorch/pytorch/torch/utils/_device.py", [])
def like_another() -> object:
    x = torch.ones(2, device="cuda:1")
    likes = {name: lambda name=name: getattr(torch, name)(x)
             for name in ("empty_like", "ones_like", "zeros_like", "rand_like", "randn_like")}  # fmt: skip
    news = {name: lambda name=name: getattr(x, name)((2, 2))
            for name in ("new_empty", "new_ones", "new_zeros")}  # fmt: skip
    others = {"full_like": lambda: torch.full_like(x, 2), "new_full": lambda: x.new_full((2,), 3),
              "new_tensor": lambda: x.new_tensor([1.0]), "randint_like": lambda: torch.randint_like(x, 5)}  # fmt: skip
    return elsewhere({**likes, **news, **others}, "cuda:1")


@idiom(
    "`torch.zeros_like(cpu, device='cuda')`, `x.new_zeros(…, device='cuda:1')`",
    "pytorch/pytorch/torch/_torch_docs.py",
    ("cuda:0", "cuda:1"),
)
def like_another_elsewhere() -> object:
    x = torch.ones(2)
    return str(torch.zeros_like(x, device="cuda").device), str(x.new_zeros(2, device="cuda:1").device)


@idiom(
    "`device=` as integer, string, device and `torch.cuda.current_device()`",
    "InternLM/InternEvo#130",
    ["cuda:1", "cuda:1", "cuda:1", "cuda:0"],
)
def device_argument() -> object:
    devices = (1, "cuda:1", torch.device("cuda", 1), torch.cuda.current_device())
    return [str(torch.empty(1, device=device).device) for device in devices]


@idiom("layers with `device='cuda'` and `dtype=`", "pytorch/pytorch/torch/nn/modules/linear.py", [])
def layers() -> object:
    where = {"device": "cuda", "dtype": torch.float16}
    return elsewhere({
        "Linear": lambda: torch.nn.Linear(2, 2, **where).weight,
        "Conv2d": lambda: torch.nn.Conv2d(1, 1, 1, **where).bias,
        "Embedding": lambda: torch.nn.Embedding(2, 2, **where).weight,
        "LayerNorm": lambda: torch.nn.LayerNorm(2, **where).weight,
        "BatchNorm1d": lambda: torch.nn.BatchNorm1d(2, **where).running_mean,
        "LSTM": lambda: torch.nn.LSTM(2, 2, **where).weight_hh_l0,
        "MultiheadAttention": lambda: torch.nn.MultiheadAttention(4, 2, **where).in_proj_weight,
    })  # fmt: skip


@idiom("`torch.nn.init` on parameters there", "karpathy/nanoGPT/model.py", (True, [0.0, 0.0], 1.0))
def initialisation() -> object:
    weight = torch.nn.init.normal_(torch.empty(16, 16, device="cuda"), std=0.02)
    eye = torch.nn.init.eye_(torch.empty(2, 2, device="cuda"))
    return weight.abs().max().item() < 1, torch.nn.init.zeros_(eye[0]).tolist(), eye[1, 1].item()


@idiom("distributions of parameters there", "pytorch/examples/reinforcement_learning/actor_critic.py", [])
def distributions() -> object:
    one = torch.ones(3, device="cuda")
    return elsewhere({
        "Normal": lambda: torch.distributions.Normal(one, one).sample(),
        "Categorical": lambda: torch.distributions.Categorical(one / 3).sample(),
        "Bernoulli": lambda: torch.distributions.Bernoulli(one / 3).log_prob(one),
        "rsample": lambda: torch.distributions.Normal(one, one).rsample(),
    })  # fmt: skip


@idiom(
    "`F.one_hot`, `torch.bucketize`, `torch.histc` keep the device",
    "pytorch/pytorch/torch/nn/functional.py",
    [],
)
def derived() -> object:
    labels = torch.tensor([0, 2], device="cuda")
    return elsewhere({
        "one_hot": lambda: torch.nn.functional.one_hot(labels, 3),
        "bucketize": lambda: torch.bucketize(torch.ones(2, device="cuda"), torch.arange(3.0, device="cuda")),
        "cartesian": lambda: torch.cartesian_prod(labels, labels),
        "meshgrid": lambda: torch.meshgrid(labels, labels, indexing="ij")[0],
    })  # fmt: skip
