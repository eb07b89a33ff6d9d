"""The page of a scan: one file that needs no other, says cost first, and lets nothing of the repository become markup."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from jumar.port import scanning
from jumar.port.finding import Finding
from jumar.port.repository import Repository
from jumar.report import scan_facts, scan_page

HOSTILE = '"</script><script>alert(1)</script>cuda:0"'


def _facts(folder: Path, text: str) -> dict[str, object]:
    (folder / "train.py").write_text(text, encoding="utf-8")
    repository = Repository.at(folder)
    return scan_facts.collect(scanning.scan(repository, jobs=1), repository)


def _data(page: str) -> dict[str, object]:
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert match
    data: dict[str, object] = json.loads(match[1])
    return data


def test_says_the_verdict_and_three_costs(tmp_path: Path) -> None:
    page = scan_page.render(_facts(tmp_path, "import torch\ntorch.cuda.synchronize()\n"))
    assert "keep it from running on Ascend" in page
    assert [page.index(name) for _, _, name, _ in scan_page.COSTS] == sorted(
        page.index(name) for _, _, name, _ in scan_page.COSTS
    )
    files = _data(page)["files"]
    assert isinstance(files, list) and files[0][0] == "train.py"


def test_nothing_found_is_said(tmp_path: Path) -> None:
    page = scan_page.render(_facts(tmp_path, "print(1)\n"))
    assert "Nothing found" in page
    assert _data(page)["files"] == []


def test_needs_no_other_file(tmp_path: Path) -> None:
    page = scan_page.render(_facts(tmp_path, "import torch\ntorch.cuda.synchronize()\n"))
    assert not re.search(r"""(src|href)\s*=|@import|url\(|https?://""", page)


def test_code_does_not_become_markup(tmp_path: Path) -> None:
    page = scan_page.render(
        _facts(tmp_path, f"import torch\nx = torch.zeros(1, device={HOSTILE}); torch.cuda.synchronize()\n")
    )
    assert "<script>alert" not in page
    assert page.count("</script>") == 2
    files = _data(page)["files"]
    assert HOSTILE in str(files).replace("\\", "")


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ((0, 0), "0"),
        ((0.01, 0.1), "0.01–0.1"),
        ((0.5, 4), "0.5–4"),
        ((7.24, 71.2), "7.2–71"),
        ((1500, 20000), "1,500–20,000"),
    ],
)
def test_days_are_said_as_precisely_as_they_are_known(span: tuple[float, float], said: str) -> None:
    assert scan_page.days(span) == said


@pytest.mark.parametrize("before", [0, 30, 150, 100_000])
def test_the_part_meant_is_shown_of_a_line_of_any_length(before: int) -> None:
    line = "    " + "x" * before + "torch.cuda" + "y" * before
    column = 5 + before
    one = Finding(
        "C010", "a.py", 1, column, 1, column + 10, "", "", "software", "blocks", "", "report", (0, 0), True
    )
    shown = scan_facts.shown(one, [line])
    assert shown["text"][shown["start"] : shown["start"] + shown["length"]] == "torch.cuda"
    assert len(shown["text"]) <= scan_facts.SHOWN
