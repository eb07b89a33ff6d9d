"""What makers of twins share: names of twins, edits of lines and words, versions that go together."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath

from jumar.port import rewriting
from jumar.port.document import Document
from jumar.port.finding import Edit
from jumar.port.target import versions

MARK = re.compile(r"(^|[._\-/])(npu|ascend|cann)([._\-/]|$)", re.IGNORECASE)
VENDOR = re.compile(r"(?<![a-z])(cuda\d*|gpus?|nvidia)(?![a-z])", re.IGNORECASE)
CHIP = "910b"
RESOURCE = "huawei.com/Ascend910"
SELECTOR = ("accelerator", "huawei-Ascend910")
NEWEST = versions.pairs()[0]
DEVICES = ("/dev/davinci_manager", "/dev/devmm_svm", "/dev/hisi_hdc")
DRIVER_MOUNTS = (
    "/usr/local/dcmi",
    "/usr/local/bin/npu-smi",
    "/usr/local/Ascend/driver/lib64",
    "/usr/local/Ascend/driver/version.info",
    "/etc/ascend_install.info",
)


def is_twin(path: str) -> bool:
    """Whether the file is one already, by its name."""
    return bool(MARK.search(PurePosixPath(path).name))


def beside(path: str) -> str:
    """`a/train.yaml` → `a/train.npu.yaml`, `Dockerfile` → `Dockerfile.npu`, `x-gpu.yaml` → `x-npu.yaml`."""
    place = PurePosixPath(path)
    if VENDOR.search(place.name):
        return str(place.with_name(VENDOR.sub("npu", place.name, count=1)))
    if not place.suffix or place.suffix[1:].lower() not in KNOWN_SUFFIXES:
        return f"{path}.npu"
    return str(place.with_name(f"{place.stem}.npu{place.suffix}"))


KNOWN_SUFFIXES = frozenset(
    (
        "yaml",
        "yml",
        "json",
        "sh",
        "slurm",
        "sbatch",
        "dockerfile",
        "txt",
        "in",
        "toml",
        "bash",
        "tpl",
        "rules",
        "sub",
    )
)


def torch_pair(version: str | None) -> versions.Pair:
    """The newest release of the adapter for a version of torch, or the newest of all."""
    wanted = re.match(r"\d+\.\d+(?:\.\d+)?", version or "")
    if wanted:
        for pair in versions.pairs():
            if pair.torch == wanted[0] or pair.torch.startswith(wanted[0] + "."):
                return pair
    return NEWEST


def cann_image(pair: versions.Pair, python: str = "3.11") -> str:
    return f"quay.io/ascend/cann:{pair.cann}-{CHIP}-ubuntu22.04-py{python}"


@dataclass(frozen=True)
class Twin:
    """A new file. `path`: relative to the repository, with slashes."""

    path: str
    text: str
    why: str


class Draft:
    """Edits of one document, gathered in order. One that touches an earlier one is left out, the earlier one stands."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.edits: list[Edit] = []
        self.notes: list[str] = []

    def replace(self, start: int, end: int, text: str) -> bool:
        """Whether it was taken."""
        at = bisect_left(self.edits, Edit(start, start, ""))
        if at and self.edits[at - 1].end > start:
            return False
        for edit in islice(self.edits, at, None):
            if edit.start >= end:
                break
            if edit.end > start:
                return False
        if self.document.text[start:end] != text:
            insort(self.edits, Edit(start, end, text))
        return True

    def insert(self, place: int, text: str) -> None:
        at = bisect_left(self.edits, Edit(place, place, ""))
        if not (at and self.edits[at - 1].end > place):
            insort(self.edits, Edit(place, place, text))

    def take_back(self, start: int, end: int) -> None:
        """Forgets what was to change between two places."""
        first = bisect_left(self.edits, Edit(start, start, ""))
        del self.edits[first : bisect_left(self.edits, Edit(end, end, ""))]

    def drop_lines(self, start: int, end: int) -> bool:
        """Takes out the whole lines that these characters stand on."""
        first = self.document.starts[self.document.position(start)[0] - 1]
        line = self.document.position(max(start, end - 1))[0]
        last = self.document.starts[line] if line < len(self.document.starts) else len(self.document.text)
        return self.replace(first, last, "")

    def indent(self, place: int) -> str:
        """The blanks that the line begins with."""
        line = self.document.lines[self.document.position(place)[0] - 1]
        return line[: len(line) - len(line.lstrip())]

    def line_start(self, place: int) -> int:
        return self.document.starts[self.document.position(place)[0] - 1]

    def text(self, head: str = "") -> str:
        """The document with all edits."""
        return head + rewriting.apply(self.document.text, self.edits)


def replace_words(
    draft: Draft, pattern: re.Pattern[str], word: Callable[[re.Match[str]], str | None]
) -> None:
    """Replaces each match by what `word` says, where it says something."""
    for match in pattern.finditer(draft.document.text):
        new = word(match)
        if new is not None:
            draft.replace(*match.span(), new)


def comment(lines: Iterable[str], newline: str) -> str:
    return "".join(f"# {line}{newline}" for line in lines)
