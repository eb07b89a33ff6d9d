"""What goes wrong, in the words and classes that programs look for."""

from __future__ import annotations

import torch
from torch import nn

from idioms import idiom, raised


@idiom("a GPU tensor and a CPU tensor in one operation", "vllm-project/compressed-tensors#12",
       "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!")  # fmt: skip
def two_devices() -> object:
    return raised(lambda: torch.ones(2, device="cuda") + torch.ones(2)).splitlines()[0]


@idiom("a model on the CPU, its input on the GPU", "bytedance/USO#16", True)
def model_elsewhere() -> object:
    text = raised(lambda: nn.Linear(2, 2)(torch.ones(1, 2, device="cuda")))
    return text.startswith("Expected all tensors to be on the same device")


@idiom("a convolution on the GPU, its input on the CPU", "ultralytics/yolov5/models/common.py",
       "Input type (torch.FloatTensor) and weight type (torch.cuda.FloatTensor) should be the same or input should be "
       "a MKLDNN tensor and weight is a dense tensor")  # fmt: skip
def convolution_elsewhere() -> object:
    return raised(lambda: nn.Conv2d(1, 1, 1).cuda()(torch.ones(1, 1, 2, 2)))


@idiom("half precision input, single precision weights", "ultralytics/yolov5/models/common.py",
       "Input type (c10::Half) and bias type (float) should be the same")  # fmt: skip
def convolution_of_other_type() -> object:
    return raised(lambda: nn.Conv2d(1, 1, 1).cuda()(torch.ones(1, 1, 2, 2).cuda().half()))


@idiom("an embedding on the GPU, its indices on the CPU", "huggingface/transformers#37778", True)
def embedding_elsewhere() -> object:
    text = raised(lambda: nn.Embedding(2, 2).cuda()(torch.tensor([0])))
    return text.startswith("Expected all tensors to be on the same device")


@idiom(
    "a wrong name: `torch.device('cuda:x')`",
    "pytorch/pytorch/c10/core/Device.cpp",
    "Invalid device string: 'cuda:x'",
)
def wrong_name() -> object:
    return raised(lambda: torch.device("cuda:x"))


@idiom(
    "`torch.AcceleratorError`, `torch.cuda.CudaError`, `DeferredCudaCallError`",
    "pytorch/pytorch/torch/cuda/__init__.py",
    [True, True, True],
)
def classes() -> object:
    return [issubclass(torch.AcceleratorError, RuntimeError), issubclass(torch.cuda.CudaError, RuntimeError),
            issubclass(torch.cuda.DeferredCudaCallError, Exception)]  # fmt: skip


@idiom(
    "a wrong shape, and the device goes on",
    "pytorch/pytorch/aten/src/ATen/native/LinearAlgebra.cpp",
    (True, 3.0),
)
def wrong_shape() -> object:
    x = torch.ones(2, 3, device="cuda")
    text = raised(lambda: (x @ x, torch.cuda.synchronize()))
    return "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)" in text, torch.ones(
        3, device="cuda"
    ).sum().item()


@idiom(
    "`x.numpy()` of a tensor with gradient on the GPU",
    "pytorch/pytorch/torch/csrc/utils/tensor_numpy.cpp",
    True,
)
def numpy_with_gradient() -> object:
    text = raised(lambda: torch.ones(1, device="cuda", requires_grad=True).numpy(), TypeError, RuntimeError)
    return text.startswith("can't convert cuda:0 device type tensor to numpy") or "requires grad" in text


@idiom("`torch.cuda.check_error(2)`", "pytorch/pytorch/torch/cuda/__init__.py", True)
def check_error() -> object:
    text = raised(lambda: torch.cuda.check_error(2), torch.cuda.CudaError)
    return torch.cuda.check_error(0) is None and "out of memory" in text


@idiom("copying into a tensor of another shape", "pytorch/pytorch/aten/src/ATen/native/Copy.cpp", True)
def wrong_copy() -> object:
    text = raised(lambda: torch.ones(2, device="cuda").copy_(torch.ones(3)))
    return "(2) must match the" in text and "(3) at non-singleton dimension 0" in text
