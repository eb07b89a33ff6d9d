"""What other tools say about the same files: each gives the lines that it points at."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import words

OURS = "jumar scan"
Lines = set[tuple[str, int]]
"""Path below the folder, and line from 1."""
SEMGREP_RULES = """\
rules:
  - id: torch-cuda
    languages: [python]
    severity: WARNING
    message: uses CUDA
    pattern-either:
      - pattern: torch.cuda.$NAME
      - pattern: torch.cuda.$NAME(...)
      - pattern: $TENSOR.cuda(...)
      - pattern: $CALL(..., "cuda", ...)
      - pattern: $CALL(..., $KEY="cuda", ...)
      - pattern: $CALL(..., $KEY="nccl", ...)
      - pattern: $CALL(..., "nccl", ...)
      - pattern: $VALUE == "cuda"
      - pattern: $NAME = "cuda"
      - pattern: from torch.cuda import $NAME
      - pattern: from torch.cuda.amp import $NAME
      - pattern: import torch.cuda
"""


def jumar(folder: Path) -> Lines:
    """Every finding of `jumar scan`, by the line it stands on."""
    from jumar.port import scanning
    from jumar.port.repository import Repository

    return {(one.path, one.line) for one in scanning.scan(Repository.at(folder), jobs=1).findings}


def grep(folder: Path) -> Lines:
    """`grep -rniE 'cuda|nccl'`."""
    found: Lines = set()
    for place in _files(folder):
        raw = place.read_bytes()
        if b"\0" in raw:
            continue
        for number, line in enumerate(raw.decode("utf-8", "replace").split("\n"), 1):
            if words.CUDA.search(line):
                found.add((place.relative_to(folder).as_posix(), number))
    return found


def _files(folder: Path) -> Iterable[Path]:
    return sorted(one for one in folder.rglob("*") if one.is_file() and not one.is_symlink())


def hipify(folder: Path) -> Lines:
    """PyTorch's own translator to HIP (torch.utils.hipify): lines of C++ and CUDA that it would change."""
    from torch.utils.hipify.hipify_python import PYTORCH_MAP, RE_PYTORCH_PREPROCESSOR

    suffixes = {".cu", ".cuh", ".c", ".cc", ".cpp", ".h", ".hpp", ".in"}
    found: Lines = set()
    for place in _files(folder):
        if place.suffix not in suffixes:
            continue
        for number, line in enumerate(place.read_text(encoding="utf-8", errors="replace").split("\n"), 1):
            if any(match[0] in PYTORCH_MAP for match in RE_PYTORCH_PREPROCESSOR.finditer(line)):
                found.add((place.relative_to(folder).as_posix(), number))
    return found


def semgrep(folder: Path) -> Lines:
    """Semgrep with twelve patterns that a user would write in ten minutes; it has no rules of its own for this."""
    rules = folder.parent / "semgrep-cuda.yaml"
    rules.write_text(SEMGREP_RULES, encoding="utf-8")
    command = ["semgrep", "scan", "--config", str(rules), "--json", "--quiet", "--metrics=off"]
    command += ["--disable-version-check", "--no-git-ignore", "--jobs=2", str(folder)]
    answer = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return {
        (Path(one["path"]).relative_to(folder).as_posix(), one["start"]["line"]) for one in answer["results"]
    }


def present() -> dict[str, Callable[[Path], Lines]]:
    """The tools of this machine, by name."""
    tools: dict[str, Callable[[Path], Lines]] = {OURS: jumar, "grep": grep}
    tools["hipify"] = hipify
    if shutil.which("semgrep"):
        tools["semgrep"] = semgrep
    return tools
