"""Types and constants of CUDA and its libraries."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K019",
    name="type",
    kinds=native_names.KINDS,
    triggers=("cuda", "cu", "nccl", "half", "dim3", "bfloat", "nv_fp8"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the name comes from NVIDIA's headers",
    replacement="the name that ACL, HCCL or Ascend C has for it, if there is one",
    examples=(
        Example("cudaStream_t stream;\n"),
        Example("ncclComm_t comm;\n"),
        Example("__half h;\n"),
        Example("int r = f(x, cudaMemcpyHostToDevice);\n"),
    ),
    keep=(
        "if (cudaStatus) return;\n",
        "// cudaStream_t\nint halfway; float half(float);\n",
    ),
)

PATTERN = re.compile(
    r"(?<![\w.:])(?<!->)(?P<name>cuda(?=[A-Z])\w+\b(?!\s*(?:<(?:[^;()<>]|"
    r"<[^<>]*>)*>)?\s*\()|CU(?:stream|event|context|device|deviceptr|function|module|"
    r"result|tensorMap|"
    r"memGenericAllocationHandle)\b|nccl(?=[A-Z])\w+\b(?!\s*\()|(?:cublas(?:Lt)?|cudnn|"
    r"cusparse|cusolverDn|cufft|curand)\w*_t\b|curandState\w*|cufftHandle|"
    r"(?:CUBLAS(?:LT)?|CUDNN|CURAND|CUFFT|CUSPARSE|CUSOLVER)_[A-Z]\w+|CUDA_(?:SUCCESS|"
    r"ERROR_\w+|[RC]_\d+\w+|ARRAY\w*)|CUDART_\w+|"
    r"__half2?\b|half2\b|(?:__)?nv_bfloat162?\b|__nv_fp8\w*|dim3\b)"
)


def check(document: Document) -> Iterator[Finding]:
    yield from native_names.of_table(document, RULE, PATTERN, "native/types")
