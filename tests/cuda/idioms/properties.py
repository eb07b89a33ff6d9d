"""What a program asks of a GPU: name, capability, sizes, versions."""

from __future__ import annotations

import re

import torch

from idioms import DEVICES, idiom, raised


@idiom("`torch.cuda.get_device_name()` in all its forms", "unslothai/unsloth#10686", (True, True, 1))
def name() -> object:
    names = {
        torch.cuda.get_device_name(which) for which in (None, 0, "cuda", "cuda:0", torch.device("cuda:0"))
    }
    one = torch.cuda.get_device_name()
    return one.startswith("NVIDIA"), "A100" in one, len(names)


@idiom("`torch.cuda.get_device_properties(0)`: name, major, minor, total_memory", "Ascend/pytorch#28",
       (True, 8, 0, True))  # fmt: skip
def properties() -> object:
    found = torch.cuda.get_device_properties(0)
    return (found.name == torch.cuda.get_device_name(0), found.major, found.minor,
            isinstance(found.total_memory, int) and found.total_memory > 2**30)  # fmt: skip


@idiom("`props.multi_processor_count` and other limits", "triton-lang/triton/python/tutorials/02-fused-softmax.py",
       (108, 32, 2048, False))  # fmt: skip
def limits() -> object:
    found = torch.cuda.get_device_properties("cuda")
    return (found.multi_processor_count, found.warp_size, found.max_threads_per_multi_processor,
            bool(found.is_integrated))  # fmt: skip


@idiom("`props.L2_cache_size`, `shared_memory_per_block_optin`, `regs_per_multiprocessor`",
       "pytorch/pytorch/torch/_inductor/utils.py", (40 * 2**20, 166912, 65536))  # fmt: skip
def limits_of_compilers() -> object:
    found = torch.cuda.get_device_properties(torch.device("cuda"))
    return found.L2_cache_size, found.shared_memory_per_block_optin, found.regs_per_multiprocessor


@idiom("`repr` of the properties", "pytorch/pytorch/torch/csrc/cuda/Module.cpp", True)
def properties_repr() -> object:
    text = repr(torch.cuda.get_device_properties(0))
    wanted = r"_CudaDeviceProperties\(name='NVIDIA [^']+', major=8, minor=0, total_memory=\d+MB, "
    return re.match(wanted + r"multi_processor_count=108", text) is not None


@idiom("a misspelt property", "koda-dernet/Side-Step#42", True)
def misspelt_property() -> object:
    text = raised(lambda: torch.cuda.get_device_properties(0).total_mem, AttributeError)
    return "has no attribute 'total_mem'" in text


@idiom("`get_device_properties(9)`", "pytorch/pytorch/torch/cuda/__init__.py", "Invalid device id")
def properties_of_no_device() -> object:
    return raised(lambda: torch.cuda.get_device_properties(9), AssertionError)


@idiom("`torch.cuda.get_device_capability() >= (8, 0)`", "flagos-ai/FlagGems#1549", ((8, 0), True))
def capability() -> object:
    found = torch.cuda.get_device_capability()
    return found, torch.cuda.get_device_capability(torch.device("cuda:1")) >= (8, 0)


@idiom("`major * 10 + minor` and `sm_80` in `get_arch_list()`", "InfiniTensor/InfiniCore#255", (80, True))
def architectures() -> object:
    major, minor = torch.cuda.get_device_capability()
    return major * 10 + minor, f"sm_{major}{minor}" in torch.cuda.get_arch_list()


@idiom("`torch.cuda.is_bf16_supported()`", "hiyouga/LlamaFactory#5193", (True, True))
def bfloat16_supported() -> object:
    return torch.cuda.is_bf16_supported(), torch.cuda.is_bf16_supported(including_emulation=False)


@idiom("`torch.cuda.is_tf32_supported()`", "pytorch/pytorch/torch/cuda/__init__.py", True)
def tf32_supported() -> object:
    return torch.cuda.is_tf32_supported()


@idiom("`torch.version.cuda.split('.')`", "NVIDIA/apex#378", (12, True))
def version_of_cuda() -> object:
    parts = tuple(int(part) for part in torch.version.cuda.split("."))
    return parts[0], parts >= (9, 1)


@idiom("`torch.version.hip` and `torch.version.xpu` are None", "vladmandic/sdnext#1157", (None, None, "cuda"))
def version_of_others() -> object:
    backend = "cuda" if torch.version.cuda else "rocm" if torch.version.hip else "cpu"
    return torch.version.hip, torch.version.xpu, backend


@idiom("`torch.__version__` names a CUDA build", "facebookresearch/detectron2/detectron2/utils/collect_env.py",
       (True, True))  # fmt: skip
def version_of_build() -> object:
    build = torch.__version__.partition("+")[2]
    return build.startswith("cu") or not build, torch.__version__.startswith("2.")


@idiom("loop over `torch.cuda.device_count()`", "pytorch/pytorch#80876", [True] * DEVICES)
def every_device() -> object:
    found = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    return [f"CUDA:{i} {one.name}, {one.total_memory / 1024**2:.0f}MB".startswith(f"CUDA:{i} NVIDIA")
            for i, one in enumerate(found)]  # fmt: skip


@idiom(
    "`torch.cuda.can_device_access_peer(0, 1)`",
    "vllm-project/vllm/vllm/distributed/device_communicators/custom_all_reduce_utils.py",
    True,
)
def peer_access() -> object:
    return torch.cuda.can_device_access_peer(0, 1)


@idiom("`props.uuid` is the one of NVML", "vllm-project/vllm/vllm/platforms/cuda.py", (True, DEVICES))
def uuid() -> object:
    found = [str(torch.cuda.get_device_properties(i).uuid) for i in range(DEVICES)]
    return all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one) for one in found), len(
        set(found)
    )


@idiom("`props.major >= 8` chooses TF32", "Comfy-Org/ComfyUI/comfy/model_management.py", True)
def newer_than_volta() -> object:
    return any(
        torch.cuda.get_device_properties(f"cuda:{i}").major >= 8 for i in range(torch.cuda.device_count())
    )


@idiom("`torch.cuda.get_sync_debug_mode()`", "pytorch/pytorch/torch/cuda/__init__.py", (0, 1, 0))
def sync_debug_mode() -> object:
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("warn")
    inside = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode(0)
    return before, inside, torch.cuda.get_sync_debug_mode()


@idiom("`torch.cuda.utilization()`, `temperature()`, `power_draw()`, `clock_rate()`",
       "pytorch/pytorch/torch/cuda/__init__.py", [True] * 4)  # fmt: skip
def sensors() -> object:
    asked = (torch.cuda.utilization, torch.cuda.temperature, torch.cuda.power_draw, torch.cuda.clock_rate)
    return [isinstance(ask(), int) and ask(0) >= 0 for ask in asked]


@idiom("`torch.backends.cuda.is_built()` and `torch.cuda._is_compiled()`",
       "pytorch/pytorch/torch/backends/cuda/__init__.py", (True, True))  # fmt: skip
def built() -> object:
    return torch.backends.cuda.is_built(), torch.cuda._is_compiled()
