"""Streams, and the order of work between them."""

from __future__ import annotations

import torch

from idioms import idiom


@idiom(
    "work on a side stream, awaited by `wait_stream`", "pytorch/pytorch/docs/source/notes/cuda.rst", 2048.0
)
def side_stream() -> object:
    x = torch.ones(32, 32, device="cuda")
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        y = x @ x
    torch.cuda.current_stream().wait_stream(stream)
    y.record_stream(torch.cuda.current_stream())
    return (y * 2)[0].sum().item()


@idiom("`torch.cuda.current_stream().cuda_stream`", "microsoft/mscclpp#297", (0, True, True))
def stream_handle() -> object:
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        inside = torch.cuda.current_stream().cuda_stream
    return (
        torch.cuda.current_stream().cuda_stream,
        isinstance(inside, int) and inside > 0,
        inside == stream.cuda_stream,
    )


@idiom(
    "`torch.cuda.current_stream() == torch.cuda.default_stream()`",
    "intel/torch-xpu-ops#2793",
    (True, False, True),
)
def default_stream() -> object:
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        inside = torch.cuda.current_stream() == torch.cuda.default_stream()
        same = torch.cuda.current_stream() == stream
    return torch.cuda.current_stream() == torch.cuda.default_stream(), inside, same


@idiom("`with torch.cuda.stream(None)`", "pytorch/pytorch/torch/cuda/__init__.py", True)
def no_stream() -> object:
    with torch.cuda.stream(None):
        return torch.cuda.current_stream() == torch.cuda.default_stream()


@idiom("`repr` and `hash` of a stream", "pytorch/pytorch/torch/cuda/streams.py",
       ("<torch.cuda.Stream device=cuda:0 cuda_stream=0x0>", True))  # fmt: skip
def stream_shown() -> object:
    stream = torch.cuda.Stream()
    return repr(torch.cuda.default_stream()), {stream: 1}[stream] == 1


@idiom(
    "`stream.device`, `torch.cuda.Stream(device=1)`",
    "DeepLink-org/ditorch#39",
    ["cuda:0", "cuda:1", "cuda:1"],
)
def stream_device() -> object:
    streams = (torch.cuda.Stream(), torch.cuda.Stream(device=1), torch.cuda.current_stream("cuda:1"))
    return [str(stream.device) for stream in streams]


@idiom("`torch.cuda.Stream(priority=-1)`", "pytorch/pytorch/torch/cuda/streams.py", (True, [True, True]))
def stream_priority() -> object:
    stream = torch.cuda.Stream(priority=-1)
    least, greatest = torch.cuda.Stream.priority_range()
    return stream.priority <= 0, [least == 0, greatest < 0]


@idiom("`stream.query()` and `stream.synchronize()`", "pytorch/pytorch/torch/cuda/streams.py", (True, None))
def stream_query() -> object:
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        torch.ones(8, device="cuda").add_(1)
    done = stream.synchronize()
    return stream.query(), done


@idiom("`torch.cuda.ExternalStream(handle)`", "pfnet/pytorch-pfn-extras#744", (True, 3.0))
def external_stream() -> object:
    stream = torch.cuda.Stream()
    outside = torch.cuda.ExternalStream(stream.cuda_stream)
    with torch.cuda.stream(outside):
        x = torch.ones(1, device="cuda") + 2
    outside.synchronize()
    return outside.cuda_stream == stream.cuda_stream, x.item()


@idiom(
    "`torch.cuda.synchronize(device)` in all its forms", "ultralytics/yolov5/utils/torch_utils.py", [None] * 5
)
def synchronize() -> object:
    return [
        torch.cuda.synchronize(which)
        for which in (None, 0, "cuda:1", torch.device("cuda"), torch.device("cuda:1"))
    ]


@idiom("`torch.cuda.set_stream(stream)`", "vllm-project/vllm/vllm/utils/torch_utils.py", (True, True))
def set_stream() -> object:
    stream, before = torch.cuda.Stream(), torch.cuda.current_stream()
    torch.cuda.set_stream(stream)
    inside = torch.cuda.current_stream() == stream
    torch.cuda.set_stream(before)
    return inside, torch.cuda.current_stream() == before


@idiom(
    "`isinstance(stream, torch.cuda.Stream)` and `torch.Stream`", "pytorch/pytorch#194727", (True, True, True)
)
def stream_class() -> object:
    stream = torch.cuda.current_stream()
    return (
        isinstance(stream, torch.cuda.Stream),
        isinstance(stream, torch.Stream),
        type(stream).__module__ == "torch.cuda.streams",
    )


@idiom("`torch.Stream(device='cuda')`", "pytorch/pytorch/torch/_streambase.py", ("cuda", 2.0))
def generic_stream() -> object:
    stream = torch.Stream(device="cuda")
    with stream:
        x = torch.ones(1, device="cuda") * 2
    stream.synchronize()
    return stream.device.type, x.item()


@idiom("a prefetcher copies on a side stream", "NVIDIA/apex/examples/imagenet/main_amp.py", [1.0, 2.0, 3.0])
def prefetcher() -> object:
    batches = iter([torch.full((4,), float(i)).pin_memory() for i in (1, 2, 3)])
    stream, seen = torch.cuda.Stream(), []

    def preload() -> torch.Tensor | None:
        batch = next(batches, None)
        if batch is not None:
            with torch.cuda.stream(stream):
                batch = batch.cuda(non_blocking=True).float()
        return batch

    ahead = preload()
    while ahead is not None:
        torch.cuda.current_stream().wait_stream(stream)
        now = ahead
        now.record_stream(torch.cuda.current_stream())
        ahead = preload()
        seen.append(now.mean().item())
    return seen


@idiom("`torch._C._cuda_getCurrentRawStream(0)`", "unslothai/unsloth/unsloth/kernels/utils.py", (0, True))
def raw_stream() -> object:
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        inside = torch._C._cuda_getCurrentRawStream(0)
    return torch._C._cuda_getCurrentRawStream(0), inside == stream.cuda_stream


@idiom("`torch.cuda._sleep(cycles)`", "pytorch/pytorch/test/test_cuda.py", None)
def sleep() -> object:
    return torch.cuda._sleep(1000)


@idiom("`torch.cuda.current_blas_handle()`", "pytorch/pytorch/torch/cuda/__init__.py", True)
def blas_handle() -> object:
    return isinstance(torch.cuda.current_blas_handle(), int)
