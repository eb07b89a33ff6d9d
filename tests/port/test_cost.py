"""Person-days: the table reads, ranges add up, and what is automatic or runs unchanged costs less."""

from __future__ import annotations

from pathlib import Path

import pytest

from jumar.port import cost, rules
from jumar.port.finding import LAYERS, SEVERITIES, Edit, Finding

HEADING = "\t".join(cost.COLUMNS) + "\n"


def _finding(code: str = "C001", severity: str = "blocks", **other: object) -> Finding:
    values: dict[str, object] = {
        "layer": "software",
        "safety": "report",
        "effort_days": cost.days(code, severity),
        "runs_unchanged": False,
        **other,
    }
    return Finding(code, "a.py", 1, 1, 1, 5, "what", "why", severity=severity, replacement="", **values)  # type: ignore[arg-type]


def test_every_rule_has_a_row_for_every_severity() -> None:
    for loaded in rules.all_rules():
        for severity in SEVERITIES:
            low, high = cost.days(loaded.rule.code, severity)
            assert 0 <= low <= high


def test_every_layer_says_what_it_takes_once() -> None:
    assert {(layer, cost.ONCE) for layer in LAYERS} <= set(cost.table())


def test_every_row_has_a_source() -> None:
    assert all(
        source.split(":")[0] in ("assumed", "measured", "press", "vendor")
        for *_, source in cost.table().values()
    )


def test_nothing_found_costs_nothing() -> None:
    assert cost.estimate([]) == cost.Estimate((0, 0), (0, 0), (0, 0), dict.fromkeys(LAYERS, (0, 0)), 0.0)


def test_a_layer_costs_its_start_once() -> None:
    once = cost.table()["software", cost.ONCE]
    each = cost.days("C001", "blocks")
    low, high = cost.estimate([_finding(), _finding()]).by_hand
    assert (low, high) == pytest.approx((once[0] + 2 * each[0], once[1] + 2 * each[1]))


def test_words_alone_start_nothing() -> None:
    assert cost.estimate([_finding(severity="cosmetic")]).by_hand == cost.days("C001", "cosmetic")


def test_what_runs_unchanged_leaves_only_the_trial() -> None:
    assert (
        cost.estimate([_finding(runs_unchanged=True)]).unchanged == cost.table()["unchanged", cost.ONCE][:2]
    )


def test_automatic_edits_are_only_looked_at() -> None:
    by_hand = cost.estimate([_finding()])
    ported = cost.estimate([_finding(safety="safe", edit=(Edit(0, 1, "x"),))])
    assert ported.with_port[1] < by_hand.by_hand[1]
    assert by_hand.with_port == by_hand.by_hand


def test_rows_of_ones_own_go_first(tmp_path: Path) -> None:
    own = tmp_path / "effort.tsv"
    own.write_text(HEADING + "C001\tblocks\t7\t9\tour last port\n", encoding="utf-8")
    assert cost.days("C001", "blocks", own) == (7, 9)
    assert cost.days("C002", "blocks", own) == cost.days("C002", "blocks")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ":1: the first line"),
        (HEADING + "C001\tblocks\t1\t2\n", ":2: 4 cells"),
        (HEADING + "C001\tfatal\t1\t2\tx\n", ":2: no severity 'fatal'"),
        (HEADING + "C001\tblocks\tone\t2\tx\n", ":2: 'one' and '2' must be numbers"),
        (HEADING + "C001\tblocks\t3\t2\tx\n", ":2: 3 to 2 is no range"),
        (HEADING + "C001\tblocks\tnan\t2\tx\n", ":2: nan to 2 is no range"),
    ],
)
def test_a_bad_row_names_its_place_and_the_remedy(tmp_path: Path, text: str, says: str) -> None:
    own = tmp_path / "effort.tsv"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(cost.EffortError, match=f"effort.tsv{says}"):
        cost.read(own)
