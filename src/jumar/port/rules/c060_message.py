"""What the program says of CUDA: messages, help texts, titles."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from jumar.port import images
from jumar.port.document import Document
from jumar.port.finding import Finding, shortened
from jumar.port.reading import python_guards, python_source, python_strings
from jumar.port.reading.string_patterns import IMPLEMENTATION, TEST_FILE
from jumar.port.reading.string_surroundings import called, parameter
from jumar.port.rule import Example, Rule

_OF_WORDS = (
    "the word",
    "a name of CUDA's as a value; on Ascend it has another",
    "the name that it has on Ascend, or one that says what is meant",
)
_OF_MODELS: dict[str, Any] = {
    "severity": "silent",
    "why": "the name of one of NVIDIA's GPUs, by which the program tells devices apart; no chip of Ascend's has it",
    "replacement": "what is really meant, or the chip's name as torch.npu.get_device_name gives it",
    "layer": "software",
}
CHOOSING = frozenset(("type", "backend", "engine", "runtime", "target", "framework"))
_OF_TENSORRT: dict[str, Any] = {
    "severity": "blocks",
    "why": "the value chooses TensorRT, which runs on NVIDIA's GPUs only",
    "replacement": "the model in PyTorch, or converted from ONNX with the vendor's ATC",
    "layer": "software",
}
_OF_IMPLEMENTATIONS: dict[str, Any] = {
    "severity": "silent",
    "why": "the name chooses the implementation for CUDA; where there is none, another serves or it fails",
    "replacement": "the implementation that runs on any device, chosen by the device",
    "layer": "software",
}
IMAGE = re.compile(r"image$|^container$")
_OF_IMAGE: dict[str, Any] = {
    "severity": "blocks",
    "why": "the image in which it is run holds CUDA's libraries and programs built for them",
    "replacement": "an image on quay.io/ascend/cann",
    "layer": "data centre",
}
_OF_ENVIRONMENT: dict[str, Any] = {
    "severity": "degrades",
    "why": "the value is left in the environment for another program, which chooses something of CUDA's by it",
    "replacement": "a value for Ascend, where that program has one",
    "layer": "software",
}
MODEL = re.compile(r"NVIDIA (?:DGX|GeForce|Tesla|Quadro|RTX|[A-Z]{1,2}\d)[\w \-]*")
_OF_NAMES = (
    "the name",
    "a name of one's own says CUDA; as a text it ties nothing",
    "a name without the vendor, where that is wanted",
)
_OF_MODULES: dict[str, Any] = {
    "severity": "blocks",
    "why": "a module that is compiled of CUDA C++ is loaded by its name",
    "replacement": "the same in torch operators, or the module built from sources for Ascend",
    "layer": "software",
}
LOADERS = frozenset(("import_module", "__import__", "load_library"))
VENDORS = re.compile(
    r"(?:py)?(?:cuda|nccl|nvidia|cudnn|cublas(?:lt)?|nvcc|nvml|nvlink|nvrtc|nvshmem|nsys|tensorrt|dcgm|cu1[1-3]\d?)[\d.:\-]*(?:\{\})?",
    re.IGNORECASE,
)
"""What NVIDIA calls its own; all else is put together by the program's authors."""
_OF_FILES = ("the file", "the name of a file says CUDA", "the file that Ascend has for it, if it has one")

RULE = Rule(
    code="C060",
    name="message",
    kinds=("python",),
    triggers=("cuda", "nccl", "nvidia", "cudnn", "cublas", "nvcc", "nvml", "nvlink", "tensorrt", "dcgm"),
    layer="workflow",
    severity="cosmetic",
    safety="report",
    runs_unchanged=True,
    why="people are told of CUDA where the device is another",
    replacement="the device's name, or the word accelerator",
    examples=(
        Example('print("CUDA is not available")\n'),
        Example('parser.add_argument("--fast", help="use CUDA graphs")\n'),
        Example('raise RuntimeError("needs CUDA")\n'),
        Example('NAMES = ("cudart64_12.dll", "cublas64_12.dll")\n', path="tests/test_bundle.py"),
        Example('lines = {"backend": "cuda" + minor.split(".")[0]}\n'),
    ),
    keep=(
        'from torch.utils.cpp_extension import x\nextra["nvcc"] = []\n',
        'monkeypatch.setattr(install, "_has_usable_nvidia_gpu", False)\n',
        'name = f"llama-{tag}-bin-win-cuda-{runtime}-x64.zip"\n',
        'headers = glob(f"{include}/cuda_fp16*")\n',
        'script = f"""set -e\n{self._setup_cuda()}\n"""\n',
        'print("barracuda")\n',
        'wanted = settings.get("nvcc")\n',
        'print("the device is not available")\n',
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for text in python_strings.of_role(document, "message"):
        for place in python_strings.places(document, text):
            named = {} if " " in text.value.strip() else _named(text.value)
            given = named | _instead(source, text)
            yield RULE.found(document, *place, f"says {shortened(text.value)}", **given)
    for text in python_strings.of_role(document, "word", "path", "file"):
        if text.value == "nvcc" and "cpp_extension" in document.text:
            continue  # flags for the compiler, of which another rule tells
        usual = _OF_WORDS if VENDORS.fullmatch(text.value) else _OF_NAMES
        what, why, instead = _OF_FILES if text.role == "file" else usual
        if " " in text.value:
            what, why, instead = "says", RULE.why, RULE.replacement
        for place in python_strings.places(document, text):
            given = {"why": why, "replacement": instead} | _instead(source, text)
            yield RULE.found(document, *place, f"{what} {shortened(text.value)}", **given)


def _named(text: str) -> dict[str, Any]:
    """Of a title or the like that is one word."""
    return {} if VENDORS.fullmatch(text) else {"why": _OF_NAMES[1], "replacement": _OF_NAMES[2]}


def _instead(source: python_source.Source, text: python_strings.Text) -> dict[str, Any]:
    """What is no word for people: a GPU's name among others, or a value in the environment."""
    above = source.parents[text.node]
    if text.value.lower() == "tensorrt" and parameter(text.node, above) in CHOOSING:
        return _OF_TENSORRT
    if IMAGE.search(parameter(text.node, above)) and images.tie(text.value):
        return _OF_IMAGE
    if IMPLEMENTATION.fullmatch(parameter(text.node, above)):
        return _OF_IMPLEMENTATIONS
    if called(source, text.node) in LOADERS:
        weight = python_guards.weighed(source, text.node, "blocks", _OF_MODULES["why"])
        return {**_OF_MODULES, **weight}
    if isinstance(above, (ast.Compare, ast.List, ast.Set, ast.Tuple, ast.Dict)) and MODEL.fullmatch(
        text.value
    ):
        return {} if TEST_FILE.search(source.document.path) else _OF_MODELS
    if isinstance(above, ast.Assign) and any(_is_environment(source, one) for one in above.targets):
        return _OF_ENVIRONMENT
    return {}


def _is_environment(source: python_source.Source, target: ast.expr) -> bool:
    return isinstance(target, ast.Subscript) and source.text(target.value).endswith("environ")
