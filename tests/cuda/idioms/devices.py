"""Naming a device, comparing devices, asking what a device is."""

from __future__ import annotations

import argparse
import copy
import pickle

import torch

from idioms import DEVICES, idiom, raised


@idiom("parts of `torch.device('cuda:0')`", "pytorch/pytorch#115405", ("cuda", 0, "cuda:0"))
def device_parts() -> object:
    device = torch.device("cuda:0")
    return device.type, device.index, str(device)


@idiom("`repr(torch.device('cuda', 1))`", "codeflash-ai/codeflash#1053", "device(type='cuda', index=1)")
def device_repr() -> object:
    return repr(torch.device("cuda", 1))


@idiom("`torch.device('cuda')` beside `'cuda:0'`", "pytorch/pytorch#115405", (False, None, True))
def device_with_and_without_index() -> object:
    device = torch.device("cuda")
    return device == torch.device("cuda:0"), device.index, torch.device("cuda", 0) == torch.device("cuda:0")


@idiom(
    "`x.device == torch.device('cuda')` of a tensor made there",
    "dynamiqs/dynamiqs#337",
    (False, True, "cuda:0"),
)
def device_of_tensor_has_index() -> object:
    x = torch.randn(3, device="cuda")
    return x.device == torch.device("cuda"), x.device == torch.device("cuda:0"), str(x.device)


@idiom("`torch.device(0)`", "pytorch/pytorch/torch/csrc/Device.cpp", "device(type='cuda', index=0)")
def device_from_integer() -> object:
    return repr(torch.device(0))


@idiom("`x.to(1)`", "Ascend/pytorch#16", "cuda:1")
def to_integer() -> object:
    return str(torch.ones(2).to(1).device)


@idiom("`x.device == 'cuda'`: a device is no string", "datalab-to/surya#86", (False, False, True))
def device_is_no_string() -> object:
    x = torch.ones(1, device="cuda")
    return x.device == "cuda", x.device == "cuda:0", x.device.type == "cuda"


@idiom("devices as keys of a dict", "pytorch/pytorch/torch/nn/parallel/_functions.py", ["a", "b", 2])
def device_as_key() -> object:
    table = {torch.device("cuda:0"): "a", torch.device("cuda", 1): "b"}
    table[torch.zeros(1, device="cuda:0").device] = "a"
    return [table[torch.device("cuda", 0)], table[torch.device("cuda:1")], len(table)]


@idiom("`str(device).startswith('cuda')`", "openai/whisper/whisper/transcribe.py", (True, True, False))
def device_string_starts_with_cuda() -> object:
    devices = torch.device("cuda"), torch.zeros(1).cuda().device, torch.device("cpu")
    return tuple(str(device).startswith("cuda") for device in devices)


@idiom("`device.index or 0`", "pytorch/pytorch/torch/cuda/_utils.py", (0, 1))
def device_index_or_zero() -> object:
    return torch.device("cuda").index or 0, torch.device("cuda:1").index or 0


@idiom(
    "`copy.deepcopy` and `pickle` of a device", "pytorch/pytorch/torch/csrc/Device.cpp", (True, True, False)
)
def device_copied_and_pickled() -> object:
    device = torch.zeros(1, device="cuda:1").device
    data = pickle.dumps(device)
    return copy.deepcopy(device) == device, pickle.loads(data) == torch.device("cuda:1"), b"npu" in data


@idiom("`argparse` with `--device cuda:1`", "pytorch/examples/vae/main.py", "cuda:1")
def device_from_command_line() -> object:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", type=torch.device, default="cuda" if torch.cuda.is_available() else "cpu")
    return str(torch.ones(1, device=parser.parse_args(["--device", "cuda:1"]).device).device)


@idiom("`'cuda' if torch.cuda.is_available() else 'cpu'`", "karpathy/nanoGPT/train.py", ("cuda", "cuda:0"))
def device_of_choice() -> object:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return device, str(torch.zeros(1, device=device).device)


@idiom("`device_type = 'cuda' if 'cuda' in device else 'cpu'`", "karpathy/nanoGPT/sample.py", "cuda")
def device_type_from_text() -> object:
    return "cuda" if "cuda" in str(torch.zeros(1).to("cuda").device) else "cpu"


@idiom("`with torch.cuda.device(1):`", "numba/numba#3093", (0, 1, 0, "cuda:1"))
def device_context() -> object:
    before = torch.cuda.current_device()
    with torch.cuda.device(1):
        inside, made = torch.cuda.current_device(), torch.zeros(1, device="cuda")
    return before, inside, torch.cuda.current_device(), str(made.device)


@idiom(
    "`with torch.cuda.device(None)` and `(-1)` do nothing", "pytorch/pytorch/torch/cuda/__init__.py", [0, 0]
)
def device_context_of_nothing() -> object:
    seen = []
    for nothing in (None, -1):
        with torch.cuda.device(nothing):
            seen.append(torch.cuda.current_device())
    return seen


