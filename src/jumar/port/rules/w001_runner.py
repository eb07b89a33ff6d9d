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
        Example("jobs:\n  t:\n    runs-on: gpu\n", path=".github/workflows/disabled/t.yml"),
        Example(
            "on:\n  workflow_dispatch:\n    inputs:\n      runner_type:\n        description: a10 or t4\n",
            path=".github/workflows/t.yml",
        ),
    ),
)

KEYS = (
    (
        re.compile(r"\.github/"),
        re.compile(r"^(?:runs[-_]on|runner[\w\-]*|machine\w*|instance\w*|vm\w*|label)$", re.IGNORECASE),
    ),
    (re.compile(r"gitlab"), re.compile(r"^(?:tags|runner\w*)$", re.IGNORECASE)),
    (
        re.compile(r"buildkite"),
        re.compile(r"^(?:agents|queue|agent_queue|gpu|num_gpus|instance\w*)$", re.IGNORECASE),
    ),
    (re.compile(r"circleci"), re.compile(r"^(?:resource_class|machine|executor)$", re.IGNORECASE)),
    (
        re.compile(r""),
        re.compile(r"^(?:runs[-_]on|runner\w*|pool|vmimage|demands|agents?|resource_class)$", re.IGNORECASE),
    ),
)
"""By the file's path, the keys that choose a machine."""
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
    wanted = next(keys for path, keys in KEYS if path.search(document.path))
    for entry in yaml_entries.entries(document):
        if entry.value and len(entry.value) < 200 and "\n" not in entry.value:
            named = next((key for key in reversed(entry.path) if wanted.match(key)), None)
            if entry.key in ("description", "name") and named != entry.key:
                continue  # a text about it
            if named and GPU.search(entry.value) and entry.path.index(named) >= len(entry.path) - 3:
                start, end = entry.inner(document.text)
                yield RULE.found(document, start, end, f"{named}: {document.text[start:end]}")
