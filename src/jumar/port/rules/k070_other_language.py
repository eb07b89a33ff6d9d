"""Sources in languages that are not read (Rust, Go, Java, JavaScript, Nix and so on) that name CUDA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.comments import is_licence
from jumar.port.reading.own_paths import is_own
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K070",
    name="other-language",
    kinds=("text", "cython"),
    triggers=("cuda", "nccl", "nvidia"),
    layer="software",
    severity="degrades",
    safety="report",
    runs_unchanged=False,
    why="the source names CUDA, in a language that no rule reads",
    replacement="a look: bindings to CUDA need their counterpart in ACL, names need nothing",
    examples=(
        Example('let devices = env::var("CUDA_VISIBLE_DEVICES");\n', path="main.rs"),
        Example("use cudarc::driver::CudaSlice;\n", path="main.rs"),
        Example("let device = Device::new_cuda(0)?;\n", path="main.rs"),
        Example("cdef int cudaSetDevice(int)\n", path="a.pyx"),
        Example('prefix = flag.String("icd", "/home/kubernetes/bin/nvidia/icd", "")\n', path="main.go"),
        Example('metrics := []string{\n\t"nvidia_gpu_memory_used_bytes",\n}\n', path="metric.go"),
        Example("config *nvidia.DeviceConfig\n", path="server.go"),
        Example('memory := node.Labels["nvidia.com/gpu.memory"]\n', path="test/e2e/node.go"),
    ),
    keep=(
        Example("cuda\n", path="words.txt"),
        Example("/*\n Made at NVIDIA for CUDA\n*/\npackage a\n", path="a.go"),
        Example("fn main() {}\n// of CUDA\n", path="main.rs"),
        Example('funcCloser := marker("barracuda")\n', path="main.go"),
        Example("package com.nvidia.spark\n\nimport com.nvidia.spark.rapids.Plan\n", path="A.scala"),
        Example("mod cuda;\nuse crate::cuda::Device;\n", path="main.rs"),
        Example('import { help } from "./nvidia/help";\n', path="a.ts"),
    ),
)
SUFFIXES = """
    .rs .go .java .js .jsx .ts .tsx .jl .nix .swift .scala .cs .kt .rb .lua .r .f90 .f .m .mm .proto .pyx .pxd .hip .cl
    .ps1 .bat .cmd .tmpl .j2 .jinja .jinja2 .in .gradle .vue .zig .dart .php .pl .sql
