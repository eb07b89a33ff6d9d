"""Calls of NVIDIA's driver and of NVRTC, NVML, CUPTI, NVTX."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K005",
    name="driver-call",
    kinds=native_names.KINDS,
    triggers=("cu", "nv"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the library belongs to NVIDIA's driver or toolkit",
    replacement="ACL, Ascend's run time: acl/acl.h",
    examples=(
        Example("void f() { cuInit(0); nvrtcCompileProgram(p, 0, 0); }\n"),
        Example("int f() { return nvmlInit(); }\n"),
    ),
    keep=(
        "void f() { nvmlTry(g()); nvmlWrapped(x); }\n",
        "int customInit(int); int x = current(3);\n",
    ),
)

PATTERN = re.compile(
    r"(?<![\w.])(?<!->)(?:cu(?:Init|Device|Ctx|Module|Library|Kernel|Mem|Launch|Stream|"
    r"Event|Graph|Tex|Surf|Occupancy|Func|Link|"
    r"Pointer|Tensor|Get|Array|Mipmapped|External|Import|Ipc|Multicast|Profiler|File|"
    r"Driver|Green)|nvrtc(?=[A-Z])|nvml(?=[A-Z])|"
    r"cupti(?=[A-Z])|nvtx(?=[A-Z])|nvshmemx?_|nvJitLink)\w*(?=\s*\()"
)


def check(document: Document) -> Iterator[Finding]:
    yield from native_names.of_table(document, RULE, PATTERN, "native/driver")
