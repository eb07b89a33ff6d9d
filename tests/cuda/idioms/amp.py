"""Mixed precision: autocast and the scaler of gradients."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import nn

from idioms import idiom


def product() -> torch.Tensor:
    return torch.ones(2, 4, device="cuda") @ torch.ones(4, 2, device="cuda")


@idiom("`with torch.cuda.amp.autocast():`", "ultralytics/yolov5/train.py", (torch.float16, torch.float32))
def autocast_of_cuda() -> object:
    with torch.cuda.amp.autocast():
        inside = product().dtype
    return inside, product().dtype


@idiom(
    "`torch.autocast('cuda', dtype=torch.bfloat16)`",
    "karpathy/nanoGPT/train.py",
    (torch.bfloat16, torch.float16),
)
def autocast_with_dtype() -> object:
    with torch.autocast("cuda", dtype=torch.bfloat16):
        first = product().dtype
    with torch.amp.autocast(device_type="cuda", dtype=torch.float16):
        return first, product().dtype


@idiom(
    "`torch.autocast(x.device.type)`",
    "huggingface/diffusers/examples/dreambooth/train_dreambooth.py",
    torch.float16,
)
def autocast_of_a_device() -> object:
    x = torch.ones(2, 2, device="cuda")
    with torch.autocast(x.device.type):
        return (x @ x).dtype


@idiom(
    "`nullcontext() if device_type == 'cpu' else autocast(…)`", "karpathy/nanoGPT/sample.py", torch.bfloat16
)
def context_of_choice() -> object:
    device_type = "cuda" if "cuda" in str(torch.ones(1).cuda().device) else "cpu"
    dtype = "bfloat16" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "float16"
    context = (
        nullcontext()
        if device_type == "cpu"
        else torch.amp.autocast(device_type, dtype=getattr(torch, dtype))
    )
    with context:
        return product().dtype


@idiom("`enabled=False` inside", "pytorch/pytorch/torch/amp/autocast_mode.py", (torch.float32, torch.float16))
def nested() -> object:
    with torch.autocast("cuda"):
        with torch.cuda.amp.autocast(enabled=False):
            inner = product().dtype
        return inner, product().dtype


@idiom(
    "softmax and losses stay float32 under autocast",
    "pytorch/pytorch/docs/source/amp.md",
    (torch.float32, torch.float32),
)
def kept_in_float32() -> object:
    with torch.autocast("cuda"):
        y = nn.Linear(4, 3, device="cuda")(torch.ones(2, 4, device="cuda"))
        loss = nn.functional.cross_entropy(y, torch.zeros(2, dtype=torch.long, device="cuda"))
        return y.softmax(-1).dtype, loss.dtype


@idiom("`@torch.autocast('cuda')` on a function", "pytorch/pytorch/torch/amp/autocast_mode.py", torch.float16)
def autocast_as_decorator() -> object:
    return torch.autocast("cuda")(product)().dtype


@idiom("`GradScaler`: scale, step, update", "pytorch/examples/imagenet/main.py", (65536.0, 65536.0, True))
def scaler() -> object:
    model = nn.Linear(4, 2).cuda()
    before = model.weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.cuda.amp.GradScaler()
    first = scaler.get_scale()
    with torch.cuda.amp.autocast():
        loss = model(torch.ones(3, 4, device="cuda")).float().mean()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    return first, scaler.get_scale(), not torch.equal(before, model.weight)


@idiom(
    "`torch.amp.GradScaler('cuda')` with `unscale_` and clipping", "karpathy/nanoGPT/train.py", (True, True)
)
def scaler_unscales() -> object:
    model = nn.Linear(4, 2).cuda()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cuda", enabled=True)
    scaler.scale(model(torch.ones(3, 4).cuda()).sum()).backward()
    large = model.weight.grad.abs().max().item() > 1000
    scaler.unscale_(optimizer)
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1e9)
    scaler.step(optimizer)
    scaler.update()
    return large, norm.item() < 1000


@idiom(
    "a gradient that is infinite: the step is skipped, the scale halved", "NVIDIA/apex#156", (True, 32768.0)
)
def scaler_skips() -> object:
    weight = torch.ones(2, device="cuda", requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1)
    scaler = torch.amp.GradScaler("cuda")
    (scaler.scale(weight.sum()) * float("inf")).backward()
    scaler.step(optimizer)
    scaler.update()
    return weight.tolist() == [1.0, 1.0], scaler.get_scale()


@idiom("`GradScaler.state_dict()`", "pytorch/pytorch/torch/amp/grad_scaler.py",
       (["_growth_tracker", "backoff_factor", "growth_factor", "growth_interval", "scale"], 128.0))  # fmt: skip
def scaler_state() -> object:
    scaler = torch.cuda.amp.GradScaler(init_scale=128.0)
    state = scaler.state_dict()
    other = torch.amp.GradScaler()
    other.load_state_dict(state)
    return sorted(state), other.get_scale()


@idiom("`GradScaler(enabled=torch.cuda.is_available())`", "ultralytics/yolov5/train.py", (True, True))
def scaler_enabled() -> object:
    made = torch.cuda.amp.GradScaler(enabled=torch.cuda.is_available())
    return made.is_enabled(), isinstance(made, torch.amp.GradScaler)


@idiom(
    "`torch.is_autocast_enabled()`, `torch.get_autocast_gpu_dtype()`",
    "Dao-AILab/flash-attention/flash_attn/ops/fused_dense.py",
    (False, True, True, torch.bfloat16),
)
def autocast_asked() -> object:
    before = torch.is_autocast_enabled()
    with torch.autocast("cuda", dtype=torch.bfloat16):
        return (
            before,
            torch.is_autocast_enabled(),
            torch.is_autocast_enabled("cuda"),
            torch.get_autocast_gpu_dtype(),
        )


@idiom(
    "`torch.get_autocast_dtype('cuda')`", "pytorch/pytorch/torch/amp/autocast_mode.py", (torch.float16, True)
)
def autocast_default() -> object:
    return torch.get_autocast_dtype("cuda"), torch.amp.autocast_mode.is_autocast_available("cuda")


@idiom(
    "`torch.cuda.amp.custom_fwd(cast_inputs=torch.float32)`",
    "ashawkey/torch-ngp/raymarching/raymarching.py",
    (torch.float32, torch.float32),
)
def custom_forward() -> object:
    seen = []

    class Same(torch.autograd.Function):
        @staticmethod
        @torch.cuda.amp.custom_fwd(cast_inputs=torch.float32)
        def forward(ctx, x):
            seen.append(x.dtype)
            return x * 1

        @staticmethod
        @torch.cuda.amp.custom_bwd
        def backward(ctx, gradient):
            return gradient

    x = torch.ones(2, device="cuda", dtype=torch.float16, requires_grad=True)
    with torch.cuda.amp.autocast():
        y = Same.apply(x)
    y.sum().backward()
    return seen[0], y.dtype


@idiom(
    "`torch.amp.custom_fwd(device_type='cuda')`",
    "state-spaces/mamba/mamba_ssm/ops/selective_scan_interface.py",
    [2.0, 2.0],
)
def custom_forward_of_amp() -> object:
    class Twice(torch.autograd.Function):
        @staticmethod
        @torch.amp.custom_fwd(device_type="cuda")
        def forward(ctx, x):
            return x * 2

        @staticmethod
        @torch.amp.custom_bwd(device_type="cuda")
        def backward(ctx, gradient):
            return gradient * 2

    x = torch.ones(2, device="cuda", requires_grad=True)
    Twice.apply(x).sum().backward()
    return x.grad.tolist()


@idiom(
    "`torch.cuda.amp.common.amp_definitely_not_available()`",
    "pytorch/pytorch/torch/cuda/amp/common.py",
    False,
)
def not_available() -> object:
    from torch.cuda.amp.common import amp_definitely_not_available

    return amp_definitely_not_available()
