"""Modules, optimizers and what is done around a training step."""

from __future__ import annotations

import copy

import torch
from torch import nn

from idioms import idiom


def devices(model: nn.Module) -> set[str]:
    """Where its parameters and buffers are."""
    return {str(x.device) for x in [*model.parameters(), *model.buffers()]}


def perceptron() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


@idiom(
    "`model.cuda()` in all its forms",
    "pytorch/examples/imagenet/main.py",
    [{"cuda:0"}, {"cuda:1"}, {"cuda:1"}, True],
)
def module_cuda() -> object:
    model = perceptron()
    seen = [devices(model.cuda()), devices(model.cuda(1)), devices(model.cuda("cuda:1"))]
    return [*seen, model.cuda() is model]


@idiom(
    "`model.to(device)` by name, device, number and tensor",
    "pytorch/examples/mnist/main.py",
    [{"cuda:0"}, {"cuda:1"}, {"cuda:0"}, {"cuda:1"}],
)
def module_to() -> object:
    targets = ("cuda", torch.device("cuda:1"), 0, torch.zeros(1, device="cuda:1"))
    return [devices(perceptron().to(target)) for target in targets]


@idiom(
    "`next(model.parameters()).is_cuda`",
    "open-mmlab/mmdetection/mmdet/apis/inference.py",
    (True, "cuda:0", False),
)
def where_a_module_is() -> object:
    model = perceptron().cuda()
    return (
        next(model.parameters()).is_cuda,
        str(next(model.parameters()).device),
        next(model.cpu().parameters()).is_cuda,
    )


@idiom("`model.half().cuda()`", "ultralytics/yolov5/val.py", (torch.float16, {"cuda:0"}, torch.float16))
def half_module() -> object:
    model = perceptron().half().cuda().eval()
    y = model(torch.ones(2, 4).cuda().half())
    return next(model.parameters()).dtype, devices(model), y.dtype


@idiom(
    "`model.to(device, dtype=torch.bfloat16)`",
    "huggingface/diffusers/src/diffusers/pipelines/pipeline_utils.py",
    ({"cuda:0"}, torch.bfloat16, torch.int64),
)
def module_to_dtype() -> object:
    model = perceptron().to("cuda", dtype=torch.bfloat16)
    return devices(model), model[0].weight.dtype, model[1].num_batches_tracked.dtype


@idiom(
    "`model.to_empty(device='cuda')` from meta",
    "pytorch/torchtitan/torchtitan/train.py",
    ({"cuda:0"}, (2, 2)),
)
def from_meta() -> object:
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(4, 2))
    model.to_empty(device="cuda")
    return devices(model), tuple(model.cuda()(torch.ones(2, 4).cuda()).shape)


@idiom("one step of training", "pytorch/examples/mnist/main.py", (True, True, {"cuda:0"}))
def training_step() -> object:
    model = perceptron().cuda()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    x, y = torch.randn(16, 4, device="cuda"), torch.randint(2, (16,), device="cuda")
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses[-1] < losses[0], loss.is_cuda, {str(p.grad.device) for p in model.parameters()}


@idiom("`torch.optim.AdamW(…, fused=True)`", "karpathy/nanoGPT/model.py", (True, "cuda:0"))
def fused_optimizer() -> object:
    model = nn.Linear(4, 2).cuda()
    before = model.weight.detach().clone()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
    model(torch.ones(2, 4).cuda()).sum().backward()
    optimizer.step()
    return not torch.equal(before, model.weight), str(optimizer.state[model.weight]["exp_avg"].device)


@idiom(
    "`torch.optim.Adam(…, capturable=True)` and `foreach=True`",
    "pytorch/pytorch/torch/optim/adam.py",
    [True, True],
)
def capturable_optimizer() -> object:
    moved = []
    for options in ({"capturable": True}, {"foreach": True}):
        weight = torch.ones(3, device="cuda", requires_grad=True)
        optimizer = torch.optim.Adam([weight], lr=0.1, **options)
        weight.sum().backward()
        optimizer.step()
        moved.append(bool((weight < 1).all()))
    return moved


