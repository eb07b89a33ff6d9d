"""CI jobs on machines with NVIDIA's GPUs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles, yaml_entries
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="W001",
    name="runner",
    kinds=("yaml", "ci"),
    triggers=("gpu", "nvidia", "cuda", "a100", "h100", "a10", "t4", "l4", "g4", "g5", "g6", "p3", "p4"),
    layer="workflow",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the job waits for a machine with NVIDIA's GPUs",
    replacement="a runner with Ascend, or jumar run on any machine",
    examples=(
        Example("jobs:\n  t:\n    runs-on: [self-hosted, gpu]\n", path=".github/workflows/t.yml"),
        Example("test:\n  tags: [gpu, nvidia]\n", path=".gitlab-ci.yml"),
        Example("pool: gpu-a100\n", path="azure-pipelines.yml"),
    ),
    keep=(
        Example("jobs:\n  t:\n    runs-on: ubuntu-latest\n", path=".github/workflows/t.yml"),
        Example("tags: [gpu]\n", path="notes.yml"),
    ),
)

KEY = re.compile(
    r"^(?:runs-on|runs_on|runner\w*|tags|pool|vmimage|agents?|queue|label|group|"
    r"resource_class|machine|demands|instance\w*|gpus?|vm_instance|shard\w*|config)$",
    re.IGNORECASE,
)
GPU = re.compile(
    r"(?<![a-z])(?:gpus?|nvidia|cuda|a100|h100|h200|a10g?|v100|t4|l4|l40s?|b200|rtx\w*|"
    r"g[456]dn?\.|p[345]d?\.)(?![a-z])",
    re.IGNORECASE,
)


def check(document: Document) -> Iterator[Finding]:
    if document.kind == "ci":
        for match in re.finditer(
            r"\b(?:label|node|agent)\b[^\n]*['\"][^'\"\n]*(?:gpu|nvidia|cuda)[^'\"\n]*['\"]", document.text
        ):
            yield RULE.found(document, *match.span(), match[0])
        return
    if not roles.is_ci(document):
        return
    for entry in yaml_entries.entries(document):
        if entry.value and len(entry.value) < 200 and "\n" not in entry.value:
            named = next((key for key in reversed(entry.path) if KEY.match(key)), None)
            if named and GPU.search(entry.value) and entry.path.index(named) >= len(entry.path) - 3:
                start, end = entry.inner(document.text)
                yield RULE.found(document, start, end, f"{named}: {document.text[start:end]}")
