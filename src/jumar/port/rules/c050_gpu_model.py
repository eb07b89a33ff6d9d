"""A model of NVIDIA's GPUs, or an architecture of its compilers, as a value."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_source, string_patterns
from jumar.port.rule import Example, Rule

MODEL = re.compile(
    r"(?<![\w:/.-])(?<!Model )(?:[AHV]\d00|A800|H20|L[24]0S?|A10G?|G?B200|Tesla[- ][A-Z]{1,2}\d+\w*"
    r"|(?:GeForce )?[RG]TX ?\d{3,4}(?: ?Ti)?)(?![\w-])"
    r"|\b(?:sm|compute)_\d{2,3}a?\b|\b(?:Ampere|Hopper|Blackwell|Volta|Turing)\b",
    re.IGNORECASE,
)
NVIDIAS = re.compile(
    r"nvidia|tesla|geforce|rtx|gtx|[hv][12]00|[ah]800|g?b[23]00|h20|l[24]0|(?:sm|compute)_\d"
    r"|ampere|hopper|blackwell|volta|turing|\bA100\b|^a100$",
    re.IGNORECASE,
)
"""No other chip or place is called so; A10 and A30 may be anything."""
ARCHITECTURE = re.compile(r"ampere|hopper|blackwell|volta|turing", re.IGNORECASE)
OF_DEVICES = re.compile(r"gpu|device|accelerator|nvidia|cuda|flops", re.IGNORECASE)
LONGEST = 80
TOLD: dict[str, Any] = {
    "severity": "cosmetic",
    "why": "people read of a model of NVIDIA's; nothing runs differently",
    "replacement": "what is really meant, as a dtype or an amount of memory",
}

RULE = Rule(
    code="C050",
    name="gpu-model",
    kinds=("python",),
    triggers=(
        *("a100", "h100", "h200", "h800", "a800", "h20", "v100", "l40", "l20", "b200", "rtx", "gtx"),
        *("tesla", "ampere", "hopper", "blackwell", "volta", "turing", "sm_7", "sm_8", "sm_9", "sm_1"),
    ),
    sign=MODEL,
    layer="software",
    severity="silent",
    safety="report",
    runs_unchanged=True,
    why="a decision or a table goes by a model of NVIDIA's",
    replacement="what is really meant (memory, a dtype, a rate), or a row for the Ascend chip",
    examples=(
        Example('if "A100" in torch_name:\n    pass\n'),
        Example('ARCHITECTURES = ["sm_80", "sm_90"]\n'),
        Example('PEAK = {"NVIDIA H100": 989}\n'),
        Example('PEAKS = [(["b200"], 2.25e15)]\n'),
    ),
    keep=(
        'print("A100")\n',
        'jobs = ["smoke-h100"]\n',
        'x = "a1000"\n',
        'name = "asm_80x"\n',
        'CARS = ["Suzuki SX4 Sedan 2012", "Tesla Model S Sedan 2012"]\n',
        'INSECTS = ["mantis", "grasshopper, hopper"]\n',
        'PLANES = ["MD-90", "Model B200"]\n',
        'hosts = ["a9", "a10", "a11"]\n',
        Example('assert page["hardware"] == "NVIDIA H100 80GB"\n', path="tests/test_page.py"),
        Example('JOBS = [("smoke", {"gpu": "GB200"})]\n', path="tests/test_jobs.py"),
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    tested = bool(string_patterns.TEST_FILE.search(document.path))
    for node in source.all(ast.Constant):
        if not (
            isinstance(node.value, str) and len(node.value) < LONGEST and (model := MODEL.search(node.value))
        ):
            continue
        if ARCHITECTURE.match(model[0]) and " " in node.value and not OF_DEVICES.search(node.value):
            continue  # a word of prose, as in `grasshopper, hopper`
        if "arch=" in node.value:
            continue  # flags of NVIDIA's compiler have a rule of their own
        above = source.parents[node]
        if not NVIDIAS.search(node.value) and not _is_of_models(source, above):
            continue  # `a10` may be anything
        if tested and not _asks_device(source, node):
            continue
        if isinstance(above, ast.Dict) and _is_told(above, node):
            yield RULE.found(document, *source.place(node), f"says {model[0]}", **TOLD)
        elif isinstance(above, (ast.Compare, ast.Dict, ast.List, ast.Set, ast.Tuple)):
            yield RULE.found(document, *source.place(node), f"goes by {model[0]}")


def _is_told(row: ast.Dict, node: ast.AST) -> bool:
    """The value of a key such as description."""
    key = next((key for key, value in zip(row.keys, row.values, strict=True) if value is node), None)
    return isinstance(key, ast.Constant) and key.value in string_patterns.SAID


def _is_of_models(source: python_source.Source, above: ast.AST) -> bool:
    """Another of the listed texts is a model for certain, or what stands around it speaks of devices."""
    if OF_DEVICES.search(source.text(source.parents.get(above, above))[:200]):
        return True
    texts = [one.value for one in ast.walk(above) if isinstance(one, ast.Constant)]
    return any(isinstance(text, str) and MODEL.search(text) and NVIDIAS.search(text) for text in texts)


def _asks_device(source: python_source.Source, node: ast.AST) -> bool:
    """In a test: the text is held against what the machine's device is called."""
    above = source.parents[node]
    return isinstance(above, ast.Compare) and "device" in source.text(above).lower()
