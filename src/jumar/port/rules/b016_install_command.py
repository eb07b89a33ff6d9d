"""Commands that install Python packages for NVIDIA's GPUs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import distributions
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import requirement_lines, roles
from jumar.port.reading.scripts import script_commands
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="B016",
    name="install-command",
    kinds=("shell", "slurm", "dockerfile", "apptainer", "yaml", "make", "ci", "markdown", "json"),
    triggers=("pip", "conda", "mamba", "uv ", "poetry"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the package works with NVIDIA's GPUs only, or differs on Ascend",
    replacement="what the table of distributions says",
    examples=(
        Example("pip install flash-attn --no-build-isolation\n", path="setup.sh"),
        Example("RUN pip install --no-cache-dir cupy-cuda12x\n", path="Dockerfile"),
        Example("```bash\npip install xformers\n```\n", path="README.md"),
        Example(
            'RUN pip install "jax[cuda12_pip]==0.4.25" -f https://example.org/releases.html\n',
            path="Dockerfile",
        ),
        Example("conda install -y cudatoolkit=11.8 -c nvidia\n", path="setup.sh"),
    ),
    keep=(
        Example("pip install torch numpy\n# pip install flash-attn\n", path="setup.sh"),
        Example("pip uninstall -y apex\n", path="setup.sh"),
    ),
)

CONDA = re.compile(
    r"(?:[\w-]+::)?(?:cudatoolkit|cuda|pytorch-cuda|cudnn|nccl|libcu\w*|nvidia)(?:[-=<>:].*)?$|nvidia/label.*"
)
INSTALLERS = frozenset(("pip", "pip3", "pip2", "conda", "mamba", "micromamba", "uv", "poetry", "pdm", "pipx"))
VERBS = frozenset(("install", "add", "download", "create", "wheel"))


def check(document: Document) -> Iterator[Finding]:
    layer = "workflow" if roles.layer_of(document) == "workflow" else "software"
    for command in script_commands(document):
        plain = [word.plain for word in command.words]
        tool = next((word.rsplit("/", 1)[-1] for word in plain if _is_installer(word)), None)
        if tool is None or not VERBS & set(plain):
            continue
        is_conda = tool in ("conda", "mamba", "micromamba")
        for word in command.words:
            if is_conda and CONDA.match(word.plain):
                says = (
                    "PyTorch's CPU build with torch-npu; CANN is installed on the host or in the base image"
                )
                yield RULE.found(document, word.start, word.end, word.plain, layer=layer, replacement=says)
                continue
            needed = requirement_lines.parse(word.plain.split("git+")[0] or _of_address(word.plain), 0)
            if needed and word.plain not in VERBS and not word.plain.startswith("-"):
                found = distributions.found(RULE, document, needed.asked, word.start, word.end, layer)
                if found:
                    yield found


def _is_installer(word: str) -> bool:
    return re.sub(r"[\d.]+$", "", word.rsplit("/", 1)[-1]) in INSTALLERS


def _of_address(address: str) -> str:
    """`git+https://github.com/NVIDIA/apex.git@main` is apex."""
    return re.sub(r"(\.git)?([@#].*)?$", "", address.rstrip("/")).rsplit("/", 1)[-1]
