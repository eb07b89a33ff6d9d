"""Which kind of document a file is, from its name and, where that says nothing, from its first line."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

BY_SUFFIX = {
    ".py": "python",
    ".pyi": "python",
    ".pyx": "cython",
    ".pxd": "cython",
    ".cu": "cuda",
    ".cuh": "cuda",
    ".c": "cxx",
    ".cc": "cxx",
    ".cpp": "cxx",
    ".cxx": "cxx",
    ".h": "cxx",
    ".hh": "cxx",
    ".hpp": "cxx",
    ".hxx": "cxx",
    ".inl": "cxx",
    ".cmake": "cmake",
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".tpl": "yaml",
    ".sh": "shell",
    ".bash": "shell",
    ".zsh": "shell",
    ".slurm": "slurm",
    ".sbatch": "slurm",
    ".ipynb": "notebook",
    ".md": "markdown",
    ".mdx": "markdown",
    ".rst": "markdown",
    ".json": "json",
    ".jsonnet": "json",
    ".ini": "ini",
    ".cfg": "ini",
    ".conf": "ini",
    ".env": "ini",
    ".service": "ini",
    ".tf": "terraform",
    ".hcl": "terraform",
    ".tfvars": "terraform",
    ".lock": "lock",
    ".dockerfile": "dockerfile",
    ".mk": "make",
    ".bazel": "bazel",
    ".bzl": "bazel",
    ".rules": "yaml",
    ".txt": "text",
    ".def": "apptainer",
}
BY_NAME = {
    "cmakelists.txt": "cmake",
    "makefile": "make",
    "gnumakefile": "make",
    "build": "bazel",
    "workspace": "bazel",
    "jenkinsfile": "ci",
    "vagrantfile": "text",
    "pipfile": "toml",
    "pipfile.lock": "json",
    "poetry.lock": "lock",
    "uv.lock": "lock",
    "pdm.lock": "lock",
    "readme": "markdown",
    ".env": "ini",
    ".bashrc": "shell",
    ".flake8": "ini",
}
BY_PATTERN = (
    (re.compile(r"(^|[.\-_])(dockerfile|containerfile)([.\-_]|$)"), "dockerfile"),
    (re.compile(r"\.(md|rst|mdx)\.(gotmpl|tmpl|tpl|j2|jinja2?|in|erb)$"), "markdown"),
    (re.compile(r"(requirements|constraints|(^|[-_.])reqs?)[^/]*\.(txt|in|pip)$"), "requirements"),
)
IN_FOLDER = ((re.compile(r"(^|/)requirements/[^/]+\.(txt|in)$"), "requirements"),)
ALL = tuple(sorted({*BY_SUFFIX.values(), *BY_NAME.values(), "requirements"}))
SHEBANG = re.compile(r"#!.*?\b(python|bash|sh|zsh|dash)[\d.]*\b")


def kind_of(path: str, text: str = "") -> str:
    """`text` where nothing is known."""
    lowered = path.lower()
    place = PurePosixPath(lowered)
    kind = _by_name(lowered, place)
    if kind in (None, "text") and text.startswith("#!") and (shebang := SHEBANG.match(text)):
        kind = "python" if shebang[1] == "python" else "shell"
    if kind == "shell" and "#SBATCH" in text:
        return "slurm"
    return kind or "text"


def _by_name(lowered: str, place: PurePosixPath) -> str | None:
    for pattern, kind in BY_PATTERN:
        if pattern.search(place.name) and place.suffix not in (".py", ".md", ".sh", ".yml", ".yaml"):
            return kind
    for pattern, kind in IN_FOLDER:
        if pattern.search(lowered):
            return kind
    return BY_NAME.get(place.name) or BY_SUFFIX.get(place.suffix)
