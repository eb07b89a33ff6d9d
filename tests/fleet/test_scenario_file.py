"""A scenario is what its file says, each number with what vouches for it; a file that says too little is refused."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from jumar.fleet import found, reading, scenario_file
from jumar.fleet.number import ASSUMED, Month, Statement
from jumar.fleet.quantity import Found
from jumar.fleet.reading import BadFile
from jumar.fleet.scenario import Scenario

Changed = Callable[..., Scenario]


def test_numbers_are_in_the_unit_of_the_program(changed: Changed) -> None:
    made = changed()
    assert made.chips["near"].price.value == 15000  # 120,000 CNY at 8 for a dollar
    assert made.sites["hall"].electricity.value == pytest.approx(0.1)
    assert made.latency["interactive"].value == 0.05
    assert made.workloads["train"].missed.value == pytest.approx(2e-6)
    assert made.workloads["train"].amount is not None and made.workloads["train"].amount.value == 2e12
    assert [made.suppliers[name].domestic for name in ("home", "abroad")] == [True, False]


def test_months_are_counted_from_the_start(changed: Changed) -> None:
    made = changed()
    assert (made.workloads["train"].deadline, made.workloads["chat"].first) == (8, 1)
    assert str(made.month(8)) == "2026-03" and Month.of("2026-01").of_year == 0
    assert made.sites["hall"].power.over(12).tolist() == [1e6] * 6 + [2e6] * 6


def test_a_series_grows_by_the_year(changed: Changed) -> None:
    rate = changed().workloads["chat"].rate
    assert rate is not None
    grown = rate.over(13)
    assert grown[12] == pytest.approx(2 * grown[0]) and grown[6] == pytest.approx(2**0.5 * grown[0])


def test_sources_that_disagree_are_both_kept(changed: Changed) -> None:
    number = changed().platforms["cann"].at_first
    assert (number.value, number.source, number.confidence) == (0.25, "A paper", "press")
    assert number.others == (Statement(0.2, "Another paper", "vendor", "for one model"),)
    assert (number.low, number.high) == (0.2, 0.25) and number.disputed


def test_a_range_that_is_given_goes_before_what_sources_span(changed: Changed) -> None:
    edit = ('value = 25, unit = "%"', 'value = 25, low = 15, high = 60, unit = "%"')
    number = changed(edit).platforms["cann"].at_first
    assert (number.low, number.high) == (0.15, 0.6)


def test_a_plain_number_counts_as_assumed(changed: Changed) -> None:
    number = changed().platforms["cann"].later
    assert (number.confidence, number.source, number.given, number.uncertain) == (ASSUMED, "", True, False)


def test_what_the_file_leaves_out_is_marked(changed: Changed) -> None:
    number = changed().risk.level
    assert number.value == 0.9 and not number.given and "not in the file" in number.note


def test_price_and_power_come_from_the_chip_file(changed: Changed) -> None:
    chip = changed().chips["far"]
    assert chip.price.value == 12500 and chip.price.confidence == "press" and chip.price.source
    assert "price.chip of H20" in chip.price.note and chip.title == "NVIDIA H20 SXM, 96 GB"


def test_a_chip_that_is_too_slow_for_the_class_is_not_used(changed: Changed) -> None:
    work = changed().workloads["chat"]
    assert list(work.throughput) == ["far", "old"] and work.too_slow == ("near",)


def test_other_values_make_another_scenario(changed: Changed) -> None:
    made = changed()
    other = made.with_values({"chips.near.price": 1000.0, "chips.near.supply.most": 7.0})
    again = other.with_values({"money.discount": 0.0})
    assert (other.chips["near"].price.value, made.chips["near"].price.value) == (1000.0, 15000.0)
    assert again.chips["near"].price.value == 1000.0 and again.money.discount.value == 0.0
    assert other.chips["near"].supply is not None
    assert other.chips["near"].supply.most.over(2).tolist() == [7.0, 7.0]
    with pytest.raises(KeyError, match=r"chips\.near\.prise"):
        made.with_values({"chips.near.prise": 1.0})


def test_every_number_can_be_changed_by_its_key(changed: Changed) -> None:
    made = changed()
    for key, number in made.numbers().items():
        shifted = number.value * 1.01 + (0.01 if number.value == 0 else 0.0)
        if key in ("money.yuan", "months") or (shifted > 1 and number.unit == "share"):
            continue
        assert made.with_values({key: shifted}).numbers()[key].value == shifted, key


def test_person_days_come_from_a_scan(changed: Changed, tmp_path: Path) -> None:
    scan = {"by_hand": [10, 50], "with_port": [4, 20], "unchanged": [1, 2], "assumed": 0.25}
    (tmp_path / "scan.json").write_text(json.dumps({"person_days": scan}), encoding="utf-8")
    edit = ('effort = "60 person-days"', 'effort = { scan = "scan.json", way = "by_hand", note = "twice" }')
    with pytest.raises(
        BadFile, match=r'cann\.effort: way "\[\]"; choose one of by_hand, with_port, unchanged'
    ):
        changed((edit[0], edit[1].replace('"by_hand"', "[]")))
    effort = changed(edit).workloads["train"].migrations["cann"].effort
    assert (effort.value, effort.low, effort.high) == (30, 10, 50)
    assert effort.source == "jumar scan, scan.json" and "25% assumed" in effort.note
    assert effort.note.endswith("; twice")


def test_throughput_comes_from_who_knows_runs(tmp_path: Path, small: Path) -> None:
    asked = []

    def priced(key: str, entry: object) -> Found:
        asked.append((key, entry))
        return Found(2.0, "ktoken/s/chip", "run r", "derived", low=1.5, high=2.5)

    text = small.read_text(encoding="utf-8").replace('near = "2016 token/s/chip"', 'near = { run = "r" }')
    path = tmp_path / "priced.toml"
    path.write_text(text, encoding="utf-8")
    rate = scenario_file.load(path, {"run": priced}).workloads["train"].throughput["near"]
    assert (rate.value, rate.low, rate.high, rate.confidence) == (2000, 1500, 2500, "derived")
    assert asked == [("workloads.train.throughput.near", {"run": "r"})]


REFUSED = {
    'late = "1,000,000 USD/month"': (
        'late = { value = 1, unit = "USD/month", confidence = "press" }',
        "workloads.train.late: confidence press without a source",
    ),
    'title = "Chat"': (
        'title = "Chat"\nmigrations.cann = { effort = "1 person-day" }',
        "workloads.chat.migrations.cann: the workload already runs there",
    ),
    "supply.lead = 2": (
        'supply.lead = 2\nsupply.first = "2025-10"\nsupply.last = "2025-09"',
        "chips.far.supply.last: before first",
    ),
    'first = "2025-08"': ('first = "2026-07"', "workloads.chat.first: after the end of the scenario"),
    'name = "small"': ("", "name: missing"),
    "months = 12": ("months = 12.5", "months: 12.5 are not whole months"),
    'start = "2025-07"': ('start = "July"', 'start: "July" is no month; write it as "2025-07"'),
    'discount = "5 %/year"': (
        "discount = 5",
        'money.discount: a bare 5; write it with its unit, as in "5 share',
    ),
    "yuan = 8": ("yuan = 0", "money.yuan: 0 cannot be; it must be at least 0.1 and at most 100"),
    'interactive = "50 ms"': (
        'interactive = "50 W"',
        'latency.interactive: "W" is no unit of it; give it in s',
    ),
    'later = "75 %"': (
        'later = "175 %"',
        "platforms.cann.later: 175 % cannot be; it must be at least 0 % and at most 150 %",
    ),
    'months = "10 months"': ('monhts = "10 months"', "platforms.cann.monhts: unknown; did you mean months?"),
    'source = "paper"': ('source = "papr"', 'source "papr" is not under [sources]'),
    'source = "paper", confidence = "press"': ('source = "paper"', "a source without confidence"),
    'source = "other", confidence = "vendor"': ('confidence = "vendor"', "a second number needs a source"),
    'confidence = "press", also': (
        'confidence = "rumour", also',
        'confidence "rumour"; choose one of vendor',
    ),
    'profile = "H20"': ('profile = "H21"', "chips.far.profile: unknown chip 'H21': did you mean"),
    'supply.most = "500 chips/month"': ("", "chips.far.supply.most: missing"),
    'price = "120,000 CNY/chip"': (
        'price = "-1 USD/chip"',
        "chips.near.price: -1 USD/chip cannot be; it must be at least 0 USD/chip",
    ),
    "supply.lot = 8": ("supply.lot = true", "chips.near.supply.lot: True is not a number"),
    "stock = 400": ("stock = 1e400", "chips.old.stock: too large to be meant"),
    'runs_on = ["cuda"]': ('runs_on = ["cuda", "rocm"]', '"rocm" is not under [platforms]; there are cuda'),
    'migrations.cann = { effort = "60 person-days" }': (
        "",
        'the chip\'s platform is "cann"; add it to runs_on',
    ),
    'throughput = { near = "2016 token/s/chip"': (
        'throughput = { nearer = "2016 token/s/chip"',
        'workloads.train.throughput: "nearer" is not under [chips]',
    ),
    'kind = "training"': (
        'kind = "training"\nrate = "1 token/s"',
        "rate: not for a workload of kind training",
    ),
    'deadline = "2026-03"': ('deadline = "2027-03"', "deadline: must lie between first and the end"),
    'missed = "2 USD/Mtoken"': (
        'missed = "2 USD/Mrequest"',
        'missed: in USD/request, but the unit of the workload is "token"',
    ),
    'rate = { value = 300, unit = "ktoken/s", growth = "100 %/year" }': (
        'rate = { "2025-07" = "300 ktoken/s", "2025-12" = "3 request/s" }',
        'workloads.chat.rate: in request/s, but the unit of the workload is "token"',
    ),
    'latency_class = "interactive"': ('latency_class = "quick"', '"quick" is not under [latency]'),
    "racks = 200": ("racks = {}", "sites.hall.racks: has no value"),
    '"2026-01" = "2 MW"': ('"2026-13" = "2 MW"', '"2026-13" is no month'),
    "25, 28, 30, 50, 27": ("25, 28, 27", "sites.hall.inlet: values: write twelve numbers"),
    "low = 1, high = 4": ("low = 3, high = 4", "is not within low and high"),
    '[suppliers.home]\ntitle = "Home"': (
        "[suppliers.home]\ntitle = 5",
        "suppliers.home.title: 5 is not a text",
    ),
    "[suppliers.abroad]": ('[suppliers."a.b"]', "cannot be empty or have a dot"),
    '[platforms.cuda]\ntitle = "CUDA"': ("[platforms]\ncuda = 5", "platforms.cuda: 5 is no section"),
}


@pytest.mark.parametrize("old", REFUSED)
def test_a_file_that_says_too_little_is_refused(changed: Changed, old: str) -> None:
    new, complaint = REFUSED[old]
    with pytest.raises(BadFile) as refused:
        changed((old, new))
    assert complaint in str(refused.value)
    assert str(refused.value).startswith("changed.toml: ") and "\n" not in str(refused.value)


def test_a_rule_names_who_says_so(changed: Changed) -> None:
    rule = '[rules.r]\ntitle = "R"\njurisdiction = "US"\nchips = ["far"]\neffect = "stop"\nend = "2025-09"\n'
    assert changed(more=rule).rules[0].source == ""
    assert changed(more=f'{rule}source = "paper"').rules[0].source == "A paper"
    with pytest.raises(BadFile, match=r'rules\.r\.source: "papr" is not under \[sources\]'):
        changed(more=f'{rule}source = "papr"')
    with pytest.raises(BadFile, match=r"rules\.r\.end: not after begin"):
        changed(more=f'{rule}begin = "2025-09"')


@pytest.mark.parametrize("like", ['"chips.near.prise"', '"platforms.cann.at_first"', "5"])
def test_luck_is_shared_with_a_number_that_is_drawn_by_itself(changed: Changed, like: str) -> None:
    first = ('value = 25, unit = "%"', 'value = 25, like = "platforms.cann.later", unit = "%"')
    later = ('later = "75 %"', f'later = {{ value = 75, unit = "%", like = {like} }}')
    assert changed(first).platforms["cann"].at_first.like == "platforms.cann.later"
    with pytest.raises(BadFile, match="like"):
        changed(first, later)


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("name = ", encoding="utf-8")
    with pytest.raises(BadFile, match=r"broken\.toml: not valid TOML"):
        scenario_file.load(path)
    with pytest.raises(BadFile, match="cannot be read"):
        scenario_file.load(tmp_path / "missing.toml")


MORE = """
[rules.r]
title = "R"
jurisdiction = "US"
chips = ["far"]
effect = "stop"
[hazards.h]
jurisdiction = "US"
chips = ["far"]
stops = "1/year"
[rentals.r]
chip = "old"
price = "2 USD/chip/hour"
most = 10
"""


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('chips = ["far"]\neffect', 'chips = ["fir"]\neffect', 'rules.r.chips: "fir" is not under [chips]'),
        ('chips = ["far"]\nstops', 'chips = ["fir"]\nstops', 'hazards.h.chips: "fir" is not under [chips]'),
        ('chip = "old"', 'chip = "ald"', 'rentals.r.chip: "ald" is not under [chips]'),
    ],
)
def test_rules_and_rentals_are_of_chips_that_there_are(
    changed: Changed, old: str, new: str, complaint: str
) -> None:
    assert MORE.count(old) == 1
    with pytest.raises(BadFile) as refused:
        changed(more=MORE.replace(old, new))
    assert complaint in str(refused.value)


def test_a_rented_hour_costs_what_the_chip_file_says(changed: Changed) -> None:
    price = 'price = { profile = "h800", quantity = "price.hour" }'
    made = changed(more=MORE.replace('price = "2 USD/chip/hour"', price))
    assert made.rentals["r"].price.value == 2.25 and made.rentals["r"].price.unit == "USD/chip/hour"


def test_every_row_of_the_table_is_read(changed: Changed, monkeypatch: pytest.MonkeyPatch) -> None:
    read = set()
    original = reading.Section.read

    def noting(section: reading.Section, name: str) -> object:
        row = section.schema.row(section.place(name))
        read.add(row.key if row else name)
        return original(section, name)

    monkeypatch.setattr(reading.Section, "read", noting)
    edit = (
        "supply.lot = 8",
        'supply.lot = 8\nsupply.good = { now = "50 %", later = "60 %", planned = "50 %" }',
    )
    changed(edit, more=MORE)
    assert read == set(reading.schema(scenario_file.SCHEMA).rows)


def test_every_row_has_a_meaning_and_a_default_that_can_be_read(changed: Changed) -> None:
    rows = reading.schema(scenario_file.SCHEMA).rows.values()
    assert all(row.meaning and row.kind in reading.READERS for row in rows)
    defaults = [row for row in rows if row.default not in (reading.NEEDED, reading.ABSENT)]
    held = changed(more=MORE).numbers()
    assert {row.kind for row in defaults} == {"number", "series", "numbers", "text", "names", "flag"}
    assert sum(not number.given for number in held.values()) > 60


def test_a_scenario_lists_all_of_its_numbers_once(changed: Changed) -> None:
    made = changed(more=MORE)
    keys = [number.key for number in made.numbers().values()]
    assert len(keys) == len(set(keys)) and all(keys)
    for chapter in ("chips", "suppliers", "platforms", "workloads", "sites", "rentals", "rules", "hazards"):
        assert any(key.startswith(f"{chapter}.") for key in keys), chapter
    assert {one.name for one in fields(made.risk)} == {key[5:] for key in keys if key.startswith("risk.")}


JUNK: tuple[object, ...] = (
    *(0, -1, 1.5, 1e400, float("nan"), 10**400, True, "", "x", "1 USD", "5 months", "-3 %", "2025-07"),
    *("trillion", "1 /", "1 million", [], ["x"], [1], {}, {"value": 1}, {"value": "a"}, {"growth": 1}),
    *({"value": 1, "unit": "W"}, {"value": 1, "unit": 5}, {"scan": 5}, {"scan": "x"}, {"profile": 5}),
    *(
        {"2025-09": 1},
        {"values": [1] * 12, "unit": "°C"},
        {"value": 1, "also": [{}]},
        {"value": 1, "also": 5},
    ),
)


def places(record: object, above: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Every place in a parsed file."""
    if isinstance(record, dict):
        for key, value in record.items():
            yield (*above, key)
            yield from places(value, (*above, key))


def test_nonsense_anywhere_is_refused_or_read_but_never_a_crash(small: Path) -> None:
    whole, chance = reading.parse(small), random.Random(5)
    everywhere = list(places(whole))
    refused = 0
    for _ in range(600):
        record = copy.deepcopy(whole)
        *above, last = chance.choice(everywhere)
        part: Any = record
        for key in above:
            part = part[key]
        if chance.random() < 0.2:
            del part[last]
        else:
            part[last] = chance.choice(JUNK)
        try:
            scenario_file.build(
                record, small, {"scan": found.Scans(small.parent), "profile": found.profile}, {}
            )
        except BadFile as error:
            refused += 1
            assert str(error).startswith("small.toml: ") and "\n" not in str(error)
    assert refused > 400
