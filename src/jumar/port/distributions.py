"""Python distributions that tie to NVIDIA, and how heavily."""

from __future__ import annotations

import re

from jumar.cudamap import Name
from jumar.port import dictionary
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.rule import Rule

WHEELS_FOR_CUDA = re.compile(
    r"(?:download\.pytorch\.org|mirror[^\s\"']*pytorch[^\s\"']*)/[\w/]*cu\d{2,3}\b|\+cu\d{2,3}\b"
    r"|pypi\.(?:nvidia|ngc\.nvidia)\.com|pip\.nvidia\.com|/whl/(?:nightly/)?cu\d{2,3}\b|pytorch-cu\d{2,3}\b"
    r"|nvcr\.io/[^\s\"']*wheels|data\.pyg\.org/[^\s\"']*cu\d+|whl/cu\d*\$|"
    r"jax_cuda\w*_releases\.html|/cuda\.html\b"
)
FILES_FOR_CUDA = re.compile(r"(?<![\w.\-+%])[\w.\-+%]*(?<![a-z])cu(?:da)?\d[\w.\-+%]*\.whl\b")
"""Wheels that say so in the name of the file."""


def tie(name: str) -> Name | None:
    """The row of a distribution (its name as PEP 503 writes it), None if it ties to nothing."""
    row = dictionary.find("dependencies/distributions", name)
    if row is None and name.endswith("]"):
        row = dictionary.find("dependencies/distributions", name.partition("[")[0]) or Name(
            name, "", "absent", "the extra brings CUDA's libraries: install without it", "distributions"
        )
    return None if row is None or (row.status == "same" and row.ascend == row.cuda) else row


EVERYWHERE = re.compile(
    r"asks (?:NVIDIA's driver|nvidia-smi):|ranges in the vendor's|a client of|or the host|its Triton kernels"
    r"|its build for the CPU"
)
"""What a note says of packages that install anywhere, and do less without an NVIDIA GPU."""
LESS = "the package installs anywhere, and finds no GPU of NVIDIA's to ask or to compute on"


def severity(row: Name) -> str:
    if row.status == "absent" and EVERYWHERE.search(row.note):
        return "degrades"
    if row.status == "absent":
        return "cosmetic" if row.note.startswith(("part of CUDA", "HCCL comes")) else "blocks"
    return "degrades" if row.ascend == row.cuda else "blocks"


FOR_OTHERS = re.compile(r"(?:^|[-_/.])(?:rocm\d*|hpu|xpu|tpu|neuron|gaudi)(?=[-_/.])", re.IGNORECASE)
"""Of a file: it is for another maker's chips."""


def found(
    rule: Rule, document: Document, name: str, start: int, end: int, layer: str | None = None
) -> Finding | None:
    """A finding for the distribution, if it has a row."""
    row = tie(name)
    if row is None or name.partition("[")[0].replace("-", "_") in document.own:
        return None  # also where a project tells how it is installed itself
    says = dictionary.says(row, rule.replacement)
    why = LESS if row.status == "absent" and EVERYWHERE.search(row.note) else None
    heavy = severity(row)
    if heavy == "blocks" and FOR_OTHERS.search(document.path):
        heavy, why = "cosmetic", "what another maker's chips, or the host alone, are given"
    return rule.found(document, start, end, name, severity=heavy, why=why, replacement=says, layer=layer)