"""
TEMPLATES = (".j2", ".jinja", ".jinja2", ".in", ".tmpl")
PAGES = (".js", ".jsx", ".ts", ".tsx", ".vue")
"""What a page shows binds to nothing; a server in these languages asks by one of these."""
ASKED = re.compile(
    r"nvidia-smi|(?<![$\w])(?:CUDA|NCCL|NVIDIA)_[A-Z]|nvidia\.com/|nvcr\.io|--gpus|[\"'`]cuda(?::\d)?[\"'`]|libcuda|runtime.{0,9}nvidia"
)
USED = re.compile(
    r"(?<![\w$\-])nvidia-smi(?![\w:])|[\"'`:](?:CUDA|NCCL|NVIDIA)_[A-Z]\w*[\"'`=]|-D\w*CUDA\w*=|(?:[\w.\-]+\.)?nvidia\.com/"
    r"|nvcr\.io|--gpus|[\"'`]cuda(?::\d)?[\"'`]|runtime.{0,9}nvidia|[\"']local[\"'], *[\"']cuda"
    r"|[\"'`]proc/driver/nvidia|/(?:dev|proc/driver|run|usr/local|usr/bin|etc)/(?:nvidia|cuda)|[\"'`=]/(?:home|opt|var|usr|lib\w*|sys)/(?:[\w.\-]+/)*(?:nvidia|cuda)"
    r"|\blib(?:cuda|nvidia|cudart|cudnn|nccl|cublas)[\w\-]*\.(?:so|a|dylib)\b|\bnvcuda\b|-l(?:cuda|cudart|nccl|cudnn)\b"
    r"|\b(?:cudart|cublas|cudnn|nccl)(?:Lt)?(?:64)?\w*\.(?:dll|lib)\b|\bcudaPackages|\bcudaSupport\b|\bcudatoolkit\b|\bnvcdi\."
    r"|cuda[_\w$(){}.]*(?:win|linux)\w*\.(?:exe|run)"
    r"|\bcuda(?:Set|Get|Malloc|Mem|Free|Stream|Event|Device|Launch|Host|Func|Graph|Ipc|Driver|Runtime)\w*[ \t]*\("
    r"|\b(?:nccl(?:Comm|All|Reduce|Broadcast|Group|Send|Recv|Get)|cudnn(?:Create|Get|Set))\w*[ \t]*\("
    r"|\bcublas(?:Create|[SDGH]gemm)\w*[ \t]*\("
    r"|(?:[!=]==?|\bcase)[ \t]*[\"'](?:CUDA|cuda|NVIDIA|nvidia)[\"']"
    r"|::(?:CU|CUDA|CUDNN|CUBLAS(?:LT)?|CUFFT|CURAND|NCCL|NVML)_[A-Z]\w+|\bCuda(?:Device|Context)::new|\bnew_cuda\b|\bcuda_if_available"
    r"|^\s*(?:pub\s+)?use\s+(?:cudarc|cust|rustacuda|cuda_\w+|nvml_wrapper)\b|github\.com/NVIDIA/go-(?:nvml|dcgm)|gorgonia\.org/cu\b"
    r"|^\s*using\s+ManagedCuda|^\s*(?:import|using)\s+CUDA\b"
)
"""What a program hands to NVIDIA's tools, libraries and devices; all else in a line are names of its own."""
TOLD = re.compile(
    r"\b(?:\w*[lL]og\w*\.\w+|klog\.\w+|(?:fmt\.)?(?:Errorf|Printf|Println|Fprint\w*)|errors\.\w+|console\.\w+|e?println!|panic!?"
    r"|Write-\w*(?:Host|Output|Warning|Error|Verbose|Line|Log|Info)|substep|step|Usage|Description|help|Help|throw)\b[ \t:(]"
)
"""The line speaks to people."""
REMOVES = re.compile(r"\s*(?:rmdir|rd|del|Remove-Item|rm)\b", re.IGNORECASE)
TESTED = re.compile(
    r"_test\.go$|\.(?:test|spec)\.[jt]sx?$|(^|/)(?:__tests__|testdata)/|Test\.(?:java|kt|scala)$|(^|/)tests?/(?!(?:.*/)?e2e/)|Tests?\.ps1$"
)
WORD = re.compile(
    r"(?<![A-Za-z])(?i:cuda|nccl|nvidia|cudnn)\w*|(?<=[A-Za-z0-9_])(?<!(?i:barra))(?i:cuda|nvidia)\w*"
    r"|(?<=[a-z0-9_])(?:Nccl|NCCL)\w*|(?<=lib)nccl\w*"
)
IMPORT = re.compile(r"^\s*(?:\w+\s+)?\"[\w.\-]+\.\w+/[^\"]*\"\s*$|^\s*(?:import|use|package|module)\b")
OWN = re.compile(
    r"\s*(?:(?:pub(?:\([\w ]+\))?\s+)?(?:use\s+(?:crate|super|self)::|mod\s+\w+\s*;)|package\s+[\w.]+\s*;?\s*$"
    r"|namespace\s+[\w.]+\s*[;{]?\s*$|(?:import|export)\b[^\n]*?[\"']\.{1,2}/[^\"'\n]*[\"'];?\s*$)"
)
"""Where the file itself belongs, and what it takes from beside it: paths of one's own, whatever they are called."""
PACKAGED = re.compile(r"^package\s+com\.nvidia\.", re.MULTILINE)
OF_JAVA = re.compile(r"\s*import\s+(?:static\s+)?com\.nvidia\.(?!cuda)")
LONGEST_LINE = 2000
BINDING = re.compile(
    r"\buse\s+(?:cudarc|cust|rustacuda|nvml_wrapper)\b|github\.com/NVIDIA/go-(?:nvml|dcgm)|gorgonia\.org/cu\b|^\s*using\s+ManagedCuda"
    r"|^\s*using\s+CUDA\b"
)
"""Imports of packages that bind to NVIDIA's libraries."""
BLOCK = re.compile(r"^[ \t]*/\*.*?\*/", re.DOTALL | re.MULTILINE)
METRIC = re.compile(
    r"[\"'`{(]nvidia_(?:gpu|smi)_(?:\w+_)?(?:bytes|utili[sz]ation|duty_cycle|temperature\w*|power\w*|ratio|num_devices|memory_\w+|watts|celsius)\b"
)
OF_METRIC = (
    "a metric of an exporter for NVIDIA's GPUs; the NPU Exporter gives other names, so the answer is empty",
    "the metric of the NPU Exporter that tells the same",
)
COMMENT = re.compile(r"^\s*(?://|#|/?\*|--|%)")


def check(document: Document) -> Iterator[Finding]:
    if not document.path.lower().endswith(tuple(SUFFIXES.split())):
        return
    lines: set[int] = set()
    packaged = PACKAGED.search(document.text) is not None
    blocks = [match.span() for match in BLOCK.finditer(document.text)]
    for match in WORD.finditer(document.text):
        line, _ = document.position(match.start())
        if line in lines or is_own(document, match.start()):
            continue
        lines.add(line)
        if any(start <= match.start() < end for start, end in blocks):
            continue
        text = document.lines[line - 1]
        if OWN.match(text) or (OF_JAVA.match(text) and packaged):
            continue
        column = match.start() - document.starts[line - 1]
        if len(text) > LONGEST_LINE or is_licence(text) or COMMENT.match(text) or "//" in text[:column]:
            continue
        said = IMPORT.match(text) or document.path.endswith(TEMPLATES) or TESTED.search(document.path)
        metric = METRIC.search(text) is not None and not TESTED.search(document.path)
        uses = metric or (ASKED if document.path.lower().endswith(PAGES) else USED).search(text)
        told = TOLD.search(text) and document.kind == "text"
        bound = BINDING.search(text) is not None and not TESTED.search(document.path)
        heavy = "cosmetic" if (said and not bound) or told or not uses or REMOVES.match(text) else None
        why, instead = OF_METRIC if metric else (None, None)
        yield RULE.found(document, *match.span(), match[0], severity=heavy, why=why, replacement=instead)
