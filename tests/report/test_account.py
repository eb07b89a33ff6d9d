"""The account of a priced run: sums agree with each other, nothing is lost, and odd runs are no exception."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import synthetic

from jumar import chips, report
from jumar.report import chrome_trace, vendor_tables
from jumar.runs import comparing, directory, pricing
from jumar.runs.account import account
from jumar.runs.account.picture import window
from jumar.runs.format import Run, Type
from jumar.runs.priced import Options, Priced


def priced(run: Run, chip: str = "910B2") -> Priced:
    return pricing.price_run(run, chips.find(chip))


@pytest.fixture(scope="module")
def run() -> Run:
    return synthetic.gpt2(steps=4, layers=4)


@pytest.fixture(scope="module")
def told(run: Run) -> dict[str, Any]:
    rows = [comparing.row(pricing.prepare(run), chips.find("H100"), Options(), None)]
    return account(run, priced(run), rows)


def test_it_is_plain_data(told: dict[str, Any]) -> None:
    assert json.loads(json.dumps(told, allow_nan=False))["beside"][1]["chip"] == "H100-SXM-80GB"


def test_operators_lines_and_modules_add_up_to_the_same(told: dict[str, Any]) -> None:
    by_operator = sum(one["seconds"] for one in told["operators"])
    assert sum(one["seconds"] for one in told["lines"]) == pytest.approx(by_operator)
    assert told["modules"]["seconds"] == pytest.approx(by_operator)
    assert sum(one["seconds"] for one in told["rests"]["work"]) == pytest.approx(by_operator)
    numbers = sum(one["seconds"] for one in told["rests"]["numbers"])
    assert numbers == pytest.approx(by_operator)


def test_a_module_holds_what_its_children_hold(told: dict[str, Any]) -> None:
    def check(node: dict[str, Any]) -> None:
        whole = node["own"] + sum(child["seconds"] for child in node["children"])
        assert whole == pytest.approx(node["seconds"]), node["name"]
        for child in node["children"]:
            check(child)

    check(told["modules"])


def test_the_parts_of_the_step_are_the_step(told: dict[str, Any]) -> None:
    step = told["step"]
    assert sum(step["parts"].values()) == pytest.approx(step["seconds"])
    assert step["low"] < step["seconds"] < step["high"]


def test_the_timeline_has_every_event_on_a_stream(run: Run, told: dict[str, Any]) -> None:
    drawn = told["picture"]["events"]
    on = sum(int((run.events.type == kind).sum()) for kind in (Type.OPERATOR, Type.COPY_H2D, Type.COPY_D2H))
    assert {len(column) for column in drawn.values()} == {on}
    assert min(drawn["start"]) >= 0 and min(drawn["length"]) >= 0 and min(drawn["queued"]) >= 0
    end = sum(drawn["start"]) + drawn["length"][-1]
    assert end <= told["picture"]["span"]


def test_what_holds_memory_at_the_peak_adds_up_to_the_peak(told: dict[str, Any]) -> None:
    one = told["memory"][0]
    held = (one["tensors"] or one)["peak_b"]
    assert sum(row["bytes"] for row in one["modules"]) == held
    assert sum(row["bytes"] for row in one["lines"]) == held
    assert max(size for _, size in one["curve"]) == one["peak_b"]


@pytest.mark.parametrize(
    "count, first, last", [(10, 0, 5), (1000, 990, 1000), (1000, 0, 10), (1000, 300, 800)]
)
def test_a_long_run_is_drawn_around_its_typical_step(count: int, first: int, last: int) -> None:
    part = window(count, first, last, most=100)
    assert 0 <= part.start <= part.stop <= count and part.stop - part.start == min(count, 100)
    assert part.start <= first < part.stop


def test_several_ranks_have_streams_each_and_one_of_them_is_drawn() -> None:
    run = synthetic.gpt2(steps=3, layers=2, processes=2)
    told = account(run, priced(run))
    assert {one["process"] for one in told["streams"]} == {0, 1}
    assert any(one["class"] == "communication" for one in told["operators"])
    assert len(told["picture"]["rows"]) == 2


@pytest.mark.parametrize("make", [directory.empty, lambda: synthetic.gpt2(steps=0, layers=1)])
def test_a_run_without_steps_has_an_account(make: Any) -> None:
    run = make()
    told = account(run, priced(run))
    facts = report.facts_of_run(run.facts, chips.find("910B2"))
    assert "Summary" in report.render(facts, told)


def test_the_trace_is_what_perfetto_reads(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    count = chrome_trace.write(run, priced(run), path)
    events = json.loads(path.read_text())["traceEvents"]
    assert len(events) == count
    bars = [one for one in events if one["ph"] == "X"]
    assert all(one["dur"] >= 0 and one["ts"] >= 0 for one in bars)
    starts = {one["id"] for one in events if one["ph"] == "s"}
    assert starts and starts == {one["id"] for one in events if one["ph"] == "f"}
    assert {"C", "M", "i"} <= {one["ph"] for one in events}
    assert any(one["cat"] == "module" and one["name"] == "attn" for one in bars)


def test_the_vendors_tables_have_its_columns(run: Run, tmp_path: Path) -> None:
    on = priced(run)
    vendor_tables.write(run, on, tmp_path)
    tables = {
        path.name: list(csv.DictReader(path.open(newline=""))) for path in sorted(tmp_path.glob("*.csv"))
    }
    kernels = tables["kernel_details.csv"]
    assert len(kernels) == int((run.events.type == Type.OPERATOR).sum())
    product = next(row for row in kernels if row["Name"] == "aclnnMatmul")
    assert product["Accelerator Core"] == "AI_CORE" and product["Input Data Types"] == "DT_BF16;DT_BF16"
    assert product["Output Shapes"].count(",") == 1 and ";" not in product["Output Shapes"]
    total = sum(float(row["Duration(us)"]) for row in kernels)
    assert sum(float(row["Total Time(us)"]) for row in tables["op_statistic.csv"]) == pytest.approx(
        total, rel=1e-4
    )
    steps = tables["step_trace_time.csv"]
    assert len(steps) == len(on.steps)
    for row in steps:
        assert float(row["Computing"]) + float(row["Free"]) <= float(row["Stage"]) * 1.001


@pytest.mark.parametrize("chip", chips.all_chips(), ids=lambda chip: chip.name)
def test_every_chip_has_a_page(chip: chips.Chip) -> None:
    run = synthetic.gpt2(steps=2, layers=1)
    told = account(run, pricing.price_run(run, chip))
    assert chip.name in report.render(report.facts_of_run(run.facts, chip), told)
    assert sum(one["seconds"] for one in told["rests"]["numbers"]) > 0


def test_what_an_optimizer_does_is_a_class_of_its_own(told: dict[str, Any]) -> None:
    found = {one["name"]: one["class"] for one in told["operators"]}
    assert found["ForeachMulScalar"] == "optimizer" and found["Matmul"] == "matrix"
    outside = [
        child["name"]
        for child in told["modules"]["children"]
        if "modules" in child["name"] or "opt" in child["name"]
    ]
    assert outside == ["outside modules", "the optimizer"]
