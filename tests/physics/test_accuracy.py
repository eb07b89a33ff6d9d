"""The evaluation against measurements: no row is lost, the split stays what it was, the page is as generated."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "benchmarks" / "accuracy"


@pytest.fixture(autouse=True)
def benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))


def test_every_row_is_used_or_left_out_with_a_reason() -> None:
    from cases import all_cases
    from rows import read_rows

    cases = all_cases()
    used = [case.row.line for case in (*cases.operators, *cases.steps)]
    left = [row.line for row, _ in cases.left_out]
    assert sorted(used + left) == [row.line for row in read_rows()]
    assert all(reason for _, reason in cases.left_out)


def test_the_split_is_by_workload_and_stays_what_it_was() -> None:
    from cases import all_cases
    from rows import fit_workloads

    cases = all_cases()
    assert cases.fit["MPT training"] == {"MPT-1b", "MPT-3b", "MPT-760m"}
    assert cases.fit["NeMo training"] == {"GPT-5B", "LLAMA2-13B", "LLAMA2-70B", "Qwen3_30B_a3B"}
    assert cases.fit["NeuSight"] == {"bert_large", "gpt3_27"}
    assert cases.fit["910 inference"] == {"qwen3", "qwen3.5"}
    sizes = {"24x1024x2816x16", "40x2304x5760x36", "40x5120x13824x40", "42x3584x14336x16", "60x6656x17920x52"}
    assert cases.fit["910B training"] == sizes
    assert fit_workloads(["a", "b", "c", "d"]) == fit_workloads(["d", "c", "b", "a"])


def test_the_page_is_as_generated_and_the_goals_that_were_met_stay_met() -> None:
    from cases import all_cases
    from page import page
    from run import predict_memory, predict_operators, predict_steps

    cases = all_cases()
    text = page(cases, predict_steps(cases), predict_operators(cases), predict_memory(cases))
    written = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    assert text == written, "run benchmarks/accuracy/run.py and commit docs/accuracy.md"
    assert "| 910B whole steps, MAPE | ≤ 12 % (aim 8 %) |" in text
    for line in text.splitlines():
        if line.startswith(
            ("| 910B whole steps, MAPE", "| A100 and H100 whole steps, MAPE", "| range covers")
        ):
            assert line.endswith("| met |"), line


def teardown_module() -> None:
    """These modules have plain names; no other test should find them."""
    for name in (
        "cases",
        "rows",
        "page",
        "plot",
        "run",
        "pricing",
        "measures",
        "models",
        "operator_rows",
        "step_rows",
    ):
        sys.modules.pop(name, None)
