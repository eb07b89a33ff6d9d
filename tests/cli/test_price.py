"""`jumar price` and `jumar runs` on made-up runs: tables, JSON, the page, and what is refused with what reason."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest

from jumar.cli import main
from jumar.runs import directory

SYNTHETIC = Path(__file__).parents[1] / "runs" / "synthetic.py"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs, the second with more layers and ranks."""
    spec = importlib.util.spec_from_file_location("synthetic", SYNTHETIC)
    assert spec and spec.loader
    synthetic = importlib.util.module_from_spec(spec)
    sys.modules.setdefault("synthetic", synthetic)
    spec.loader.exec_module(synthetic)
    folder = tmp_path_factory.mktemp("runs")
    directory.write(folder / "jumar-runs" / "first", synthetic.gpt2(layers=2))
    directory.write(folder / "jumar-runs" / "second", synthetic.gpt2(layers=3, processes=2))
    for at, name in enumerate(("first", "second")):
        os.utime(folder / "jumar-runs" / name / "run.json", (at, at))
    return folder


@pytest.fixture(autouse=True)
def inside(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(kept)


def test_price_prints_a_row_a_chip_and_what_it_rests_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["price", "first", "--chips", "910b2,h100,v5e"]) == 0
    said = capsys.readouterr().out
    for words in ("Ascend910B2", "H100-SXM-80GB", "TPUv5e", "tokens/s", "8,192 tokens a step", "fits", "USD"):
        assert words in said
    assert "CUDA build" in said and "warm-up" in said


def test_price_as_json_and_page(capsys: pytest.CaptureFixture[str], kept: Path) -> None:
    words = [
        "price",
        "last",
        "--chips",
        "910b2,h100",
        "--steps-total",
        "1000",
        "--items-per-step",
        "5",
        "--json",
    ]
    assert main([*words, "--out", "chart.html"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [row["chip"] for row in facts["rows"]] == ["Ascend910B2", "H100-SXM-80GB"]
    for row in facts["rows"]:
        assert row["low_s"] < row["step_s"] < row["high_s"] and row["chips"] == 2
        assert row["items"]["per_step"] == 5
        assert row["training"]["seconds"] == pytest.approx(1000 * row["step_s"])
    page = (kept / "chart.html").read_text()
    assert "H100-SXM-80GB" in page and "<svg" in page and "http" not in page.replace("http://www.w3.org", "")


def test_a_chip_of_ones_own_and_one_that_lacks_a_number(
    capsys: pytest.CaptureFixture[str], kept: Path
) -> None:
    assert main(["chips", "new", "Mine", "--from", "910b2", "--out", "mine.toml"]) == 0
    lines = (kept / "mine.toml").read_text().splitlines()
    part = [line for line in lines if not line.startswith(("chip = ", "[price]"))]
    (kept / "free.toml").write_text("\n".join(part).replace('name = "Mine"', 'name = "Free"'))
    capsys.readouterr()
    assert main(["price", "first", "--chips", "mine.toml,free.toml"]) == 0
    said = capsys.readouterr().out
    assert "Mine" in said and "no price.hour or price.chip" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["price", "nothing"], "no such run"),
        (["price", "first", "--chips", "x9"], "unknown chip"),
        (["price", "first", "--host", "fast"], "give `default`, `measured`, or µs a call"),
        (["price", "first", "--chips", "910b2", "--out", "no/such/place.html"], "choose another with --out"),
        (["runs", "delete", "nothing"], "no such run"),
    ],
)
def test_refusals(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_a_bad_profile_names_file_key_and_remedy(capsys: pytest.CaptureFixture[str], kept: Path) -> None:
    assert main(["chips", "new", "Bad", "--from", "h100", "--out", "bad.toml"]) == 0
    text = (kept / "bad.toml").read_text()
    (kept / "bad.toml").write_text(text.replace('unit = "TB/s"', 'unit = "furlong"', 1))
    assert main(["price", "first", "--chips", "910b2,bad.toml"]) == 2
    said = capsys.readouterr().err
    assert "bad.toml" in said and "furlong" in said


@pytest.mark.parametrize("option", ["--items-per-step", "--steps-total", "--host-factor", "--years"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "many"])
def test_numbers_must_be_positive(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["price", "first", f"{option}={value}"])
    assert option in capsys.readouterr().err


def test_runs_are_listed_shown_compared_and_deleted(capsys: pytest.CaptureFixture[str], kept: Path) -> None:
    assert main(["runs"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == ["run", "second", "first"]
    assert main(["runs", "first"]) == 0
    assert "operator" in capsys.readouterr().out
    assert main(["runs", "compare", "first", "second"]) == 0
    said = capsys.readouterr().out
    assert "aclnnMatmul" in said and "×" in said
    assert main(["runs", "compare", "first", "first", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["step_s"][0] == facts["step_s"][1]
    directory.write(kept / "jumar-runs" / "third", directory.read(kept / "jumar-runs" / "first"))
    assert main(["runs", "delete", "third"]) == 0
    assert not (kept / "jumar-runs" / "third").exists()


def test_heat_is_priced_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["price", "second", "--chips", "910b2,h100"]) == 0
    assert "hottest die" not in capsys.readouterr().out
    assert main(["price", "second", "--chips", "910b2,h100", "--cooling", "degraded", "--inlet", "45C"]) == 0
    said = capsys.readouterr().out
    assert "an hour of this" in said and said.count("degraded at 45 °C") == 2 and "longer" in said
    assert main(["price", "second", "--chips", "910b2", "--inlet", "20", "--json", "--out", "hot.html"]) == 0
    heat = json.loads(capsys.readouterr().out)["rows"][0]["heat"]
    assert heat["cooling"] == "air" and heat["inlet_c"] == 20.0 and heat["slower"] == 1.0
    page = Path("hot.html").read_text()
    assert "hottest die" in page and "air at 20 °C" in page
