"""Switches of `torch.backends.cuda` and `torch.backends.cudnn`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_names, python_source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C015",
    name="cuda-backends",
    kinds=("python",),
    triggers=("cudnn", "backends", "cusparselt"),
    layer="software",
    severity="silent",
    safety="report",
    runs_unchanged=True,
    why="the switch steers cuBLAS, cuDNN or NVIDIA's attention; on Ascend it has no effect",
    replacement="nothing: where NVIDIA's library is not, the switch may stay or fall away",
    examples=(
        Example("import torch\n\ntorch.backends.cudnn.benchmark = True\n"),
        Example("from torch.backends.cuda import SDPBackend\n\nkind = SDPBackend.MATH\n"),
        Example("from torch.backends import cudnn\n\ncudnn.deterministic = True\n"),
    ),
    keep=("import torch\n\ntorch.backends.mps.is_available()\n",),
)

ASKED = {
    "version": "torch_npu.version.cann: the version of CANN, which holds the operators",
    "is_available": "torch.accelerator.is_available()",
    "is_built": "torch.accelerator.is_available()",
}
"""Questions, which steer nothing."""
SWITCHED = {
    "deterministic": "torch.use_deterministic_algorithms(True), which torch_npu follows",
    "benchmark": "nothing: operators are not chosen by trying; torch.npu.set_compile_mode(jit_compile=…) is the nearest",
    "allow_tf32": "torch.npu.{matmul,conv}.allow_hf32, the chip's format between float16 and float32",
    "fp32_precision": "torch.npu.{matmul,conv}.allow_hf32, the chip's format between float16 and float32",
    "matmul": "torch.npu.matmul.allow_hf32, the chip's format between float16 and float32",
    "allow_fp16_reduced_precision_reduction": "nothing: the chip sums float16 products in float32",
    "allow_bf16_reduced_precision_reduction": "nothing: the chip sums bfloat16 products in float32",
    "preferred_linalg_library": "nothing: it chooses between cuSOLVER and MAGMA",
    "preferred_blas_library": "nothing: it chooses between cuBLAS and cuBLASLt",
    "cufft_plan_cache": "nothing: the plans are cuFFT's",
}
OF_ATTENTION = re.compile(r"sdp|flash|mem_efficient|math|SDPAParams|can_use")
ATTENTION = (
    "nothing: scaled_dot_product_attention runs on the vendor's fused operator, whatever is chosen here"
)
CONSTANT: dict[str, Any] = {
    "severity": "cosmetic",
    "why": "the name of a constant says CUDA; it is the same one under torch.nn.attention",
    "replacement": "torch.nn.attention.SDPBackend",
}


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.under(
        document, "torch.backends.cuda", "torch.backends.cudnn", "torch.backends.cusparselt"
    ):
        says = _instead(use.name)
        if ".SDPBackend" in use.name:
            yield RULE.found(document, *source.place(use.node), use.name, **CONSTANT)
            continue
        yield RULE.found(document, *source.place(use.node), f"{use.name}", replacement=says)


def _instead(name: str) -> str | None:
    """By the last word that is known."""
    words = name.split(".")[3:]
    for word in reversed(words):
        says = ASKED.get(word) or SWITCHED.get(word)
        if says:
            return says
        if OF_ATTENTION.search(word):
            return ATTENTION
    return None
