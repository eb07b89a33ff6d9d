"""Tensors: moving them, asking where they are, handing them to other libraries."""

from __future__ import annotations

import numpy
import torch

from idioms import idiom, raised


@idiom(
    "`x.cuda()` in all its forms",
    "pytorch/examples/imagenet/main.py",
    ["cuda:0", "cuda:0", "cuda:1", "cuda:1"],
)
def cuda_method() -> object:
    x = torch.ones(2)
    return [
        str(y.device) for y in (x.cuda(), x.cuda(0), x.cuda("cuda:1"), x.cuda(device=1, non_blocking=True))
    ]


@idiom("`x.cuda()` of a tensor that is there", "pytorch/pytorch/torch/_tensor_docs.py", (True, True, False))
def cuda_method_copies_nothing() -> object:
    x = torch.ones(2, device="cuda")
    return x.cuda() is x, x.to("cuda") is x, x.to("cuda", copy=True) is x


@idiom(
    "`x.to(device, dtype, non_blocking=True)`",
    "karpathy/nanoGPT/train.py",
    ("cuda:0", torch.float16, [1.0, 1.0]),
)
def to_device_and_dtype() -> object:
    y = torch.ones(2).to("cuda", torch.float16, non_blocking=True)
    return str(y.device), y.dtype, y.tolist()


@idiom("`x.to(other)`", "pytorch/pytorch/torch/_tensor_docs.py", ("cuda:1", torch.float16))
def to_other() -> object:
    y = torch.ones(2).to(torch.zeros(1, dtype=torch.float16, device="cuda:1"))
    return str(y.device), y.dtype


@idiom(
    "`x.pin_memory().to('cuda', non_blocking=True)`", "karpathy/nanoGPT/train.py", (True, [3.0, 3.0], False)
)
def pinned_copy() -> object:
    x = torch.full((2,), 3.0).pin_memory()
    y = x.to("cuda", non_blocking=True)
    torch.cuda.synchronize()
    return x.is_pinned(), y.tolist(), torch.ones(1).is_pinned()


@idiom("`x.is_cuda`", "InternLM/InternEvo#134", (True, False, True))
def is_cuda() -> object:
    x = torch.ones(2)
    return x.cuda().is_cuda, x.is_cuda, x.to("cuda").detach().requires_grad_().is_cuda


@idiom("`x.device.type == 'cuda'` of one made with `device='cuda'`", "Ascend/pytorch#157", ("cuda", True))
def device_type_agrees() -> object:
    x = torch.zeros(1, device="cuda")
    return x.device.type, x.is_cuda == (x.device.type == "cuda")


@idiom("`x.get_device()`", "pytorch/pytorch#741", (0, 1, -1))
def get_device() -> object:
    x = torch.ones(1)
    return x.cuda().get_device(), x.cuda(1).get_device(), x.get_device()


@idiom("`print(x)`", "pytorch/pytorch/torch/_tensor_str.py",
       ("tensor([0., 1.], device='cuda:0')", "tensor(True, device='cuda:1')"))  # fmt: skip
def shown() -> object:
    return repr(torch.arange(2.0, device="cuda")), str(torch.tensor(True, device="cuda:1"))


@idiom("`repr` of a parameter", "pytorch/pytorch/torch/nn/parameter.py",
       "Parameter containing:\ntensor([1.], device='cuda:0', requires_grad=True)")  # fmt: skip
def parameter_shown() -> object:
    return repr(torch.nn.Parameter(torch.ones(1).cuda()))


@idiom("`x.numpy()` and `numpy.asarray(x)`", "pytorch/pytorch#118084", (True, True, [1.0]))
def to_numpy() -> object:
    x = torch.ones(1, device="cuda")
    text = "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."
    return (raised(x.numpy, TypeError) == text, raised(lambda: numpy.asarray(x), TypeError) == text,
            x.detach().cpu().numpy().tolist())  # fmt: skip


@idiom("`x.item()`, `x.tolist()`, `bool(x)`, `int(x)`, `f'{x:.2f}'`", "karpathy/minGPT/mingpt/trainer.py",
       (1.5, [1.5], True, 1, "1.50"))  # fmt: skip
def to_python() -> object:
    x = torch.tensor(1.5, device="cuda")
    return x.item(), x[None].tolist(), bool(x > 1), int(x), f"{x:.2f}"


@idiom("`x.data_ptr()`", "KernelTuner/kernel_tuner#118", (True, True, 0))
def data_pointer() -> object:
    x = torch.zeros(8, device="cuda")
    return x.data_ptr() != 0, x[2:].data_ptr() - x.data_ptr() == 8, x.data_ptr() % 16


@idiom("`x.__cuda_array_interface__`", "pytorch/pytorch#11984", ("<f4", (2, 3), None, True, 2))
def array_interface() -> object:
    x = torch.zeros(2, 3, device="cuda")
    found = x.__cuda_array_interface__
    return (found["typestr"], found["shape"], found["strides"], found["data"] == (x.data_ptr(), False),
            found["version"])  # fmt: skip


@idiom("`hasattr(x, '__cuda_array_interface__')`", "numba/numba#3093", (True, False, (8, 4), True))
def array_interface_only_there() -> object:
    x = torch.zeros(2, 2)
    asked = raised(lambda: x.cuda().requires_grad_().__cuda_array_interface__)
    return (hasattr(x.cuda(), "__cuda_array_interface__"), hasattr(x, "__cuda_array_interface__"),
            x.cuda().t().__cuda_array_interface__["strides"][::-1], "requires grad" in asked)  # fmt: skip


