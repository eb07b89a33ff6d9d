"""The export rules give the verdicts of worked examples, turn where the rules turn, and leave open what is unknown."""

from __future__ import annotations

import csv
import json
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from jumar import chips, cli
from jumar.fleet import export_rules, scenario_file
from jumar.fleet.export_rules import Figures
from jumar.fleet.export_rules.rules import FILE, _rule

with Path(__file__).with_name("export_examples.tsv").open(encoding="utf-8") as table:
    EXAMPLES = list(csv.DictReader(table, delimiter="\t"))
EXAMPLES_FOLDER = Path(__file__).parents[2] / "examples" / "fleet"
JUDGED = ("2022-10", "2023-10", "2025-04", "2026-01-review", "2026-01-tariff")
# TPP 2,368 at 814 mm²: an H20.
H20 = Figures(tpp=2368, area=814, io=900, dram=4000)


def verdict(key: str, figures: Figures) -> str:
    return export_rules.judge(export_rules.rules()[key], figures).verdict


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: row["example"])
def test_every_worked_example(row: dict[str, str]) -> None:
    figures = Figures(
        float(row["tpp"]), float(row["area_mm2"]) or None, float(row["io_gb_s"]), float(row["dram_gb_s"])
    )
    density = figures.named()["pd"]
    assert f"{density or 0:.2f}" == f"{float(row['density']):.2f}"
    assert {key: verdict(key, figures) for key in JUDGED} == {key: row[key] for key in JUDGED}


@pytest.mark.parametrize("row", [row for row in EXAMPLES if row["chip"]], ids=lambda row: row["example"])
def test_every_worked_example_from_the_chip_file(row: dict[str, str]) -> None:
    found: dict[str, str] = {}
    for day in (date(2023, 1, 1), date(2026, 6, 1)):
        said = export_rules.classify(chips.find(row["chip"]), day)
        found |= {one["key"]: one["verdict"] for one in said["rules"] if one["verdict"]}
    assert said["measures"]["tpp"]["value"] == pytest.approx(float(row["tpp"]), rel=1e-3)
    if float(row["density"]):
        assert said["measures"]["pd"]["value"] == pytest.approx(float(row["density"]), abs=0.006)
    assert {key: found[key] for key in JUDGED} == {key: row[key] for key in JUDGED}


def test_every_chip_that_ships_gets_a_verdict() -> None:
    for chip in chips.all_chips():
        said = export_rules.classify(chip, date(2026, 6, 1))
        assert all(one["verdict"] != "open" for one in said["rules"]), chip.name


@pytest.mark.parametrize(
    ("key", "below", "at", "figures", "change"),
    [
        ("2023-10", "not controlled", "3A090.b", H20, {"tpp": 2400}),
        ("2023-10", "not controlled", "3A090.b", replace(H20, tpp=1600, area=100), {"area": 500}),
        ("2023-10", "3A090.b", "3A090.a", replace(H20, area=2000), {"tpp": 4800}),
        ("2022-10", "not controlled", "controlled", replace(H20, tpp=4800), {"io": 600}),
        ("2025-04", "no licence under it", "licence", replace(H20, io=100), {"dram": 1400}),
        ("2025-04", "no licence under it", "licence", replace(H20, dram=100), {"io": 1100}),
        ("2025-04", "no licence under it", "licence", replace(H20, dram=900), {"io": 800}),
        ("2026-01-review", "case-by-case zone", "presumption of denial", H20, {"tpp": 21000}),
        (
            "2026-01-review",
            "case-by-case zone",
            "presumption of denial",
            replace(H20, tpp=9000),
            {"dram": 6500},
        ),
    ],
)
def test_verdicts_turn_exactly_at_the_limits(
    key: str, below: str, at: str, figures: Figures, change: dict[str, float]
) -> None:
    ((figure, limit),) = change.items()
    assert verdict(key, replace(figures, **{figure: limit})) == at
    other = limit * (1 + 1e-6) if figure == "area" else limit * (1 - 1e-6)
    assert verdict(key, replace(figures, **{figure: other})) == below


