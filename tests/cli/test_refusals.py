"""Bad input gets one line that says what to do, exit code 2, and no traceback."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from jumar.cli import serving
from jumar.cli.main import parser
from jumar.cli.refusal import Refusal
from jumar.machine import libraries

Command = Callable[..., "CompletedProcess[str]"]
REFUSED = {
    "run": "no command given",
    "run --": "no command given",
    "run --chip 910B9 ls": "did you mean 910B",
    "run --devices 0 ls": "1 to 64",
    "run --devices 65 ls": "1 to 64",
    "run --devices many ls": "invalid int value",
    "run --seed -1 ls": "--seed -1",
    "run no-such-command": "no such command or script",
    "run missing.py": "no such command or script",
    "run --devces 2 ls": "--devces",
    "run --face gpu ls": "invalid choice",
    "run --cooling oil ls": "invalid choice",
    "run --inlet 300C ls": "cools no server",
    "run --no-trace --inlet 30C ls": "leave out --no-trace",
    "env --stop": "no server to stop",
    "chips 910Z": "unknown chip",
    "run --as H300 ls": "unknown GPU 'H300'",
    "rnu": "invalid choice",
    "": "required",
}


@pytest.mark.parametrize("line", REFUSED, ids=lambda line: line or "nothing")
def test_one_line_and_exit_code_2(jumar: Command, line: str) -> None:
    ended = jumar(*line.split())
    assert ended.returncode == 2
    assert REFUSED[line] in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1 and "Traceback" not in ended.stderr
    assert ended.stdout == ""


def installed(monkeypatch: pytest.MonkeyPatch, versions: dict[str, str]) -> None:
    def version(name: str) -> str:
        if name not in versions:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(importlib.metadata, "version", version)


@pytest.mark.parametrize(
    ("versions", "complaint"),
    [
        ({}, "torch is not installed"),
        ({"torch": "2.13.0+cpu"}, "torch-npu is not installed"),
        ({"torch": "2.12.1", "torch-npu": "2.13.0"}, "do not fit"),
        ({"torch": "2.13.0", "torch-npu": "2.12.0.post1"}, "do not fit"),
    ],
)
def test_a_wrong_pair_of_packages(
    monkeypatch: pytest.MonkeyPatch, versions: dict[str, str], complaint: str
) -> None:
    installed(monkeypatch, versions)
    with pytest.raises(Refusal, match=complaint) as refused:
        serving.plan(parser().parse_args(["run", "true"]))
    assert "pip install torch==2.13.0 torch-npu==2.13.0" in str(refused.value)


def test_a_build_tag_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, {"torch": "2.13.0+cpu", "torch-npu": "2.13.0.post2"})
    serving.check_packages()


def test_a_missing_native_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "directory", lambda: None)
    with pytest.raises(Refusal, match=r"native core is not installed: run `pip install \.`"):
        serving.plan(parser().parse_args(["run", "true"]))
