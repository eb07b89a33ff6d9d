"""Environment modules of CUDA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles
from jumar.port.reading.scripts import script_commands
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D018",
    name="module",
    kinds=("shell", "slurm", "yaml", "markdown"),
    triggers=("module", "ml ", "spack"),
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the module sets the paths of CUDA",
    replacement="module load of the site's CANN, or `source /usr/local/Ascend/ascend-toolkit/set_env.sh`",
    examples=(
        Example("module load cuda/12.1 nccl\n", path="a.sh"),
        Example("ml load cudnn\n", path="a.sh"),
    ),
    keep=(Example("module load gcc/12\n# module load cuda\n", path="a.sh"),),
)

NAME = re.compile(
    r"(?:[\w.\-]+/)*(?:cuda|cudatoolkit|cudnn|nccl|nvhpc|nvidia|tensorrt|libs/cuda|"
    r"cuda-\w+)(?:[/\-@].*)?",
    re.IGNORECASE,
)
VERBS = frozenset(("load", "add", "swap", "unload", "purge", "restore", "use"))


def check(document: Document) -> Iterator[Finding]:
    for command in script_commands(document):
        if command.name in ("module", "ml", "spack"):
            for word in command.words[1:]:
                if word.plain not in VERBS and NAME.fullmatch(word.plain):
                    yield RULE.found(
                        document, word.start, word.end, word.plain, layer=roles.layer_of(document)
                    )
