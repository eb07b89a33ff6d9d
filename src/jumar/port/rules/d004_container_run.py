"""Containers started with NVIDIA's GPUs: `--gpus`, `--runtime=nvidia`, `--nv`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles, yaml_entries
from jumar.port.reading.scripts import is_of_container, script_commands
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D004",
    name="container-run",
    kinds=("shell", "slurm", "make", "ci", "markdown", "yaml", "json", "dockerfile"),
    triggers=("--gpus", "nvidia", "--nv", "--device"),
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the option asks NVIDIA's container runtime for GPUs",
    replacement="--device /dev/davinci0 --device /dev/davinci_manager --device /dev/devmm_svm "
    "--device /dev/hisi_hdc with the driver mounted; with Ascend Docker Runtime -e "
    "ASCEND_VISIBLE_DEVICES=0-7",
    examples=(
        Example("docker run --gpus all -it image bash\n", path="run.sh"),
        Example("docker run --runtime=nvidia image\n", path="run.sh"),
        Example("singularity exec --nv image.sif python x.py\n", path="run.sh"),
        Example("```console\n$ docker run --gpus all image\n```\n", path="README.md"),
        Example(
            "jobs:\n  t:\n    container:\n      image: x\n      options: --ipc host --gpus all\n",
            path=".github/workflows/t.yml",
        ),
        Example("docker run -d \\\n  -v $(pwd)/work:/work \\\n  --gpus all \\\n  x/y\n", path="run.sh"),
        Example('{"runArgs": ["--gpus", "all"]}\n', path=".devcontainer/devcontainer.json"),
    ),
    keep=(
        Example("docker run image\n# docker run --gpus all image\n", path="run.sh"),
        Example("srun --gpus=2 python x.py\n", path="run.sh"),
    ),
)

ENGINES = frozenset(
    (
        "docker",
        "podman",
        "nerdctl",
        "singularity",
        "apptainer",
        "docker-compose",
        "enroot",
        "cog",
        "ctr",
        "sarus",
    )
)
PROGRAMS = frozenset(("python", "python3", "uv", "poetry", "node"))
"""What they are given is their own."""
OPTION = re.compile(
    r"--gpus(?:=.*)?|--runtime=nvidia|--nv|--nvccli|--device=(?:nvidia\.com/|"
    r"/dev/nvidia).*|--device=nvidia.*|--privileged-gpu"
)

ASKED = re.compile(r"--gpus(?:[= ]\S+)?|--runtime[= ]nvidia|--device[= ]\S*nvidia\S*")
OPTIONS = re.compile(r"--(?:gpus|runtime|device|nv)")


def check(document: Document) -> Iterator[Finding]:
    layer = roles.layer_of(document)
    if document.kind == "yaml" and roles.is_ci(document):
        for entry in yaml_entries.entries(document):
            if entry.key == "options" and entry.value:
                for match in ASKED.finditer(document.text, entry.start, entry.end):
                    yield RULE.found(document, *match.span(), match[0], layer=layer)
    listed = document.kind in ("json", "yaml") and "--gpus" in document.text
    for command in script_commands(document):
        words = [word.plain for word in command.words]
        program = any(word in PROGRAMS for word in words[:2])
        engine = not program and bool(ENGINES & {word.rsplit("/", 1)[-1] for word in words})
        if not listed and not engine and not OPTIONS.search(" ".join(words)):
            continue
        for number, word in enumerate(command.words):
            last = words[number - 1] if number else ""
            if not listed and not engine and not is_of_container(document, word.start):
                continue
            if OPTION.fullmatch(word.plain) and not words[0].startswith(("srun", "sbatch", "salloc")):
                yield RULE.found(document, word.start, word.end, word.plain, layer=layer)
            elif (last == "--runtime" and word.plain == "nvidia") or (
                last == "--device" and "nvidia" in word.plain
            ):
                yield RULE.found(document, word.start, word.end, f"{last} {word.plain}", layer=layer)
