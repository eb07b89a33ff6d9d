"""`jumar chips` as a person types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from jumar import chips
from jumar.cli.main import main, parser, spelled_out

Command = Callable[..., "CompletedProcess[str]"]
REFUSED = {
    "chips show H101": "did you mean H100",
    "chips show none.toml": "No such file",
    "chips compare 910b2": "two chips or more",
    "chips compare 910b2 zzzz": "there is none like it",
    "chips compare 910b2 h100 --out no/such/folder.html": "cannot be written",
    "chips new H100 --from 910b2": "name of a chip that ships",
    "chips new Mine --from 910Z": "unknown chip",
    "chips new Mine --from 910b2 --out mine.txt": "name it .toml",
    "chips new Mine --from 910b2 --out no/such/mine.toml": "cannot be written",
    "chips new Mine": "--from",
    "chips new my/chip --from 910b2 --out mine.toml": "is no name for a chip",
    "run --chip H100 ls": "H100-SXM-80GB can be priced, not run",
    "run --chip none.toml ls": "No such file",
    "env --chip 910C-package": "a program sees its dies",
}


@pytest.mark.parametrize("line", REFUSED)
def test_one_line_and_exit_code_2(jumar: Command, tmp_path: Path, line: str) -> None:
    ended = jumar(*line.split())
    assert ended.returncode == 2 and ended.stdout == ""
    assert REFUSED[line] in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1 and "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("chips", "chips list"),
        ("chips --json", "chips list --json"),
        ("chips 910b2", "chips show 910b2"),
        ("chips --json 910b2", "chips show --json 910b2"),
        ("chips compare a b", "chips compare a b"),
        ("chips --help", "chips --help"),
        ("run chips", "run chips"),
        ("", ""),
    ],
)
def test_short_forms(typed: str, meant: str) -> None:
    assert spelled_out(typed.split()) == meant.split()


def test_the_list_is_by_vendor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chips"]) == 0
    lines = capsys.readouterr().out.splitlines()
    vendors = [line for line in lines if line in ("Huawei", "NVIDIA", "AMD", "Google")]
    assert vendors == ["Huawei", "NVIDIA", "AMD", "Google"]
    assert lines.index("NVIDIA") < next(at for at, line in enumerate(lines) if line.startswith("H100-SXM"))


def test_show_prints_every_number(capsys: pytest.CaptureFixture[str]) -> None:
    main(["chips", "show", "h20", "--json"])
    (plain,) = json.loads(capsys.readouterr().out)
    main(["chips", "h20"])
    card = capsys.readouterr().out
    assert all(f"\n{key} " in card for key in plain["quantities"])
    assert all(quantity["source"] in card for quantity in plain["quantities"].values())
    assert "torch_npu does not know it" in card and "(2024-06)" in card


def test_compare_prints_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "page.html"
    assert main(["chips", "compare", "910b2", "h100", "v5p", "--out", str(out)]) == 0
    table = capsys.readouterr().out
    assert "×" in table and "–" in table and "?" in table
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    main(["chips", "compare", "910b2", "h100", "--json"])
    assert [chip["name"] for chip in json.loads(capsys.readouterr().out)["chips"]] == [
        "Ascend910B2",
        "H100-SXM-80GB",
    ]


def test_a_chip_of_ones_own_from_beginning_to_end(jumar: Command, tmp_path: Path) -> None:
    made = jumar("chips", "new", "Mine", "--from", "910b2")
    assert made.returncode == 0 and "numbers taken from Ascend910B2" in made.stdout, made.stderr
    again = jumar("chips", "new", "Mine", "--from", "910b2")
    assert again.returncode == 2 and "is there already" in again.stderr
    shown = json.loads(jumar("chips", "show", "Mine.toml", "--json").stdout)
    assert shown[0]["name"] == "Mine" and shown[0]["soc"] == "Ascend910B2"
    compared = jumar("chips", "compare", "910b2", "Mine.toml", "--out", "page.html")
    assert "drawn in page.html" in compared.stdout and (tmp_path / "page.html").is_file()
    (tmp_path / "Mine.toml").write_text("name = 3")
    bad = jumar("chips", "show", "Mine.toml")
    assert bad.returncode == 2 and bad.stderr.startswith("jumar chips: Mine.toml: name: missing; add")


def test_a_run_takes_the_file_of_a_chip_that_the_adapter_knows(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    main(["chips", "new", "Mine", "--from", "910b4", "--out", str(path), "--json"])
    text = path.read_text(encoding="utf-8").replace('value = 32, unit = "GiB"', 'value = 48, unit = "GiB"')
    path.write_text(text, encoding="utf-8")
    chip = chips.presented(chips.find(parser().parse_args(["run", "--chip", str(path), "true"]).chip))
    assert (chip.name, chip.soc, chip.number("memory.size", "B")) == ("Mine", "Ascend910B4", 48 * 2**30)
