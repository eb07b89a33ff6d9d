"""Libraries that know both CUDA and torch_npu: they are told that there is CUDA and no NPU.

Which package sees which face is a row of faces.tsv; what must be changed inside one is a row of libraries.tsv.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from jumar import cudamap
from jumar.cuda.registry import adapts, changes
from jumar.patches import Patch, apply

DEEPSPEED = "DS_ACCELERATOR"


@changes(
    "accelerate.utils.imports.is_npu_available",
    "diffusers.utils.import_utils.is_torch_npu_available",
    "mmengine.device.utils.is_npu_available",
    "transformers.utils.import_utils.is_torch_npu_available",
)
def _no_npu(original: Any) -> Any:
    # Neither counted nor cached: torch.compile traces through these questions.
    def is_npu_available(check_device: bool = False) -> bool:
        return False

    return wraps(original)(is_npu_available)


adapts(
    "diffusers.models.attention_dispatch._CAN_USE_NPU_ATTN",
    "diffusers.utils.import_utils._torch_npu_available",
    "transformers.integrations.sdpa_attention._is_torch_npu_available",
    adds=True,
)(False)


@changes("mmengine.device.utils.DEVICE")
def _chosen_device(original: str) -> str:
    return "cuda" if original == "npu" else original


@changes("deepspeed.accelerator.real_accelerator.get_accelerator")
def _deepspeed_accelerator(original: Callable[[], Any]) -> Callable[[], Any]:
    @wraps(original)
    def get_accelerator() -> Any:
        if DEEPSPEED in os.environ:
            return original()
        os.environ[DEEPSPEED] = "cuda"
        try:
            return original()
        finally:
            del os.environ[DEEPSPEED]

    return get_accelerator


def enter(options: Any) -> Callable[[], None]:
    """Packages of the CUDA face ask `torch.npu.is_available()`, the usual question, in vain."""
    told_no = frozenset(row.cuda for row in cudamap.names("faces") if row.ascend == "cuda")

    def make(original: Callable[[], bool]) -> Callable[[], bool]:
        @wraps(original)
        def is_available() -> bool:
            asking = sys._getframe(1).f_globals.get("__name__", "").partition(".")[0]
            return asking not in told_no and original()

        return is_available

    why = "libraries with an Ascend path of their own take the CUDA path"
    return apply([Patch("torch.npu:is_available", make, why)]).undo