def test_bands_of_the_tariff_are_open_at_both_ends() -> None:
    inside = Figures(tpp=15832, area=814, io=900, dram=4800)
    assert verdict("2026-01-tariff", inside) == "first band"
    for edge in ({"tpp": 14000.0}, {"tpp": 17500.0}, {"dram": 4500.0}, {"dram": 5000.0}):
        assert verdict("2026-01-tariff", replace(inside, **edge)) == "no tariff"


def test_the_h20_is_one_point_four_percent_below_a_line() -> None:
    line = export_rules.nearest(export_rules.rules()["2023-10"], H20)
    assert line and (line.figure, line.limit, line.verdict) == ("tpp", 2400, "3A090.b")
    assert f"{line.change:.1%}" == "1.4%"
    assert verdict("2023-10", replace(H20, tpp=H20.tpp * (1 + line.change))) == "3A090.b"


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: row["example"])
def test_just_beyond_the_nearest_line_the_verdict_is_the_other_one(row: dict[str, str]) -> None:
    figures = Figures(
        float(row["tpp"]), float(row["area_mm2"]) or None, float(row["io_gb_s"]), float(row["dram_gb_s"])
    )
    for key in JUDGED:
        line = export_rules.nearest(export_rules.rules()[key], figures)
        if line is None:
            continue
        sides = [replace(figures, **{line.figure: line.limit * side}) for side in (1 - 1e-6, 1 + 1e-6)]
        assert line.verdict in [verdict(key, one) for one in sides]
        inside = replace(figures, **{line.figure: line.value * (1 + 0.999 * line.change)})
        assert verdict(key, inside) == verdict(key, figures)


def test_what_is_unknown_leaves_open_only_what_depends_on_it() -> None:
    rule = export_rules.rules()["2023-10"]
    unknown = Figures(tpp=2368, area=None, io=None, dram=None)
    said = export_rules.judge(rule, unknown)
    assert (said.verdict, said.open) == ("open", ("pd",))
    assert said.possible == ("3A090.a", "3A090.b", "not controlled")
    assert export_rules.nearest(rule, unknown) is None
    # Below 1,600 and from 4,800 on the area does not matter.
    assert verdict("2023-10", replace(unknown, tpp=1599)) == "not controlled"
    assert verdict("2023-10", replace(unknown, tpp=4800)) == "3A090.a"
    # The rule of 2026 asks that of 2023 first, so it is open for the same reason.
    later = export_rules.judge(export_rules.rules()["2026-01-review"], replace(unknown, dram=1000))
    assert later.verdict == "open" and set(later.possible) == {"case-by-case zone", "not concerned"}


def test_note_2_exempts_what_is_not_for_data_centres_below_4800() -> None:
    card = Figures(tpp=4700, area=600, io=64, dram=900, datacentre=False)
    assert verdict("2023-10", card) == "exempt by note 2"
    assert verdict("2023-10", replace(card, datacentre=True)) == "3A090.a"
    assert verdict("2023-10", replace(card, tpp=4800)) == "3A090.a"
    assert verdict("2026-01-review", card) == "not concerned"


@pytest.mark.parametrize(
    ("day", "in_force"),
    [
        (date(2022, 10, 20), []),
        (date(2022, 10, 21), ["2022-10"]),
        (date(2023, 11, 16), ["2022-10"]),
        (date(2023, 11, 17), ["2023-10"]),
        (date(2025, 5, 12), ["2023-10", "2024-12", "2025-01-caps", "2025-01-foundry", "2025-04"]),
        (date(2025, 5, 13), ["2023-10", "2024-12", "2025-01-foundry", "2025-04", "2025-05"]),
    ],
)
def test_the_version_of_the_day_holds(day: date, in_force: list[str]) -> None:
    said = export_rules.classify(chips.find("h20"), day)
    assert [one["key"] for one in said["rules"]] == in_force


