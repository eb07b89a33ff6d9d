"""Calls of cuBLAS, cuSPARSE, cuSOLVER, cuFFT, cuRAND, NPP and TensorRT."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K006",
    name="math-library",
    kinds=native_names.KINDS,
    triggers=(
        "cublas",
        "cusparse",
        "cusolver",
        "cufft",
        "curand",
        "cutensor",
        "npp",
        "nvjpeg",
        "cuvid",
        "nvinfer",
    ),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="NVIDIA's libraries run on its GPUs only",
    replacement="aclnn operators: aclnnop/*.h",
    examples=(
        Example("void f() { cublasSgemm(h, a, b, m, n, k, &al, A, m, B, k, &be, C, m); }\n"),
        Example("__device__ float g(curandState *s) { return curand_uniform(s); }\n"),
    ),
    keep=(
        "// cublasSgemm\nvoid mycublasSgemm();\n",
        "#define cublasSetMathMode(handle, mode) HIPBLAS_STATUS_SUCCESS\n",
    ),
)

PATTERN = re.compile(
    r"(?<![\w.])(?<!->)(?:(?:cublas(?:Lt|Xt)?|cusparse|cusolver(?:Dn|Sp|Mg)?|cufft(?:Xt)?|"
    r"curand|cutensor|nvjpeg|cuvid)(?=[A-Z_])|npp[is]?(?=[A-Z])|"
    r"nvinfer1::)\w+(?=\s*\()"
)


def check(document: Document) -> Iterator[Finding]:
    yield from native_names.of_table(document, RULE, PATTERN, "native/mathematics")
