"""What a YAML or JSON file is for: compose, Kubernetes, CI, Prometheus and so on, from its name and its keys."""

from __future__ import annotations

import re

from jumar.port.document import Document
from jumar.port.reading import json_entries, yaml_entries

CI_PATHS = re.compile(
    r"(^|/)\.github/(workflows/(?![^/]+/.*\.ya?ml$)|actions/|[^/]*matrix[^/]*\.ya?ml$)|(^|/)\.?(gitlab|circleci|buildkite|travis|drone|woodpecker|cirrus)"
    r"|(^|/)azure-pipelines|(^|/)\.?(appveyor|bitbucket-pipelines|cloudbuild)|(^|/)(\.azure|ci)/|jenkins|(^|/)test-pipeline",
    re.IGNORECASE,
)
COMPOSE_PATH = re.compile(r"(^|/)(docker-)?compose[^/]*\.ya?ml$|(^|/)[^/]*compose\.ya?ml$", re.IGNORECASE)
VALUES_PATH = re.compile(r"(^|/)values[^/]*\.ya?ml$|(^|/)helm[^/]*/.*values", re.IGNORECASE)
CONDA_PATH = re.compile(r"(^|/)(environment|conda|env)[^/]*\.ya?ml$|(^|/)meta\.ya?ml$", re.IGNORECASE)
ANSIBLE_PATH = re.compile(r"(^|/)(roles|playbooks?|ansible|group_vars|host_vars|vars_files)/", re.IGNORECASE)
TEST_DATA = re.compile(
    r"(^|/)(?:[\w\-]*test[_\-]?(?:data|files|resources)|[\w\-]*mock\w*data|fixtures?|__snapshots__|golden\w*|mocks?"
    r"|cassettes)/"
    r"|(^|/)tests?/(?:.*/)?(?:data|resources|files|samples|expected|inputs?|outputs?)/"
    r"|(^|/)tests?/(?:.*/)?[\w\-]*(?:artifacts|baselines?|expected)/|(^|/)tests?/(?:.*/)?expected[\w.\-]*$|(^|/)release[_\-]?notes/|(?:sbom|image-list)[\w.\-]*\.json$",
    re.IGNORECASE,
)
"""Files that tests read, and lists of what a release had: nothing runs what they say."""
EXPECTED = re.compile(
    r"(^|/)tests?/(?:.*/)?(?:expected[\w\-]*|golden)[^/]*\.(?:sh|sub|slurm|sbatch|tf|conf|ya?ml|json|toml|txt)$"
)
"""What a test holds its output against."""
DOCUMENTED = ("markdown",)


def is_ci(document: Document) -> bool:
    return document.kind == "ci" or bool(CI_PATHS.search(document.path))


def is_test_data(document: Document) -> bool:
    """Whether only tests read it. What Kubernetes is given may be applied by one."""
    if EXPECTED.search(document.path):
        return True
    if document.kind not in ("json", "yaml", "text", "toml") or not TEST_DATA.search(document.path):
        return False
    return document.kind != "yaml" or not document.once(_is_applied)


def _is_applied(document: Document) -> bool:
    return bool(APPLIED.search(document.text))


APPLIED = re.compile(r"^apiVersion:", re.MULTILINE)
DOCUMENT_DATA = re.compile(r"(^|/)(?:docs?|documentation|website|site)/(?:.*/)?_?data/")


WORKS_WORDS = """
    jobs steps stages matrix include trigger pool variables pipelines phases tasks resources pipeline script image
    kind env services on strategy
"""
WORKS = frozenset(WORKS_WORDS.split())
CI_ONLY_BY_FOLDER = re.compile(r"(^|/)ci/|jenkins|(^|/)test-pipeline", re.IGNORECASE)


def runs_jobs(document: Document) -> bool:
    """Whether a file of CI's folders says what is run, as others beside it do not."""
    return not CI_ONLY_BY_FOLDER.search(document.path) or not WORKS.isdisjoint(top_keys(document))


def is_document_data(document: Document) -> bool:
    """What pages are made of, which people read and no program."""
    return document.kind in ("json", "yaml") and bool(DOCUMENT_DATA.search(document.path))


def top_keys(document: Document) -> frozenset[str]:
    return document.once(_top_keys)


def _top_keys(document: Document) -> frozenset[str]:
    read = json_entries.entries if document.kind == "json" else yaml_entries.entries
    return frozenset(entry.path[0] for entry in read(document) if len(entry.path) == 1)


def is_kubernetes(document: Document) -> bool:
    return {"apiVersion", "kind"} <= top_keys(document) and "services" not in top_keys(document)


def is_compose(document: Document) -> bool:
    if {"apiVersion", "kind"} <= top_keys(document):
        return False
    return "services" in top_keys(document) and (
        bool(COMPOSE_PATH.search(document.path)) or (not is_ci(document) and "jobs" not in top_keys(document))
    )


def is_helm_values(document: Document) -> bool:
    return bool(VALUES_PATH.search(document.path)) and not is_kubernetes(document)


def is_conda(document: Document) -> bool:
    keys = top_keys(document)
    return {"channels", "dependencies"} <= keys or (
        "dependencies" in keys and bool(CONDA_PATH.search(document.path))
    )


def is_ansible(document: Document) -> bool:
    return bool(ANSIBLE_PATH.search(document.path))


def layer_of(document: Document) -> str:
    """Of a command or variable in this document: what people read and CI are workflow, the rest data centre."""
    if document.kind in ("markdown", "notebook") or is_ci(document) or document.path.startswith(".github/"):
        return "workflow"
    return "data centre"