def test_chips_that_documents_name_are_told_apart_from_chips_with_similar_names() -> None:
    day = date(2026, 6, 1)

    def named(name: str) -> set[str]:
        return {one["key"] for one in export_rules.classify(chips.find(name), day)["rules"] if one["named"]}

    assert named("H20") == {"2025-08", "2026-01-review"}
    assert named("H200") == set()
    assert named("910c") == named("910b3") == {"2025-05"}
    assert named("L20") == {"2026-01-review"} and named("L40S") == set()


def test_on_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    assert cli.main(["chips", "new", "mine", "--from", "H20", "--out", str(mine)]) == 0
    capsys.readouterr()
    assert cli.main(["chips", "classify", "910c", "h20", str(mine), "--as-of", "2025-05-01"]) == 0
    text = capsys.readouterr().out
    assert "not legal advice" in text and "TPP 2,368 → 2,400 (1.4 % more)" in text
    assert "Ascend910_9382 is a die of Ascend910C, which is what is sold" in text
    assert cli.main(["chips", "classify", str(mine), "--as-of", "2025-05-01", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert one["chip"] == "mine" and one["effect"] == "licence"
    lines = mine.read_text(encoding="utf-8").splitlines(keepends=True)
    mine.write_text("".join(line for line in lines if not line.startswith("die_area")), encoding="utf-8")
    assert cli.main(["chips", "classify", str(mine), "--as-of", "2024-01-01"]) == 0
    text = capsys.readouterr().out
    assert "3A090.a or 3A090.b or not controlled: performance density unknown" in text
    assert "3.2 with up to 740 mm²" in text and "process.die_area or process.dies is not in" in text
    assert cli.main(["chips", "classify", "h20", "--as-of", "May 2025"]) == 2
    assert "2025-05-01" in capsys.readouterr().err


def test_a_day_after_the_sources_end_says_so() -> None:
    after = export_rules.classify(chips.find("h20"), date(2026, 11, 1))
    assert any(str(export_rules.read_until()) in note for note in after["notes"])
    before = export_rules.classify(chips.find("h20"), date(2026, 6, 1))
    assert not any(str(export_rules.read_until()) in note for note in before["notes"])


def test_a_scenario_is_told_what_the_rules_say_of_its_chips_at_both_ends() -> None:
    scenario = scenario_file.load(EXAMPLES_FOLDER / "company.toml")
    found = export_rules.in_scenario(scenario)
    assert found["days"] == [f"{scenario.start}-01", str(export_rules.read_until())]
    assert [(one["title"], one["source"]) for one in found["assumed"]] == [
        (rule.title, rule.source) for rule in scenario.rules
    ]
    by_profile = {one["profile"]: one for one in found["classified"]}
    h20 = by_profile["H20-SXM-96GB"]
    assert "licence (2025-04)" in h20["summaries"][-1] and "1.4 % more" in h20["nearest"]
    assert len(by_profile) == sum(one.profile is not None for one in scenario.chips.values())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"confidence": "rumour"}, "confidence: choose one of"),
        ({"aside": "about something else"}, "either outcomes"),
        ({"outcome": [{"verdict": "v", "effect": "ban", "means": "m", "cases": []}]}, "effect ban"),
        ({"outcome": [{"verdict": "v", "effect": "free", "means": "m", "cases": [["tpp > many"]]}]}, "as in"),
        ({"outcome": [{"verdict": "v", "effect": "free", "means": "m", "cases": [["flops > 1"]]}]}, "as in"),
    ],
)
def test_a_rule_that_cannot_be_understood_is_refused(change: dict[str, object], said: str) -> None:
    record = tomllib.loads(FILE.read_text(encoding="utf-8"))
    row = next(row for row in record["rule"] if "outcome" in row)
    assert _rule(row) == export_rules.rules()[row["key"]]
    with pytest.raises(export_rules.BadRule, match=said):
        _rule({**row, **change})
