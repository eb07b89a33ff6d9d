"""How well-known libraries find out what to run on: their questions, in our words."""

from __future__ import annotations

import os
import platform

import torch

from idioms import DEVICES, idiom


@idiom("CUDA before MPS, XPU and CPU", "huggingface/diffusers/src/diffusers/utils/torch_utils.py", "cuda")
def first_of_many() -> object:
    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "xpu" if torch.xpu.is_available() else "cpu"


@idiom(
    "`torch.backends.mps`, `torch.xpu`, `torch.mtia` say no",
    "Comfy-Org/ComfyUI/comfy/model_management.py",
    [False, False, False],
)
def others_say_no() -> object:
    return [torch.backends.mps.is_available(), torch.xpu.is_available(), torch.mtia.is_available()]


@idiom(
    "bfloat16 if the GPU can, as Trainer asks",
    "huggingface/transformers/src/transformers/utils/import_utils.py",
    ("bf16", True),
)
def half_type() -> object:
    with torch.cuda.device(0):
        bf16 = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    tf32 = torch.cuda.get_device_properties(torch.cuda.current_device()).major >= 8
    return "bf16" if bf16 else "fp16", tf32 and int(torch.version.cuda.split(".")[0]) >= 11


@idiom(
    "is it NVIDIA? `torch.version.cuda and 'NVIDIA' in name`",
    "Comfy-Org/ComfyUI/comfy/model_management.py",
    (True, "cuda:0 NVIDIA"),
)
def vendor() -> object:
    nvidia = bool(torch.version.cuda) and not torch.version.hip
    device = torch.device(torch.cuda.current_device())
    return nvidia, f"{device} {torch.cuda.get_device_name(device)}"[:13]


@idiom("VRAM in MB decides the mode", "Comfy-Org/ComfyUI/comfy/model_management.py", (True, True))
def memory_mode() -> object:
    device = torch.device("cuda", torch.cuda.current_device())
    stats = torch.cuda.memory_stats(device)
    free, total = torch.cuda.mem_get_info(device)
    inside = stats["reserved_bytes.all.current"] - stats["active_bytes.all.current"]
    return total / 2**20 > 16_000, free + inside > 2**30


@idiom(
    "a GPU of 7.5 needs `cudnn.benchmark`", "AUTOMATIC1111/stable-diffusion-webui/modules/devices.py", False
)
def old_gpu() -> object:
    return any(torch.cuda.get_device_capability(i) == (7, 5) for i in range(torch.cuda.device_count()))


@idiom(
    "`select_device('0')` and its line of text", "ultralytics/yolov5/utils/torch_utils.py", ("cuda:0", True)
)
def select_device() -> object:
    text = ""
    for i in ["0"]:
        found = torch.cuda.get_device_properties(int(i))
        text += f"CUDA:{i} ({found.name}, {found.total_memory / (1 << 20):.0f}MiB)\n"
    return str(torch.device("cuda:0")), text.startswith("CUDA:0 (NVIDIA A100")


@idiom(
    "number of GPUs as Lightning parses it",
    "Lightning-AI/pytorch-lightning/src/lightning/fabric/utilities/device_parser.py",
    ([0, 1], [1]),
)
def parse_gpus() -> object:
    every = list(range(torch.cuda.device_count()))
    chosen = [int(part) for part in ["1", ""] if part.strip()]
    if not set(chosen) <= set(every):
        raise ValueError(f"you asked for {chosen}, there is {every}")
    return every, chosen


@idiom(
    "fp16 and the fused kernels of Megatron need capability 8",
    "NVIDIA/Megatron-LM/megatron/core/utils.py",
    (True, True),
)
def fused_kernels() -> object:
    major, _ = torch.cuda.get_device_capability()
    properties = torch.cuda.get_device_properties("cuda")
    return major >= 8, properties.major * 10 + properties.minor >= 80


@idiom("whisper: `fp16` unless on the CPU", "openai/whisper/whisper/transcribe.py", (torch.float16, False))
def half_unless_cpu() -> object:
    model = torch.nn.Linear(2, 2).cuda()
    device = next(model.parameters()).device
    dtype = torch.float32 if device == torch.device("cpu") else torch.float16
    return dtype, device == torch.device("cpu") and torch.cuda.is_available()


@idiom(
    "fairseq's record of the CUDA environment", "facebookresearch/fairseq/fairseq/utils.py", [True] * DEVICES
)
def environment_record() -> object:
    devices = [
        torch.cuda.get_device_properties(torch.device(f"cuda:{i}")) for i in range(torch.cuda.device_count())
    ]
    return [(one.major, one.minor) == (8, 0) and one.total_memory / 1024**3 > 16 for one in devices]


@idiom(
    "an accelerator object named cuda",
    "deepspeedai/DeepSpeed/accelerator/real_accelerator.py",
    ("cuda", True, True),
)
def accelerator_object() -> object:
    name = "cuda" if torch.cuda.is_available() and torch.cuda.device_count() > 0 else "cpu"
    module = getattr(torch, name)
    methods = (
        "synchronize",
        "Stream",
        "Event",
        "manual_seed",
        "memory_stats",
        "empty_cache",
        "nvtx",
        "amp",
        "random",
    )
    return (
        name,
        all(hasattr(module, method) for method in methods),
        module.FloatTensor is torch.cuda.FloatTensor,
    )


@idiom(
    "`accelerate`'s choice of the collective backend",
    "huggingface/accelerate/src/accelerate/state.py",
    ("nccl", "nccl"),
)
def collective_backend() -> object:
    import torch.distributed as dist

    backend = "nccl" if torch.cuda.is_available() and dist.is_nccl_available() else "gloo"
    return backend, dist.get_default_backend_for_device("cuda")


@idiom(
    "text of `torch.__config__` and `torch.utils.collect_env`",
    "facebookresearch/detectron2/detectron2/utils/collect_env.py",
    (True, True),
)
def collected() -> object:
    from torch.utils import collect_env

    return (
        "PyTorch built with" in torch.__config__.show(),
        collect_env.torch.version.cuda == torch.version.cuda,
    )


@idiom(
    "`torch.cuda._lazy_init()`, `_is_in_bad_fork()`",
    "Lightning-AI/pytorch-lightning/src/lightning/fabric/strategies/launchers/multiprocessing.py",
    (None, False),
)
def lazy_init() -> object:
    return torch.cuda._lazy_init(), torch.cuda._is_in_bad_fork()


@idiom(
    "`torch.cuda.current_device()` as `device_map={'': 0}`",
    "huggingface/transformers#38468",
    ("cuda:0", "cuda:0"),
)
def device_map() -> object:
    device = {"": torch.cuda.current_device()}[""]
    model = torch.nn.Linear(2, 2)
    moved = {name: x.to(device) for name, x in model.state_dict().items()}
    return str(moved["weight"].device), str(torch.empty(0, device=f"cuda:{device}").device)


@idiom(
    "a line for a bug report: platform, CUDA, GPU",
    "open-mmlab/mmengine/mmengine/utils/dl_utils/collect_env.py",
    (True, True),
)
def report_line() -> object:
    names = {torch.cuda.get_device_name(i): i for i in range(torch.cuda.device_count())}
    line = f"{platform.system()} CUDA {torch.version.cuda}, GPU {', '.join(names)}, {os.cpu_count()} CPUs"
    return "CUDA 12" in line, "NVIDIA A100" in line
