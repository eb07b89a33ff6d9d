"""The findings judged by hand: each wrong one says which part of it is wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "ports"
WRONG = {
    "look": "sixth, random",
    "repo": "a/b",
    "path": "a.py",
    "line": "1",
    "code": "C001",
    "verdict": "wrong",
    "wrong_part": "weight",
}


@pytest.fixture(autouse=True)
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(FOLDER))
    yield
    for name in ("parts", "mirrors"):
        sys.modules.pop(name, None)


def test_each_wrong_finding_names_its_part() -> None:
    import mirrors
    import parts

    rows = mirrors.rows("labels.tsv")
    parts.check(rows)
    assert all(parts.wrong_in(row) for row in rows if parts.asked(row) and not parts.is_right(row))


@pytest.mark.parametrize(
    "changed",
    [
        {"wrong_part": "-"},
        {"wrong_part": "severity"},
        {"verdict": "right"},
        {"look": "first"},
    ],
)
def test_a_row_that_does_not_fit_is_named(changed: dict[str, str]) -> None:
    import parts

    with pytest.raises(ValueError, match=r"labels\.tsv: .*a\.py:1, C001"):
        parts.check([WRONG | changed])


@pytest.mark.parametrize(
    ("part", "tie"), [("weight", True), ("layer,advice", True), ("cause,weight", False), ("place", False)]
)
def test_a_true_tie_has_place_and_cause(part: str, tie: bool) -> None:
    import parts

    assert parts.is_tie(WRONG | {"wrong_part": part}) is tie


def test_the_interval_is_wilsons() -> None:
    import parts

    assert parts.interval(103, 120) == "78.5% – 91.0%"
    assert parts.interval(0, 0) == "–"
