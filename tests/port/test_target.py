"""Which versions fit together for Ascend, and what a repository's dependencies become."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jumar.cli import main
from jumar.port import target
from jumar.port.repository import Repository
from jumar.port.target import fitting, versions
from jumar.port.target.versions import Environment

GOOD = Environment("2.7.1", "2.7.1.post2", "8.5.0", "25.5.1", "3.11", "x86-64")


def states(environment: Environment) -> dict[str, str]:
    return {row.subject: row.state for row in target.check(environment)}


def test_tables_are_whole() -> None:
    assert len(versions.pairs()) > 30 and len(versions.drivers()) > 4
    assert len({pair.torch_npu for pair in versions.pairs()}) == len(versions.pairs())
    for pair in versions.pairs():
        assert pair.torch_npu.startswith(pair.torch) and pair.source and pair.python
    assert versions.pairs()[0].confidence == "assumption"


def test_what_fits() -> None:
    assert set(states(GOOD).values()) == {"ok"}


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ({"torch": "2.8.0"}, "torch, torch_npu"),
        ({"torch_npu": "9.9.9"}, "torch, torch_npu"),
        ({"python": "3.8"}, "Python"),
        ({"cann": "8.1.RC1"}, "CANN"),
        ({"driver": "23.0.6"}, "driver"),
        ({"architecture": "riscv64"}, "architecture"),
    ],
)
def test_what_does_not_fit_has_a_remedy(change: dict[str, str], subject: str) -> None:
    rows = target.check(Environment(**{**vars(GOOD), **change}))
    bad = [row for row in rows if row.state == "bad"]
    assert subject in {row.subject for row in bad} and all(row.remedy for row in bad)


def test_a_release_of_cann_that_it_also_runs_on() -> None:
    row = next(one for one in versions.pairs() if one.torch_npu == "2.4.0.post4")
    assert fitting.same_release(row.cann, "8.1.RC1") and "8.3.RC1" in row.also
    assert states(Environment("2.4.0", "2.4.0.post4", "8.3.RC1", None, "3.11", "aarch64"))["CANN"] == "ok"


def test_choices() -> None:
    assert {pair.torch for pair in target.choices(">=2.5,<2.7")} == {"2.5.1", "2.6.0"}
    assert target.choices("==2.3.0") == []
    assert {pair.torch for pair in target.choices("<2.9", requires_python=">=3.12")} == {"2.7.1", "2.8.0"}


def test_repository(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("torch==2.3.0+cu121\nflash-attn>=2\nnumpy\nflashinfer\n")
    (tmp_path / "setup.py").write_text(
        "from setuptools import setup\n\nsetup(install_requires=['xformers>=0.0.20'])\n"
    )
    found, rows = target.of_repository(Repository.at(tmp_path))
    assert {one.name: one.state for one in found} == {
        "torch": "as it is", "flash-attn": "adapted", "numpy": "as it is", "flashinfer": "absent", "xformers": "adapted",
    }  # fmt: skip
    torch = next(row for row in rows if row.subject == "repository: torch")
    assert torch.state == "bad" and "2.3.1" in torch.remedy


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "requirements.txt").write_text("torch>=2.4\n")
    asked = ["--torch", "2.7.1", "--cann", "8.5.0", "--driver", "25.5.0", "--python", "3.11"]
    assert main(["doctor", "--target", "ascend", str(tmp_path), *asked]) == 0
    assert "torch_npu 2.7.1.post2: they fit" in capsys.readouterr().out
    assert main(["doctor", "--target", "ascend", *asked, "--torch-npu", "2.6.0", "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert rows[0]["state"] == "bad" and "torch==2.6.0" in rows[0]["remedy"]
