"""The processes that idioms are run in which need one of their own: few, because each costs seconds."""

from __future__ import annotations

import os

from idioms import Process

ONE_VISIBLE = Process("one visible", {"CUDA_VISIBLE_DEVICES": "1"})
NONE_VISIBLE = Process("none visible", {"CUDA_VISIBLE_DEVICES": ""})
TURNED = Process("turned round", {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "1,0"})
CHOSEN_INSIDE = Process("chosen inside")
CHILDREN = Process("children", {
    "PYTORCH_CUDA_ALLOC_CONF": "max_split_size_mb:128,garbage_collection_threshold:0.8", "CUDA_LAUNCH_BLOCKING": "1",
})  # fmt: skip
TWO_RANKS = Process("two ranks", {"NCCL_DEBUG": "WARN", "TORCH_NCCL_ASYNC_ERROR_HANDLING": "1"},
                    ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"))  # fmt: skip


def join() -> int:
    """Makes this process a rank, as training scripts do once at their start. Its rank."""
    import torch
    import torch.distributed as dist

    if not dist.is_initialized():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("nccl")
    return dist.get_rank()
