"""GPUs that are counted: by Ray, by charts and by schedulers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import json_entries, roles, yaml_entries
from jumar.port.reading.scripts import script_commands
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D022",
    name="gpu-count",
    kinds=("yaml", "shell", "json", "markdown", "ci", "dockerfile"),
    triggers=("num-gpus", "num_gpus", "numgpus", "gpu", "ray"),
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="NVIDIA's GPUs are counted; for Ray chips of Ascend are the resource NPU",
    replacement="for Ray the resource NPU, for charts and pods huawei.com/Ascend910",
    examples=(
        Example('rayStartParams:\n  num-gpus: "8"\n', path="ray.yaml"),
        Example("ray start --head --num-gpus=8\n", path="a.sh"),
        Example("deployment_config:\n  ray_actor_options:\n    num_gpus: 1\n", path="serve.yaml"),
    ),
    keep=(
        Example("resources:\n  use_gpu: false\n", path="config.yaml"),
        Example('rayStartParams:\n  num-cpus: "8"\n', path="ray.yaml"),
    ),
)

KEYS_WORDS = """
    num-gpus num_gpus num_gpus_per_worker num_gpus_per_learner
    entrypointnumgpus entrypoint_num_gpus num_gpus_per_env_runner use_gpu
    numofgpus gpuspernode gpus_per_node gpus_per_worker n_gpus_per_node ngpus num_gpus_per_node numgpus gpucount gpu_count
    tensor_parallel_gpus requestgpu limitgpu requestgpus nvidia_gpu gpumemory
"""
KEYS = frozenset(KEYS_WORDS.split())
ANY_CHIP = frozenset(("n_gpus_per_node", "ngpus", "num_gpus_per_node", "gpus_per_worker"))
"""Words that trainers use for chips of any maker."""
NONE = re.compile(r"0|false|no|none|null|~|", re.IGNORECASE)
"""No GPU is asked for."""
TESTED = re.compile(r"(^|/)tests?/")
OPTION = re.compile(r"--(?:num-gpus|num_gpus|entrypoint-num-gpus)[= ]\S+")


OF_SCHEMA = re.compile(
    r"(?:^| )(?:properties|definitions|components schemas|parameters|openAPIV3Schema)(?: |$)"
)
A_FIELD: dict[str, Any] = {
    "severity": "cosmetic",
    "why": "a field of an interface, which is called after GPUs",
    "replacement": "a name that holds for any chip, if the field is to",
}
OF_OTHERS = (
    "the setting says how many GPUs are used or asked for",
    "the number of Ascend's chips, under the name that whoever reads it has for them",
)


def _is_known(document: Document) -> bool:
    """Whether Ray reads it, or a chart or pod is made of it."""
    words = ("ray", "nvidia.com/gpu")
    chart = roles.is_helm_values(document) or roles.is_kubernetes(document)
    return not roles.is_ci(document) and (chart or any(word in document.lowered for word in words))


def check(document: Document) -> Iterator[Finding]:
    layer = roles.layer_of(document)
    if document.kind in ("yaml", "json"):
        read = json_entries.entries if document.kind == "json" else yaml_entries.entries
        for entry in read(document):
            if (entry.key.lower() in KEYS and not entry.is_item) or (
                entry.key == "GPU" and "resource" in " ".join(entry.path).lower()
            ):
                if entry.value is not None and NONE.fullmatch(entry.value):
                    continue
                counted = entry.key in ("num_gpus", "gpu_count") and "ray" not in document.lowered
                light = (
                    counted
                    or entry.key in ANY_CHIP
                    or entry.key.isupper()
                    or TESTED.search(document.path)
                    or roles.is_ansible(document)
                )
                if OF_SCHEMA.search(" ".join(entry.path[:-1])):
                    yield RULE.found(
                        document, entry.key_start, entry.key_end, entry.key, layer=layer, **A_FIELD
                    )
                    continue
                why, says = (None, None) if _is_known(document) else OF_OTHERS
                yield RULE.found(
                    document,
                    entry.key_start,
                    entry.key_end,
                    entry.key,
                    layer=layer,
                    severity="cosmetic"
                    if roles.is_test_data(document)
                    else "degrades"
                    if light or why
                    else None,
                    why=why,
                    replacement=says,
                )
    for command in script_commands(document):
        if command.name == "ray":
            for option in OPTION.finditer(document.text, command.start, command.end):
                yield RULE.found(document, *option.span(), option[0], layer=layer)
