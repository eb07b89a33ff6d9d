"""Pods on NVIDIA's container runtime."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles
from jumar.port.reading.comments import without_comments
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D007",
    name="runtime-class",
    kinds=("yaml", "json", "terraform", "shell", "markdown"),
    triggers=("nvidia",),
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="there is no such runtime class on nodes of Ascend",
    replacement="none: Ascend Docker Runtime is the node's default runtime and reads ASCEND_VISIBLE_DEVICES",
    examples=(
        Example("apiVersion: v1\nkind: Pod\nspec:\n  runtimeClassName: nvidia\n", path="pod.yaml"),
        Example(
            "apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata:\n  name: nvidia\nhandler: nvidia\n",
            path="rc.yaml",
        ),
        Example('{"runtimes": {"nvidia": {"args": []}}}\n', path="daemon.json"),
    ),
    keep=(
        Example('{"runtimes": {"runc": {}}}\n', path="daemon.json"),
        Example("apiVersion: v1\nkind: Pod\nspec:\n  runtimeClassName: gvisor\n", path="pod.yaml"),
        Example("# runtimeClassName: nvidia\na: 1\n", path="a.yaml"),
    ),
)

PATTERN = re.compile(
    r"(?:runtimeClassName|runtimeClass|runtime_class_name|handler|default-runtime|"
    r"defaultRuntime)[\"']?[ \t]*[:=][ \t]*[\"']?nvidia[\w.\-]*"
)

RUNTIMES = re.compile(r"\"runtimes\"[ \t]*:[ \t]*\{\s*\"(?P<name>nvidia[\w\-]*)\"[ \t]*:[ \t]*\{")
"""Of the settings of Docker's daemon."""


def check(document: Document) -> Iterator[Finding]:
    text = without_comments(document)
    for match in RUNTIMES.finditer(text) if document.kind in ("json", "shell", "yaml") else ():
        yield RULE.found(
            document,
            *match.span("name"),
            f"runtimes: {match['name']}",
            layer=roles.layer_of(document),
            why="NVIDIA's run time is registered with the container engine",
            replacement="Ascend Docker Runtime, which its installer registers as ascend",
        )
    for match in PATTERN.finditer(text):
        what = re.sub(r"[\"',]", "", match[0])
        of_engine = what.startswith("default")
        yield RULE.found(
            document,
            *match.span(),
            what,
            layer=roles.layer_of(document),
            why="hosts with Ascend have no such run time for containers" if of_engine else None,
            replacement="ascend, once Ascend Docker Runtime is installed" if of_engine else None,
        )
