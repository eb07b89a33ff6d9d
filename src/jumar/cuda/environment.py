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
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

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
BETWEEN_SETTINGS = re.compile(r",(?![^\[]*\])")
# What the adapter's allocator takes too; under another name where one is given.
ALLOCATOR_KEYS = {
    "max_split_size_mb": "", "garbage_collection_threshold": "", "expandable_segments": "",
    "roundup_power2_divisions": "", "pinned_use_background_threads": "", "large_segment_size_mb": "",
    "max_non_split_rounding_mb": "", "pinned_max_round_threshold_mb": "", "pinned_max_cached_size_mb": "",
    "per_process_memory_fraction": "", "release_lock_on_cudamalloc": "release_lock_on_npumalloc",
    "throw_on_cudamalloc_oom": "throw_on_npumalloc_oom",
}  # fmt: skip

ORDINAL = re.compile(r"\s*[+-]?\d+")
MOST_CHIPS = 64


def translate(environment: Environment, ascending: bool = False) -> None:
    """Sets the adapter's variables from CUDA's. To be called before torch_npu is imported, and before its first use.

    With `ascending` the chips keep their own order, which is all that a real Ascend run time accepts.
    """
    if VISIBLE in environment:
        chips = visible(environment[VISIBLE])
        ordered = sorted(chips) if ascending else chips
        changed = _set(environment, CHIPS_VISIBLE, ",".join(str(chip) for chip in ordered))
        if changed and ordered != chips:
            account.note("ignored", f"order of {VISIBLE}={environment[VISIBLE]}")
    for name, chips_name in SAME.items():
        if name in environment:
            _set(environment, chips_name, environment[name])


@contextmanager
def allocator(environment: Environment) -> Iterator[None]:
    """While the adapter begins, it sees the settings of the allocator in its own variable, and those alone."""
    hidden = {name: environment.pop(name) for name in ALLOCATOR if name in environment}
    before = environment.get(CHIP_ALLOCATOR)
    settings = list(_known(hidden.get(ALLOCATOR[0]) or hidden.get(ALLOCATOR[1], "")))
    if settings and before is None:
        environment[CHIP_ALLOCATOR] = ",".join(settings)
    try:
        yield
    finally:
        environment.update(hidden)
        if before is None:
            environment.pop(CHIP_ALLOCATOR, None)


def _known(text: str) -> Iterator[str]:
    """The settings that the adapter has too, by its names."""
    for part in filter(None, (one.strip() for one in BETWEEN_SETTINGS.split(text))):
        key, _, value = part.partition(":")
        if key in ALLOCATOR_KEYS:
            yield f"{ALLOCATOR_KEYS[key] or key}:{value}"
        else:
            account.note("ignored", f"{ALLOCATOR[0]}: {part}")


def _set(environment: Environment, name: str, value: str) -> bool:
    if environment.get(name) == value:
        return False
    environment[name] = value
    return True


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
        known = [index for index in range(MOST_CHIPS) if personas.identity(index).startswith(entry)]
        return known[0] if len(known) == 1 else -1
    number = ORDINAL.match(entry)
    return int(number[0]) if number else -1