@idiom("`torch.cuda.device_of(x)`", "pytorch/pytorch/torch/cuda/__init__.py", (1, 0))
def device_of_a_tensor() -> object:
    with torch.cuda.device_of(torch.zeros(1, device="cuda:1")):
        inside = torch.cuda.current_device()
    return inside, torch.cuda.current_device()


@idiom("`torch.cuda.set_device` by number, name and device", "NVIDIA/Megatron-LM/megatron/training/initialize.py",
       [1, 0, 1, 0])  # fmt: skip
def set_device() -> object:
    seen = []
    for device in (1, "cuda:0", torch.device("cuda:1"), torch.device("cuda", 0)):
        torch.cuda.set_device(device)
        seen.append(torch.cuda.current_device())
    return seen


@idiom("`with torch.device('cuda'):` around factories", "pytorch/pytorch/torch/utils/_device.py",
       ["cuda:0", "cuda:0", "cuda:1", "cpu"])  # fmt: skip
def device_as_context() -> object:
    with torch.device("cuda"):
        made = [torch.zeros(1), torch.nn.Linear(2, 2).weight]
        with torch.device("cuda:1"):
            made.append(torch.arange(3))
    return [str(x.device) for x in [*made, torch.zeros(1)]]


@idiom("`torch.set_default_device('cuda')`", "pytorch/pytorch#118084", ("cuda:0", "cuda:0", "cpu"))
def default_device() -> object:
    torch.set_default_device("cuda")
    try:
        asked, made = torch.get_default_device(), torch.ones(2).device
    finally:
        torch.set_default_device(None)
    return str(asked), str(made), str(torch.ones(1).device)


@idiom("`torch.set_default_tensor_type('torch.cuda.FloatTensor')`", "i-machine-think/diagNNose#74",
       ("cuda:0", "torch.cuda.FloatTensor", "cpu"))  # fmt: skip
def default_tensor_type() -> object:
    torch.set_default_tensor_type("torch.cuda.FloatTensor")
    try:
        made = torch.rand(2)
    finally:
        torch.set_default_tensor_type("torch.FloatTensor")
    return str(made.device), made.type(), str(torch.rand(2).device)


@idiom("`torch.set_default_tensor_type(torch.cuda.HalfTensor)`", "meta-llama/llama/llama/generation.py",
       ("cuda:0", torch.float16, torch.float32))  # fmt: skip
def default_tensor_type_half() -> object:
    torch.set_default_tensor_type(torch.cuda.HalfTensor)
    try:
        weight = torch.nn.Linear(2, 2).weight
    finally:
        torch.set_default_tensor_type(torch.FloatTensor)
    return str(weight.device), weight.dtype, torch.zeros(1).dtype


@idiom("`torch.accelerator`", "pytorch/pytorch/torch/accelerator/__init__.py",
       ("cuda", True, DEVICES, 0, 1))  # fmt: skip
def accelerator() -> object:
    found = torch.accelerator.current_accelerator()
    torch.accelerator.set_device_index(1)
    then = torch.accelerator.current_device_index()
    torch.accelerator.set_device_index(0)
    return (str(found), torch.accelerator.is_available(), torch.accelerator.device_count(),
            torch.accelerator.current_device_index(), then)  # fmt: skip


@idiom("`getattr(torch, device.type)` and `torch.get_device_module`", "pytorch/torchtitan/torchtitan/tools/utils.py",
       (True, True, True))  # fmt: skip
def device_module() -> object:
    x = torch.zeros(1, device="cuda")
    return (getattr(torch, x.device.type) is torch.cuda, torch.get_device_module("cuda") is torch.cuda,
            torch.get_device_module(x.device).device_count() == DEVICES)  # fmt: skip


@idiom("`torch.cuda.init()` and `is_initialized()`", "pytorch/pytorch/torch/cuda/__init__.py", (True, None))
def initialized() -> object:
    done = torch.cuda.init()
    return torch.cuda.is_initialized(), done


@idiom("a device that is not there: `torch.zeros(1, device='cuda:7')`", "pytorch/pytorch#20606", (True, True))
def device_out_of_range() -> object:
    texts = raised(lambda: torch.zeros(1, device="cuda:7")), raised(lambda: torch.cuda.set_device(7))
    return tuple("CUDA error: invalid device ordinal" in text for text in texts)


@idiom("`torch._C._cuda_getDeviceCount()`", "pytorch/pytorch#159641", DEVICES)
def device_count_of_c() -> object:
    return torch._C._cuda_getDeviceCount()


@idiom("`torch.cuda._utils._get_device_index`", "pytorch/pytorch/torch/cuda/_utils.py", [0, 1, 1, 0])
def device_index_of_anything() -> object:
    from torch.cuda._utils import _get_device_index

    return [_get_device_index(0), _get_device_index("cuda:1"), _get_device_index(torch.device("cuda:1")),
            _get_device_index(None, optional=True)]  # fmt: skip
