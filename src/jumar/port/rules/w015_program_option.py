"""Programs started with options that name CUDA: `--device cuda`, `--backend nccl`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles
from jumar.port.reading.here_documents import KINDS as HERE
from jumar.port.reading.here_documents import is_python
from jumar.port.reading.scripts import is_of_container, is_told, script_commands
from jumar.port.reading.shell_words import Command
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="W015",
    name="program-option",
    kinds=("shell", "slurm", "dockerfile", "apptainer", "yaml", "make", "ci", "markdown", "json"),
    triggers=("cuda", "nccl", "gpu"),
    layer="workflow",
    severity="degrades",
    safety="report",
    runs_unchanged=True,
    why="the program is told to use CUDA",
    replacement="the option's value for any accelerator, or npu and hccl",
    examples=(
        Example("python train.py --device cuda --dist-backend=nccl\n", path="run.sh"),
        Example("python train.py trainer.accelerator=gpu device=cuda:0\n", path="run.sh"),
        Example("torchrun --nproc_per_node=gpu train.py\n", path="run.sh"),
        Example('if [ "$device" == "cuda" ]; then ls; fi\n', path="run.sh"),
        Example('command: ["torchrun", "--backend", "nccl"]\n', path="a.yaml"),
        Example('python -c "import torch; print(torch.cuda.is_available())"\n', path="run.sh"),
    ),
    keep=(
        Example("python train.py --device cpu --name cuda_study.txt\n", path="run.sh"),
        Example("echo cuda\n", path="run.sh"),
        Example("docker run -d \\\n  -v $(pwd)/work:/work \\\n  --gpus all \\\n  x/y\n", path="run.sh"),
        Example("python - <<'PY'\nb = torch.randn(4, device=\"cuda\")\nPY\n", path="run.sh"),
    ),
)

BEFORE = r"(?<![^\s\"',\[])"
OPTION = re.compile(
    rf"{BEFORE}(?:--?[\w\-.]*(?:device|backend|accelerator|platform|map[_-]location|provider|target|runtime)[\w\-]*"
    r"|[\w.+]*(?:device|backend|accelerator)s?)"
    r"(?:=|[ \t]+|[\"'][ \t]*,[ \t]*[\"'])[\"']?"
    r"(?:cuda(?::[\d,]+)?|gpu|nccl|cpu:gloo,cuda:nccl|nvidia|(?:CUDA|"
    r"Tensorrt)ExecutionProvider)\b[\"']?(?![\w/.\-])"
    rf"|{BEFORE}--?(?:nproc[_-]per[_-]node[= ]gpu\b|[\w\-]*(?:cuda|nccl)[\w\-]*(?:=\S+)?"
    r"|(?:use|with|no|num)?[_-]?gpus?(?![\w\-]))"
    r"|-D\w*(?:CUDA|NCCL|CUDNN)\w*(?:=\S+)?|\btorch\.cuda\.\w+|(?<!\S)[\"']?\.\[[\w,]*(?:cuda|gpu)\w*[\w,]*\]"
    r"|[=!]=?[ \t]+[\"']?cuda(?::\d+)?[\"']?(?=[ \t]*\])"
)
QUESTION = re.compile(r"torch\.cuda\.(?:is_available|device_count|is_initialized)")
"""Answered with no, or nought, on Ascend."""
COMPARED = re.compile(r"[=!]=?[ \t]")
NOT_PROGRAMS = frozenset(
    (
        "echo",
        "docker",
        "podman",
        "nerdctl",
        "srun",
        "sbatch",
        "salloc",
        "singularity",
        "apptainer",
        "#",
        "apt-get",
        "apt",
        "printf",
        "ray",
        "helm",
    )
)


ABOUT: tuple[tuple[str, str, str], ...] = (
    (
        r"torch\.",
        "Python on the command line, which uses CUDA's interface",
        "torch.accelerator: the code asks for CUDA",
    ),
    (
        r"--?(?:use|with|no|num)?[_-]?gpus?(?![\w\-])",
        "the option asks for GPUs, or says how many",
        "the option that asks the same program for Ascend's chips; for Slurm --gres=npu:N",
    ),
    (
        r"-D\w*(?:CUDA|NCCL|CUDNN)",
        "the build is told of CUDA",
        "a switch of its own for Ascend, where the build has one",
    ),
    (
        r"[\"']?\.\[",
        "the extra of the package brings what is for CUDA",
        "an extra of its own for Ascend, with torch-npu",
    ),
    (
        r"--?(?:no|disable|without|skip)[_\-](?:cuda|nccl|gpus?)\b",
        "the option tells the program not to use CUDA, and names it",
        "nothing: the program then runs on the CPU, as it would",
    ),
    (
        r"--?[\w\-]*(?:cuda|nccl)[\w\-]*(?:=(?!cuda|nccl)\S+)?$",
        "the option is for CUDA or NCCL by its name",
        "what the program has in its place for Ascend, if anything",
    ),
)
"""By how an option begins: why it ties, and what stands there on Ascend."""


NOT_USED = re.compile(r"--?(?:no|disable|without|skip)[_\-](?:cuda|nccl|gpus?)\b")
OF_CASE = re.compile(r"[ \t]*(?:\|[^)\n]*)?\)")


def _is_own(document: Document, end: int) -> bool:
    """A pattern of `case`: the script's own option, which it only reads there."""
    return document.kind in ("shell", "slurm") and OF_CASE.match(document.text, end) is not None


OF_DEEPSPEED = (
    "the option says GPUs, and DeepSpeed counts whatever chips there are with it",
    "nothing: it holds for Ascend's chips too",
)


def _counts_any(command: Command, option: str) -> bool:
    return command.name == "deepspeed" and option.startswith("--num")


def _about(option: str) -> tuple[str | None, str | None]:
    for words, why, says in ABOUT:
        if re.match(words, option):
            return why, says
    return None, None


def check(document: Document) -> Iterator[Finding]:
    layer = roles.layer_of(document)
    seen: set[int] = set()
    for command in script_commands(document):
        text = document.text[command.start : command.end]
        if document.kind in HERE and is_python(document, command.start):
            continue  # of which the rules for Python tell
        for option in OPTION.finditer(text):
            start = command.start + option.start()
            first = command.name
            container = "gpu" in option[0][:12] or "runtime" in option[0]
            on_option = container and "=cuda" not in option[0]
            if document.kind == "json" and "--gpus" in option[0]:
                continue  # options of a container, of which another rule tells
            if option[0].lstrip("\"'").startswith("--gpus") and is_of_container(document, start):
                continue
            if is_told(document, start):
                continue
            if start in seen or first in ("echo", "printf", "#") or (first in NOT_PROGRAMS and on_option):
                continue
            seen.add(start)
            if COMPARED.match(option[0]):
                yield RULE.found(
                    document, start, start + len(option[0]), option[0].strip(), layer=layer, severity="silent"
                )
                continue
            why, says = OF_DEEPSPEED if _counts_any(command, option[0]) else _about(option[0])
            own = _is_own(document, start + len(option[0])) or (why, says) == OF_DEEPSPEED
            light = own or NOT_USED.match(option[0]) is not None
            asks = QUESTION.fullmatch(option[0]) is not None
            yield RULE.found(
                document,
                start,
                start + len(option[0]),
                option[0],
                layer=layer,
                replacement=says,
                severity="silent" if asks else "cosmetic" if light else None,
                why=why,
            )
