"""Names of CUDA in C++ sources: every place a pattern stands as code, with the row of the dictionary it has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.cudamap import Name
from jumar.port import dictionary
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.native_source import source
from jumar.port.rule import Rule

KINDS = ("cuda", "cxx")


def of_table(document: Document, rule: Rule, pattern: re.Pattern[str], table: str) -> Iterator[Finding]:
    """A finding for each name that is code; its replacement comes from the table. Group `name` or the whole."""
    called = table in CALLED
    for match in source(document).words(pattern):
        name = match["name"] if "name" in pattern.groupindex else match[0]
        row = _row(table, name)
        if (row is None or "*" in row.cuda) and is_own(document, name, table in CALLED):
            continue
        if row is None and table == "native/types" and LOCAL.fullmatch(name):
            continue
        if called and IN_NAMESPACE.search(document.text[max(0, match.start() - 60) : match.start()]):
            continue  # a function of the project's own, in a namespace
        if DEFINED.search(document.text[max(0, match.start() - 40) : match.start()]):
            continue  # a header gives the name a meaning for another vendor
        start = match.start("name") if "name" in pattern.groupindex else match.start()
        yield rule.found(
            document,
            start,
            start + len(name),
            name,
            replacement=dictionary.says(row, rule.replacement),
        )


DEFINED = re.compile(r"#[ \t]*define[ \t]+$")
IN_NAMESPACE = re.compile(r"(?<!:)\b(?!std|cuda|c10|at|torch|nvcuda|cub|thrust|paddle|tensorflow)[a-z]\w*::$")
DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)(?:\(|[ \t]+\w)", re.MULTILINE)
OWN = re.compile(
    r"\w*(?:Check|CHECK|_check|Safe|SafeCall|Assert|Try|OrDie|ErrorHandler|"
    r"ErrChk)(?:Error|Err|Last|Impl|Kernel)*\w{0,3}"
)
"""Endings that people give to macros around calls; no name of NVIDIA's has them."""
CALLED = frozenset(("native/runtime", "native/driver", "native/nccl"))
OF_VENDOR = re.compile(
    r"cuda(?:Malloc|Free|Mem|Stream|Event|Device|Get|Set|Launch|Func|Graph|Host|Ipc|Array|Create|Destroy|Bind|Unbind|Kernel"
    r"|Occupancy|Peek|Driver|Runtime|Thread|Pointer|Profiler|Import|Export|External|Choose|Ctx|Configure|Setup|Init|Surface"
    r"|Texture|GL|EGL|D3D|VDPAU|User|Wait|Signal|Library|Logs?|Green|Execution|Mipmapped|Extent|Pitched|Pos|Coop|Module|Deviceg)"
    r"|nccl(?:Get|Comm|All|Reduce|Broad|Bcast|Send|Recv|Group|Mem|Red|Gather|Scatter|Window|Dev|Lsa|Gin|Team|Init|Put|Signal"
    r"|Wait|Reset|Config|Bfloat|Float)"
    r"|nvml(?:Device|Init|Shutdown|System|Event|Error|Unit|Vgpu|Gpu|Get|Set|Compute)"
    r"|(?!cuda|nccl|nvml)\w"
)
"""How the functions of the run time, of NCCL and of NVML begin."""


LOCAL = re.compile(
    r"cuda(?:Status|Result|Err|Ret|Code|Unspecified|Ptr|Buf\w*|Ctx|Context|Capable|Enabled|Available|Id|Idx|Index|Count|Ok)\w{0,12}"
)
"""Variables that people name so; NVIDIA's headers have none of them."""


def _defined(document: Document) -> frozenset[str]:
    return frozenset(DEFINE.findall(document.text))


def is_own(document: Document, name: str, is_called: bool = False) -> bool:
    """Whether the name is one of the repository's own, which only begins as NVIDIA's do."""
    other = is_called and not OF_VENDOR.match(name)
    return other or bool(OWN.fullmatch(name)) or name in document.once(_defined)


def _row(table: str, name: str) -> Name | None:
    """Names of the interface carry suffixes: `cuMemAlloc_v2`, `cublasSgemm_v2`, `_ptsz`."""
    return dictionary.find(table, re.sub(r"(_v\d+|_ptsz|_ptds|_64)$", "", name)) or dictionary.find(
        table, name
    )