@idiom(
    "`optimizer.load_state_dict` of a state on the CPU", "pytorch/pytorch/torch/optim/optimizer.py", "cuda:0"
)
def optimizer_state() -> object:
    weight = torch.ones(2, requires_grad=True)
    first = torch.optim.Adam([weight])
    weight.sum().backward()
    first.step()
    there = torch.ones(2, device="cuda", requires_grad=True)
    second = torch.optim.Adam([there])
    second.load_state_dict(first.state_dict())
    return str(second.state[there]["exp_avg"].device)


@idiom("`nn.utils.clip_grad_norm_`", "karpathy/nanoGPT/train.py", ("cuda:0", True))
def clipping() -> object:
    model = perceptron().cuda()
    (model(torch.ones(2, 4).cuda()).sum() * 100).backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    total = torch.stack([p.grad.norm() for p in model.parameters()]).norm().item()
    return str(norm.device), total < 1.001


@idiom(
    "`torch.utils.checkpoint` with dropout draws the same numbers twice",
    "NVIDIA/Megatron-LM/megatron/core/tensor_parallel/random.py",
    [True, True],
)
def checkpointing() -> object:
    same = []
    for reentrant in (True, False):
        x = torch.ones(64, device="cuda", requires_grad=True)
        y = torch.utils.checkpoint.checkpoint(
            lambda x: nn.functional.dropout(x * 2, 0.5), x, use_reentrant=reentrant
        )
        y.sum().backward()
        same.append(torch.equal(x.grad * 1.0, y.detach()))
    return same


@idiom(
    "`nn.LSTM(…).cuda()` with `flatten_parameters()`",
    "pytorch/examples/word_language_model/model.py",
    ((3, 2, 5), "cuda:0"),
)
def recurrent() -> object:
    model = nn.LSTM(4, 5, batch_first=True).cuda()
    model.flatten_parameters()
    y, (h, _) = model(torch.zeros(3, 2, 4, device="cuda"))
    return tuple(y.shape), str(h.device)


@idiom(
    "`nn.SyncBatchNorm.convert_sync_batchnorm(model)`",
    "facebookresearch/moco-v3/main_moco.py",
    (True, {"cuda:0"}),
)
def synchronized_normalization() -> object:
    model = nn.SyncBatchNorm.convert_sync_batchnorm(perceptron().cuda()).eval()
    model(torch.ones(2, 4).cuda())
    return isinstance(model[1], nn.SyncBatchNorm), devices(model)


@idiom(
    "`copy.deepcopy(model)` for a moving average",
    "ultralytics/yolov5/utils/torch_utils.py",
    ({"cuda:0"}, True),
)
def averaged_module() -> object:
    model = perceptron().cuda()
    average = copy.deepcopy(model).eval()
    for one, other in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if one.dtype.is_floating_point:
            one.mul_(0.9).add_(other.detach(), alpha=0.1)
    return devices(average), torch.allclose(average[0].weight, model[0].weight)


@idiom(
    "a transformer layer in evaluation",
    "pytorch/pytorch/torch/nn/modules/transformer.py",
    ((2, 3, 8), "cuda:0"),
)
def transformer_layer() -> object:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).cuda().eval()
    with torch.inference_mode():
        y = layer(torch.zeros(2, 3, 8, device="cuda"))
    return tuple(y.shape), str(y.device)


@idiom(
    "a custom `autograd.Function`",
    "facebookresearch/detectron2/detectron2/layers/deform_conv.py",
    (True, [2.0, 2.0]),
)
def custom_function() -> object:
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            if not x.is_cuda:
                raise NotImplementedError("only on CUDA")
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, gradient):
            (x,) = ctx.saved_tensors
            return gradient * 2 * x.is_cuda

    x = torch.ones(2, device="cuda", requires_grad=True)
    y = Double.apply(x)
    y.sum().backward()
    return y.is_cuda, x.grad.tolist()
