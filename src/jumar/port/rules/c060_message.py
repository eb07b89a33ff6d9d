"""What the program says of CUDA: messages, help texts, titles."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding, shortened
from jumar.port.reading import python_strings
from jumar.port.rule import Example, Rule

_OF_WORDS = (
    "the word",
    "a name of CUDA's as a value; on Ascend it has another",
    "the name that it has on Ascend, or one that says what is meant",
)
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
    for text in python_strings.of_role(document, "message"):
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"says {shortened(text.value)}")
    for text in python_strings.of_role(document, "word", "path", "file"):
        what, why, instead = _OF_FILES if text.role == "file" else _OF_WORDS
        if " " in text.value:
            what, why, instead = "says", RULE.why, RULE.replacement
        for place in python_strings.places(document, text):
            yield RULE.found(
                document, *place, f"{what} {shortened(text.value)}", why=why, replacement=instead
            )