@idiom("`x.__dlpack_device__()`", "cupy/cupy/cupy/_core/dlpack.pyx", ((2, 0), (1, 0)))
def dlpack_device() -> object:
    kind, index = torch.zeros(1, device="cuda").__dlpack_device__()
    return (int(kind), index), tuple(int(one) for one in torch.zeros(1).__dlpack_device__())


@idiom("`torch.from_dlpack(x)` shares memory", "pytorch/pytorch#15601", ("cuda:0", True, [7.0, 0.0]))
def dlpack_round_trip() -> object:
    x = torch.zeros(2, device="cuda")
    y = torch.from_dlpack(x)
    y[0] = 7
    return str(y.device), y.data_ptr() == x.data_ptr(), x.tolist()


@idiom("`torch.as_tensor(array, device='cuda')`", "DLR-RM/stable-baselines3/stable_baselines3/common/utils.py",
       ("cuda:0", torch.float32, [1.0, 2.0]))  # fmt: skip
def from_numpy() -> object:
    x = torch.as_tensor(numpy.array([1, 2], dtype=numpy.float32), device="cuda")
    return str(x.device), x.dtype, x.tolist()


@idiom(
    "a number on the CPU beside a tensor on the GPU",
    "pytorch/pytorch/aten/src/ATen/TensorIterator.cpp",
    ("cuda:0", [3.0, 3.0]),
)
def scalar_on_the_cpu() -> object:
    y = torch.ones(2, device="cuda") * torch.tensor(3.0)
    return str(y.device), y.tolist()


@idiom(
    "a GPU tensor indexed by one on the CPU",
    "pytorch/pytorch/aten/src/ATen/native/TensorAdvancedIndexing.cpp",
    [5.0, 3.0],
)
def index_on_the_cpu() -> object:
    x = torch.tensor([3.0, 4.0, 5.0], device="cuda")
    return x[torch.tensor([2, 0])].tolist()


@idiom("a CPU tensor indexed by one on the GPU", "WongKinYiu/yolov7/utils/loss.py",
       "indices should be either on cpu or on the same device as the indexed tensor (cpu)")  # fmt: skip
def index_on_the_gpu() -> object:
    return raised(lambda: torch.arange(3)[torch.tensor([0], device="cuda")])


@idiom(
    "storages: `x.untyped_storage().device`, `is_cuda`, `data_ptr()`",
    "huggingface/safetensors/bindings/python/py_src/safetensors/torch.py",
    ("cuda", True, 12, True),
)
def storages() -> object:
    x = torch.zeros(3, device="cuda")
    storage = x.untyped_storage()
    return storage.device.type, storage.is_cuda, storage.nbytes(), storage.data_ptr() == x.data_ptr()


@idiom(
    "`x.to(memory_format=torch.channels_last)`",
    "huggingface/pytorch-image-models/train.py",
    ("cuda:0", True, 1),
)
def channels_last() -> object:
    x = torch.zeros(2, 3, 4, 4).to("cuda", memory_format=torch.channels_last)
    return str(x.device), x.is_contiguous(memory_format=torch.channels_last), x.stride(1)


@idiom("`x.double()` on the GPU", "pytorch/pytorch/torch/_tensor_docs.py", (torch.float64, 8))
def float64() -> object:
    x = torch.ones(2, device="cuda").double()
    return x.dtype, x.element_size()


@idiom(
    "gradients are where their tensors are", "karpathy/minGPT/mingpt/trainer.py", ("cuda:0", True, [2.0, 4.0])
)
def gradients() -> object:
    x = torch.tensor([1.0, 2.0], device="cuda", requires_grad=True)
    (x * x).sum().backward()
    return str(x.grad.device), x.is_leaf, x.grad.tolist()


@idiom("`x.cpu()` waits for the work before it", "pytorch/pytorch/docs/source/notes/cuda.rst", 1024.0)
def copy_waits() -> object:
    x = torch.ones(32, 32, device="cuda")
    return (x @ x).cpu()[0].sum().item()


@idiom("`copy.deepcopy` and `x.share_memory_()`", "pytorch/pytorch/torch/_tensor.py", ("cuda:0", True, True))
def shared() -> object:
    import copy

    x = torch.ones(2, device="cuda")
    y = copy.deepcopy(x)
    return str(y.device), y.data_ptr() != x.data_ptr(), x.share_memory_() is x


@idiom(
    "sparse tensors: `torch.sparse_coo_tensor(…).cuda()`",
    "tkipf/pygcn/pygcn/train.py",
    ("cuda:0", True, [[0.0, 2.0], [0.0, 0.0]]),
)
def sparse() -> object:
    x = torch.sparse_coo_tensor(torch.tensor([[0], [1]]), torch.tensor([2.0]), (2, 2)).cuda()
    return str(x.device), x.is_sparse, x.to_dense().tolist()


@idiom(
    "`x.type()` in a condition",
    "pytorch/pytorch#4981",
    ["torch.cuda.FloatTensor", "torch.cuda.HalfTensor", "torch.cuda.LongTensor"],
)
def type_name() -> object:
    x = torch.ones(1).cuda()
    return [x.type(), x.half().type(), x.long().type()]


@idiom(
    "`torch.testing.assert_close` of tensors on two devices",
    "pytorch/pytorch/torch/testing/_comparison.py",
    True,
)
def assert_close_compares_devices() -> object:
    x = torch.ones(1)
    text = raised(lambda: torch.testing.assert_close(x.cuda(), x), AssertionError)
    return "cuda:0 != cpu" in text
