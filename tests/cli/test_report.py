"""`jumar report` on made-up runs: what it writes where, and what it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from jumar.cli import main
from jumar.runs import directory

sys.path.insert(0, str(Path(__file__).parents[1] / "runs"))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import synthetic

    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "jumar-runs" / "one"
    directory.write(folder, synthetic.gpt2(steps=3, layers=2))
    return folder


def test_the_last_run_on_its_own_chip(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("predicted step") and "tokens/s" in said[0] and "limited by" in said[0]
    assert [line.split()[0] for line in said[1:4]] == ["Ascend910_9382", "H100-SXM-80GB", "H20-SXM-96GB"]
    assert (run / "report.html").read_text().startswith("<!doctype html>")


def test_chips_and_exports_that_are_asked_for(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "report",
        "one",
        "--chips",
        "h100,910b2",
        "--out",
        "a.html",
        "--trace",
        "t.json",
        "--csv",
        "tables",
    ]
    assert main(words) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1].split()[0] == "Ascend910B2" and said[3:5] == ["a.html", "t.json"]
    assert said[2].startswith("heat ") and "full clock" in said[2]
    assert "On H100-SXM-80GB one step would take" in Path("a.html").read_text()
    assert json.loads(Path("t.json").read_text())["otherData"]["chip"] == "H100-SXM-80GB"
    assert Path("tables/kernel_details.csv").exists() and not (run / "report.html").exists()


def test_what_was_counted_is_taken_from_beside_the_trace(run: Path) -> None:
    (run / "summary.json").write_text(json.dumps({"unsupported": [["aclnnFoo", 3]], "notes": []}))
    assert main(["report", "one"]) == 0
    assert "aclnnFoo" in (run / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none"], "no such run"),
        (["one", "--chips", "h1000"], "unknown chip"),
        (["one", "--chips", ","], "name at least one"),
        (["one", "--out", "nowhere/a.html"], "cannot be written"),
        (["one", "--trace", "nowhere/t.json"], "cannot be written"),
    ],
)
def test_refusals(run: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    assert main(["report", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_run_that_was_cut_short(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = run / "events.parquet"
    events.write_bytes(events.read_bytes()[:100])
    assert main(["report"]) == 2
    said = capsys.readouterr().err
    assert "events.parquet: cut short" in said and said.count("\n") == 1


def test_heat_is_that_of_the_run_unless_asked_otherwise(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**facts, "heat": {"cooling": "degraded", "inlet_c": 45.0}}))
    events = '{"virtual_s": 0.01, "chip": 0, "event": "fault", "kind": "<b>lost</b>", "code": "80C98000"}\n'
    (run / "events.jsonl").write_text(events)
    said = []
    for words in (
        [],
        ["--inlet", "20"],
        ["--cooling", "liquid"],
        ["--cooling", "failed", "--inlet", "35.5C"],
    ):
        assert main(["report", *words]) == 0
        said.append(next(line for line in capsys.readouterr().out.splitlines() if line.startswith("heat ")))
    assert "degraded at 45 °C" in said[0] and "longer" in said[0]
    assert "degraded at 20 °C" in said[1]
    assert "liquid at 30 °C" in said[2] and "full clock" in said[2]
    assert "failed at 36 °C" in said[3] and "switches itself off after" in said[3]
    page = (run / "report.html").read_text()
    assert "Other air, other cooling" in page and "Incidents" in page and "npu:0" in page
    assert "&lt;b&gt;lost" in page and "<b>lost" not in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--inlet", "95F"], "is no temperature"),
        (["--inlet", "300"], "cools no server"),
        (["--cooling", "oil"], "invalid choice"),
    ],
)
def test_air_that_cannot_be_is_refused(
    run: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["report", *words])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
