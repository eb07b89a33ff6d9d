"""Running out of device memory: how programs notice, and what they do then."""

from __future__ import annotations

import gc

import torch

from idioms import idiom, raised

TOO_MUCH = 2**50  # bytes: more than any chip has


def take(size_bytes: int = TOO_MUCH) -> torch.Tensor:
    return torch.empty(size_bytes, dtype=torch.uint8, device="cuda")


@idiom("out of memory: class and text", "BatsResearch/alfred#13", (True, True, True, True))
def out_of_memory() -> object:
    try:
        take()
    except torch.cuda.OutOfMemoryError as error:
        text = str(error)
        return (isinstance(error, RuntimeError), text.startswith("CUDA out of memory. Tried to allocate "),
                "GPU 0 has a total capacity of" in text, "NPU" not in text)  # fmt: skip
    return "nothing was raised"


@idiom(
    "`torch.cuda.OutOfMemoryError is torch.OutOfMemoryError`",
    "pytorch/pytorch/torch/cuda/__init__.py",
    (True, True),
)
def out_of_memory_class() -> object:
    return torch.cuda.OutOfMemoryError is torch.OutOfMemoryError, issubclass(
        torch.OutOfMemoryError, RuntimeError
    )


@idiom(
    "`'out of memory' in str(e)`, as fairseq does",
    "facebookresearch/fairseq/fairseq/trainer.py",
    (True, True),
)
def out_of_memory_by_text() -> object:
    text = raised(take)
    return "out of memory" in text, "CUDA out of memory." in text


@idiom(
    "the exception has one argument, as accelerate asks",
    "huggingface/accelerate/src/accelerate/utils/memory.py",
    (1, True),
)
def out_of_memory_by_argument() -> object:
    try:
        take()
    except RuntimeError as error:
        return len(error.args), any(text in error.args[0] for text in ("CUDA out of memory.", "CUDNN_STATUS"))
    return "nothing was raised"


@idiom("a batch-size finder halves until it fits", "vllm-project/vllm-omni#1199", 16)
def batch_size_finder() -> object:
    limit = torch.cuda.mem_get_info()[1] // 24
    size = 64
    while size:
        try:
            take(size * limit)
            break
        except RuntimeError as error:
            if "CUDA out of memory" not in str(error):
                raise
            gc.collect()
            torch.cuda.empty_cache()
            size //= 2
    torch.cuda.empty_cache()
    return size


@idiom("work goes on after running out", "axolotl-ai-cloud/axolotl#925", (True, 2.0))
def after_running_out() -> object:
    text = raised(take)
    torch.cuda.empty_cache()
    return "out of memory" in text, (torch.ones(1, device="cuda") * 2).item()


@idiom("`memory_stats()['num_ooms']` counts", "pytorch/pytorch/torch/cuda/memory.py", 1)
def counted_failures() -> object:
    before = torch.cuda.memory_stats()["num_ooms"]
    raised(take)
    return torch.cuda.memory_stats()["num_ooms"] - before


@idiom("`set_per_process_memory_fraction(0.1)`", "pytorch/pytorch/torch/cuda/memory.py", (True, True))
def fraction() -> object:
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.1)
    try:
        text = raised(lambda: take(total // 5))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    fits = take(total // 5).is_cuda
    torch.cuda.empty_cache()
    return "out of memory" in text, fits
