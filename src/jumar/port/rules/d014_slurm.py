"""Jobs of Slurm, LSF and PBS that ask for GPUs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles
from jumar.port.reading.comments import without_comments
from jumar.port.reading.scripts import script_commands
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D014",
    name="slurm",
    kinds=("slurm", "shell", "yaml", "markdown", "ini", "ci", "make", "json"),
    triggers=("gpu", "--gres", "-g "),
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="nodes of Ascend offer no resource gpu",
    replacement="--gres=npu:N, if the administrator has set GresTypes=npu with /dev/davinci*; a twin "
    "of the script is written by jumar port",
    examples=(
        Example("#!/bin/bash\n#SBATCH --gres=gpu:8\n#SBATCH --partition=gpu\n", path="train.slurm"),
        Example("srun --gpus-per-node=8 python train.py\n", path="run.sh"),
        Example("salloc -N 1 --gres=gpu:a100:4\n", path="run.sh"),
        Example("#PBS -l select=1:ncpus=8:ngpus=4\n", path="a.sh"),
    ),
    keep=(
        Example("#!/bin/bash\n#SBATCH --nodes=2\npython train.py --gpus 8\n", path="train.slurm"),
        Example("docker run --gpus all x\n", path="a.sh"),
    ),
)

DIRECTIVE = re.compile(r"^[ \t]*#(?:SBATCH|PBS|BSUB|MSUB|FLUX|OAR)[ \t]+[^\n]*", re.MULTILINE)
OPTION = re.compile(
    r"--gres(?:-flags)?[= ]\S*gpu\S*|--gpus?(?:-per-(?:node|task|socket)|-bind|"
    r"-freq)?[= ]\S+|(?<!\S)(?-i:-G)[ =]?\d+|--(?:constraint|partition)[= ]\S*"
    r"(?:gpu|a100|h100|h200|v100|l40|rtx)\S*|(?<!\S)-[pC][ =]?\S*(?:gpu|a100|h100|"
    r"v100)\S*|ngpus=\d+|-gpu[= ]\S+|gpus?=\S+|--mem-per-gpu\S*|"
    r"--cpus-per-gpu\S*|--tres[\w\-]*[= ]\S*gpu\S*|--ntasks-per-gpu\S*",
    re.IGNORECASE,
)
PLACED = re.compile(r"--?(?:partition|constraint|p|C)\b")
LAUNCHERS = frozenset(("srun", "sbatch", "salloc", "bsub", "qsub", "submitit", "flux"))
SETTING = re.compile(
    r"(?:gres|gres_?per_node|GresTypes|gpus_per_(?:node|task)|"
    r"Gres)[ \t]*[:=][ \t]*[\"']?\S*gpu\S*|^NodeName=.*Name=gpu.*",
    re.MULTILINE,
)


OF_CLUSTER = re.compile(r"GresTypes|NodeName|Gres[ \t]*=")
OF_NODES = "GresTypes=npu, and Name=npu with File=/dev/davinci* in gres.conf of the nodes with Ascend"


def check(document: Document) -> Iterator[Finding]:
    layer = roles.layer_of(document)
    if document.kind in ("slurm", "shell", "text"):
        for directive in DIRECTIVE.finditer(document.text):
            for option in OPTION.finditer(directive[0]):
                start = directive.start() + option.start()
                heavy = "degrades" if PLACED.match(option[0]) else None
                yield RULE.found(
                    document, start, start + len(option[0]), option[0], layer=layer, severity=heavy
                )
    for command in script_commands(document):
        if any(word.plain.rsplit("/", 1)[-1] in LAUNCHERS for word in command.words[:4]):
            text = document.text[command.start : command.end]
            for option in OPTION.finditer(text.split(" python", 1)[0]):
                start = command.start + option.start()
                heavy = "degrades" if PLACED.match(option[0]) else None
                yield RULE.found(
                    document, start, start + len(option[0]), option[0], layer=layer, severity=heavy
                )
    if document.kind in ("yaml", "ini"):
        for match in SETTING.finditer(without_comments(document)):
            says = OF_NODES if OF_CLUSTER.match(match[0]) else None
            yield RULE.found(document, *match.span(), match[0], layer=layer, replacement=says)
