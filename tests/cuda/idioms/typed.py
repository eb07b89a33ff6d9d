"""The typed constructors of PyTorch's first years: torch.cuda.FloatTensor and its sisters."""

from __future__ import annotations

import numpy
import torch

from idioms import idiom


@idiom("`torch.cuda.FloatTensor([1, 2])`", "grammarly/gector#59", ("cuda:0", torch.float32, [1.0, 2.0]))
def float_of_list() -> object:
    x = torch.cuda.FloatTensor([1, 2])
    return str(x.device), x.dtype, x.tolist()


@idiom(
    "`torch.cuda.FloatTensor(2, 3).fill_(0)`",
    "pytorch/pytorch/torch/csrc/tensor/python_tensor.cpp",
    ((2, 3), 0.0, True),
)
def float_of_sizes() -> object:
    x = torch.cuda.FloatTensor(2, 3).fill_(0)
    return tuple(x.shape), x.sum().item(), x.is_cuda


@idiom("`Tensor = torch.cuda.FloatTensor if cuda else torch.FloatTensor`",
       "eriklindernoren/PyTorch-GAN/implementations/gan/gan.py", ("cuda:0", (4, 1), 4.0, (2, 3)))  # fmt: skip
def tensor_alias() -> object:
    Tensor = torch.cuda.FloatTensor if torch.cuda.is_available() else torch.FloatTensor
    valid = torch.autograd.Variable(Tensor(4, 1).fill_(1.0), requires_grad=False)
    z = torch.autograd.Variable(Tensor(numpy.random.normal(0, 1, (2, 3))))
    return str(valid.device), tuple(valid.shape), valid.sum().item(), tuple(z.shape)


@idiom("`torch.cuda.LongTensor`, `ByteTensor`, `BoolTensor`, `HalfTensor`", "allenai/allennlp/allennlp/nn/util.py",
       [torch.int64, torch.uint8, torch.bool, torch.float16, torch.int32, torch.bfloat16])  # fmt: skip
def other_types() -> object:
    kinds = (torch.cuda.LongTensor, torch.cuda.ByteTensor, torch.cuda.BoolTensor, torch.cuda.HalfTensor,
             torch.cuda.IntTensor, torch.cuda.BFloat16Tensor)  # fmt: skip
    return [kind([1, 0]).dtype for kind in kinds]


@idiom("`isinstance(x, torch.cuda.FloatTensor)`", "sbi-dev/sbi#439", (True, False, False, True))
def instance() -> object:
    x = torch.ones(1)
    return (isinstance(x.cuda(), torch.cuda.FloatTensor), isinstance(x, torch.cuda.FloatTensor),
            isinstance(x.cuda(), torch.FloatTensor), isinstance(x.cuda().half(), torch.cuda.HalfTensor))  # fmt: skip


@idiom(
    "`x.type(torch.cuda.FloatTensor)` and by its name",
    "eriklindernoren/PyTorch-GAN/implementations/cyclegan/cyclegan.py",
    ("cuda:0", torch.float32, "cuda:0", torch.int64),
)
def conversion() -> object:
    x = torch.ones(2, dtype=torch.float16)
    y, z = x.type(torch.cuda.FloatTensor), x.type("torch.cuda.LongTensor")
    return str(y.device), y.dtype, str(z.device), z.dtype


@idiom("`x.type(y.type())`", "pytorch/pytorch/torch/_tensor_docs.py", ("cuda:0", torch.float16))
def conversion_to_the_type_of_another() -> object:
    y = torch.ones(2).type(torch.ones(1).cuda().half().type())
    return str(y.device), y.dtype


@idiom("`torch.cuda.FloatTensor.dtype`, `.is_cuda`", "pytorch/pytorch/torch/csrc/tensor/python_tensor.cpp",
       (torch.float32, True, torch.int64))  # fmt: skip
def attributes_of_a_type() -> object:
    return torch.cuda.FloatTensor.dtype, torch.cuda.FloatTensor.is_cuda, torch.cuda.LongTensor.dtype


@idiom("`torch.cuda.DoubleTensor`", "Ascend/pytorch#9", (torch.float64, "torch.cuda.DoubleTensor"))
def double() -> object:
    x = torch.cuda.DoubleTensor([1.0])
    return x.dtype, x.type()


@idiom(
    "`model.type(torch.cuda.HalfTensor)`",
    "pytorch/pytorch/torch/nn/modules/module.py",
    ("cuda:0", torch.float16),
)
def module_type() -> object:
    weight = torch.nn.Linear(2, 2).type(torch.cuda.HalfTensor).weight
    return str(weight.device), weight.dtype


@idiom(
    "a table of types as in sparse all-reduce",
    "deepspeedai/DeepSpeed/deepspeed/runtime/engine.py",
    ["torch.cuda.HalfTensor", "torch.cuda.FloatTensor"],
)
def buckets_by_type() -> object:
    tensors = [torch.ones(2).cuda(), torch.ones(3).cuda().half(), torch.ones(1).cuda()]
    buckets: dict[str, list[torch.Tensor]] = {}
    for tensor in tensors:
        buckets.setdefault(tensor.type(), []).append(tensor)
    return sorted(buckets, reverse=True)


@idiom(
    "`x.new(2).zero_()`",
    "mit-ll-responsible-ai/responsible-ai-toolbox#45",
    ("cuda:0", torch.float16, [0.0, 0.0]),
)
def new_of_a_tensor() -> object:
    y = torch.ones(1, device="cuda", dtype=torch.float16).new(2).zero_()
    return str(y.device), y.dtype, y.tolist()
