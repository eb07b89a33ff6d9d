"""What the variables of CUDA mean for the chip, told to the adapter in its own variables. Imports no torch.

| a program or its surroundings set | the adapter reads                                             |
|-----------------------------------|---------------------------------------------------------------|
| CUDA_VISIBLE_DEVICES              | ASCEND_RT_VISIBLE_DEVICES, read when a chip is first asked for |
| CUDA_LAUNCH_BLOCKING              | ASCEND_LAUNCH_BLOCKING                                        |
| PYTORCH_ALLOC_CONF and its kin    | PYTORCH_NPU_ALLOC_CONF, for the keys that it knows            |
| PYTORCH_NO_CUDA_MEMORY_CACHING    | PYTORCH_NO_NPU_MEMORY_CACHING                                 |
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping

from jumar.cuda import account
from jumar.cudamap import personas

Environment = MutableMapping[str, str]

VISIBLE, CHIPS_VISIBLE = "CUDA_VISIBLE_DEVICES", "ASCEND_RT_VISIBLE_DEVICES"
# Those that say the same.
SAME = {
    "CUDA_LAUNCH_BLOCKING": "ASCEND_LAUNCH_BLOCKING",
    "PYTORCH_NO_CUDA_MEMORY_CACHING": "PYTORCH_NO_NPU_MEMORY_CACHING",
}
# The first of these that is set counts, as in PyTorch.
ALLOCATOR = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF")
CHIP_ALLOCATOR = "PYTORCH_NPU_ALLOC_CONF"
ALLOCATOR_KEYS = ("max_split_size_mb", "garbage_collection_threshold", "expandable_segments")

ORDINAL = re.compile(r"\s*[+-]?\d+")
MOST_CHIPS = 64

_noted: set[str] = set()  # settings of the allocator that have been said to have no effect


def translate(environment: Environment, ascending: bool = False) -> None:
    """Sets the adapter's variables from CUDA's. To be called before torch_npu is imported, and before its first use.

    With `ascending` the chips keep their own order, which is all that a real Ascend run time accepts.
    """
    if VISIBLE in environment:
        chips = visible(environment[VISIBLE])
        ordered = sorted(chips) if ascending else chips
        if ordered != chips:
            account.note("ignored", f"order of {VISIBLE}={environment[VISIBLE]}")
        _set(environment, CHIPS_VISIBLE, ",".join(str(chip) for chip in ordered))
    for name, chips_name in SAME.items():
        if name in environment:
            _set(environment, chips_name, environment[name])
    given = next((environment[name] for name in ALLOCATOR if name in environment), None)
    if given is not None:
        _translate_allocator(environment, [part.strip() for part in given.split(",") if part.strip()])


def _translate_allocator(environment: Environment, parts: list[str]) -> None:
    known = [part for part in parts if part.partition(":")[0] in ALLOCATOR_KEYS]
    if known:
        _set(environment, CHIP_ALLOCATOR, ",".join(known))
    for part in set(parts) - {*known, *_noted}:
        _noted.add(part)
        account.note("ignored", f"{ALLOCATOR[0]}: {part}")


def _set(environment: Environment, name: str, value: str) -> None:
    if environment.get(name) != value:
        environment[name] = value


def visible(text: str) -> list[int]:
    """The chips that a value of CUDA_VISIBLE_DEVICES names, read as CUDA does: up to the first bad one, none twice."""
    found: list[int] = []
    for entry in text.split(","):
        chip = _chip(entry)
        if chip in found:
            return []
        if chip < 0:
            break
        found.append(chip)
    return found


def _chip(entry: str) -> int:
    if entry.startswith("GPU-"):
        known = [index for index in range(MOST_CHIPS) if identity(index).startswith(entry)]
        return known[0] if len(known) == 1 else -1
    number = ORDINAL.match(entry)
    return int(number[0]) if number else -1


def identity(chip: int) -> str:
    """The UUID of a chip, as nvidia-smi writes it."""
    return f"GPU-{personas.device_uuid(chip)}"
