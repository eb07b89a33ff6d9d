"""Requirements that need NVIDIA's GPUs: flash-attn, cupy, nvidia-* and the like."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import distributions
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import requirement_lines, toml_strings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="B005",
    name="requirement",
    kinds=("requirements", "toml", "ini", "text"),
    triggers=(
        "nvidia",
        "cu",
        "flash",
        "xformers",
        "bitsandbytes",
        "apex",
        "triton",
        "tensorrt",
        "faiss",
        "vllm",
        "deepspeed",
        "pynvml",
        "gpu",
        "awq",
        "gptq",
        "mamba",
        "causal",
        "torch-",
        "dali",
        "transformer",
        "nvtx",
        "unsloth",
        "liger",
        "sgl",
        "nixl",
        "sage",
        "exllama",
        "hqq",
        "aqlm",
        "megatron",
        "tile",
        "deep",
        "numba",
        "dgl",
        "lmdeploy",
        "nemo",
        "spconv",
        "natten",
        "kaolin",
        "gsplat",
        "nvdiff",
        "nerf",
    ),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the package works with NVIDIA's GPUs only, or differs on Ascend",
    replacement="what the table of distributions says",
    examples=(
        Example("flash-attn>=2.5\n"),
        Example("mlx[cuda]==0.30\n"),
        Example("torch==2.4.0\ncupy-cuda12x ; platform_system == 'Linux'\n"),
        Example('[project]\ndependencies = [\n  "xformers>=0.0.20",\n]\n', path="pyproject.toml"),
        Example('[tool.poetry.dependencies]\nbitsandbytes = "^0.41"\n', path="pyproject.toml"),
        Example("[options]\ninstall_requires =\n    torch\n    flash-attn\n", path="setup.cfg"),
    ),
    keep=(
        "torch==2.4.0\nnumpy\n# flash-attn\n",
        Example('[tool.ruff]\nselect = ["triton"]\n', path="pyproject.toml"),
        Example("the flash-attn package\n", path="notes.txt"),
    ),
)

LISTED_TEXT = re.compile(r"(^|/)[^/]*(require|deps|depend|packages|constraint|pip)[^/]*\.txt$", re.IGNORECASE)


def check(document: Document) -> Iterator[Finding]:
    if document.kind == "ini" and not document.path.endswith(("setup.cfg", "tox.ini")):
        return
    if document.kind == "text" and not LISTED_TEXT.search(document.path):
        return
    own = _own_name(document)
    for needed in requirement_lines.requirements(document):
        if needed.name == own:
            continue
        found = distributions.found(RULE, document, needed.asked, needed.start, needed.end)
        if found:
            yield found


def _own_name(document: Document) -> str | None:
    """The distribution that this file describes."""
    if document.kind == "ini":
        match = re.search(r"^name[ \t]*=[ \t]*(\S+)", document.text, re.MULTILINE)
        name = match[1] if match else None
    elif document.kind == "toml":
        tables = ("project", "tool.poetry")
        name = next(
            (
                one.value
                for one in toml_strings.texts(document)
                if one.table in tables and one.key == "name" and not one.is_key
            ),
            None,
        )
    else:
        return None
    return re.sub(r"[-_.]+", "-", name).lower() if name else None
