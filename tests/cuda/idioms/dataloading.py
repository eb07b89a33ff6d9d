"""Batches on their way to the GPU."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split

from idioms import idiom
from idioms.processes import CHILDREN


class Squares(Dataset):
    """Eight numbers and their squares; on the GPU if `device` says so."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return torch.tensor(float(index), device=self.device), index * index


@idiom("`DataLoader(…, pin_memory=True)`", "constantinpape/torch-em#357", (True, True, "cuda:0", 28.0))
def pinned_batches() -> object:
    total, pinned = 0.0, []
    for x, y in DataLoader(Squares(), batch_size=4, pin_memory=True):
        pinned.append(x.is_pinned() and y.is_pinned())
        x = x.cuda(non_blocking=True)
        total += x.sum().item()
    return len(pinned) == 2, all(pinned), str(x.device), total


@idiom(
    "`DataLoader(…, pin_memory=True, pin_memory_device='cuda')`",
    "pytorch/pytorch/torch/utils/data/dataloader.py",
    True,
)
def pinned_for_a_device() -> object:
    return all(
        x.is_pinned()
        for x, _ in DataLoader(Squares(), batch_size=8, pin_memory=True, pin_memory_device="cuda")
    )


@idiom(
    "a batch class with `pin_memory()`",
    "pytorch/pytorch/torch/utils/data/_utils/pin_memory.py",
    (True, "cuda:0"),
)
def pinned_batch_class() -> object:
    class Batch:
        def __init__(self, items: list[Any]) -> None:
            self.x = torch.stack([x for x, _ in items])

        def pin_memory(self) -> Batch:
            self.x = self.x.pin_memory()
            return self

    batch = next(iter(DataLoader(Squares(), batch_size=8, collate_fn=Batch, pin_memory=True)))
    return batch.x.is_pinned(), str(batch.x.cuda(non_blocking=True).device)


@idiom("a dataset that lies on the GPU", "KaiyangZhou/deep-person-reid#267", ("cuda:0", 28.0))
def dataset_on_the_gpu() -> object:
    x, _ = next(iter(DataLoader(Squares("cuda"), batch_size=8)))
    return str(x.device), x.sum().item()


@idiom(
    "`DataLoader(TensorDataset(x.cuda()), shuffle=True)`",
    "pytorch/vision#3393",
    ("cuda:0", [0.0, 1.0, 2.0, 3.0]),
)
def shuffled_on_the_gpu() -> object:
    batches = [x for (x,) in DataLoader(TensorDataset(torch.arange(4.0).cuda()), batch_size=2, shuffle=True)]
    return str(batches[0].device), sorted(torch.cat(batches).tolist())


@idiom("default device cuda with `generator=torch.Generator('cuda')`", "amdegroot/ssd.pytorch#578", 28.0)
def shuffled_by_the_gpu() -> object:
    torch.set_default_device("cuda")
    try:
        loader = DataLoader(Squares(), batch_size=4, shuffle=True, generator=torch.Generator(device="cuda"))
        return sum(x.sum().item() for x, _ in loader)
    finally:
        torch.set_default_device(None)


@idiom(
    "default device cuda and a loader that shuffles on the CPU",
    "dbolya/yolact#664",
    "Expected a 'cuda' device type for generator but found 'cpu'",
)
def shuffled_by_the_wrong_one() -> object:
    torch.set_default_device("cuda")
    try:
        next(iter(DataLoader(Squares(), batch_size=4, shuffle=True)))
    except RuntimeError as error:
        return str(error)
    finally:
        torch.set_default_device(None)
    return "nothing was raised"


@idiom(
    "`random_split(…, generator=torch.Generator().manual_seed(42))`",
    "pytorch/pytorch/torch/utils/data/dataset.py",
    [6, 2],
)
def split() -> object:
    return [
        len(part) for part in random_split(Squares(), [6, 2], generator=torch.Generator().manual_seed(42))
    ]


@idiom(
    "a nested batch moved by recursion",
    "facebookresearch/fairseq/fairseq/utils.py",
    ["cuda:0", "cuda:0", "kept"],
)
def nested_batch() -> object:
    def move(x: Any) -> Any:
        if torch.is_tensor(x):
            return x.to(device="cuda", non_blocking=True)
        if isinstance(x, dict):
            return {key: move(value) for key, value in x.items()}
        return [move(one) for one in x] if isinstance(x, list) else x

    found = move({"ids": torch.ones(2), "more": [torch.zeros(1)], "name": "kept"})
    return [str(found["ids"].device), str(found["more"][0].device), found["name"]]


@idiom("workers that fork after CUDA was used", "pytorch/examples/imagenet/main.py", (28.0, True), CHILDREN)
def forked_workers() -> object:
    torch.ones(1, device="cuda")
    total, pinned = 0.0, True
    for x, _ in DataLoader(Squares(), batch_size=4, num_workers=2, pin_memory=True):
        pinned = pinned and x.is_pinned()
        total += x.cuda(non_blocking=True).sum().item()
    return total, pinned


@idiom("CUDA in a forked worker", "open-mmlab/mmcv#1971", True, CHILDREN)
def forked_worker_uses_cuda() -> object:
    torch.ones(1, device="cuda")
    try:
        next(iter(DataLoader(Squares("cuda"), batch_size=4, num_workers=1)))
    except RuntimeError as error:
        return (
            "Cannot re-initialize CUDA in forked subprocess. To use CUDA with multiprocessing, you must use the "
            "'spawn' start method"
        ) in str(error)
    return "nothing was raised"


@idiom("`DataLoader(…, multiprocessing_context='spawn')`", "flairNLP/flair#1316", ("cuda:0", 28.0), CHILDREN)
def spawned_workers() -> object:
    x, _ = next(
        iter(
            DataLoader(
                Squares(), batch_size=8, num_workers=1, multiprocessing_context="spawn", pin_memory=True
            )
        )
    )
    return str(x.cuda().device), x.sum().item()
