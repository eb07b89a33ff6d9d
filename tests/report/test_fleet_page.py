"""The page of a plan and of a simulated cluster: decision first, every drawing true to its numbers, nothing from outside."""

from __future__ import annotations

import copy
import json
import math
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from jumar.fleet import evidence
from jumar.fleet.number import Number, Statement
from jumar.report import axes, fleet_page, plan_drawings, simulation_drawings

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MONTHS = [f"{2025 + at // 12}-{at % 12 + 1:02}" for at in range(24)]


def number(key: str, value: float, unit: str, confidence: str, **more: Any) -> dict[str, Any]:
    others = tuple(Statement(other, "another <document>", "press", "later") for other in more.pop("also", ()))
    source = more.pop("source", "a document")
    return evidence.row(Number(value, unit, key, source, confidence, others=others, **more))


NUMBERS = [
    number("chips.h20.price", 12500, "USD/chip", "press"),
    number("chips.910c.supply.yield.now", 0.2, "share", "press", low=0.15, high=0.4, also=(0.4,)),
    number("risk.weight", 0.3, "share", "assumption", source=""),
    number("risk.level", 0.9, "share", "assumption", source="", given=False),
]  # fmt: skip


def ramp(low: float, high: float) -> list[float]:
    return [low + (high - low) * at / 23 for at in range(24)]


PLAN: dict[str, Any] = {
    "title": "Chips for two years",
    "story": "A company may buy.\n\nIt has <some> in stock.",
    "months": MONTHS,
    "chips": {"a100": "NVIDIA A100", "910c": "Ascend 910C", "asic": "Own ASIC"},
    "workloads": {
        "pretrain": {"title": "Pre-training of the next model", "kind": "training", "first": 2, "deadline": 17},
        "chat": {"title": "Chat", "kind": "inference", "first": 0, "deadline": None},
    },
    "decision": ["Order 8,192 Ascend 910C now & wait with the rest.", "Yields rise.", "Rules may change <soon>."],
    "figures": [{"name": "expected cost", "text": "412 million USD", "note": "380 to 470"}],
    "values": [{"name": "waiting a month", "value": -3.1e6, "meaning": "what it costs to decide a month later"}],
    "orders": [{"month": "2025-01", "chip": "910c", "chips": 8192, "cost": 2.1e8}],
    "moves": [{"month": "2025-02", "workload": "pretrain", "platform": "cann"}],
    "compared": [
        {"name": name, "title": title, "cost": cost, "cost_low": 0.9 * cost, "cost_high": 1.2 * cost, "missed": cost / 9,
         "missed_worst": cost / 4, "largest_supplier": share}
        for name, title, cost, share in (("plan", "this plan", 4.1e8, 0.61), ("wait", "wait half a year", 5.2e8, 1.0))
    ],
    "supply": [
        {"chip": chip, "low": ramp(0, top / 2), "quarter": ramp(0, top * 0.7), "middle": ramp(0, top * 0.8),
         "three_quarters": ramp(0, top * 0.9), "high": ramp(0, top), "promised": ramp(0, top * 1.2)}
        for chip, top in (("910c", 8000.0), ("asic", 20000.0))
    ],
    "assignments": [
        {"workload": "pretrain", "chip": "a100", "chips": [0.0] * 2 + [900.0] * 4 + [0.0] * 18},
        {"workload": "pretrain", "chip": "910c", "chips": [0.0] * 5 + ramp(400, 7000)[:13] + [0.0] * 6},
        {"workload": "chat", "chip": "asic", "chips": [0.0] * 12 + ramp(500, 15000)[:12]},
        {"workload": "chat", "chip": "a100", "chips": [1000.0] * 12 + [0.0] * 12},
    ],
    "served": [{"workload": "chat", "share": [1.0] * 20 + [0.5] * 4, "in_time": None},
               {"workload": "pretrain", "share": [None] * 2 + [0.9] * 22, "in_time": 0.83}],
    "frontier": [
        {"label": f"limit {at}", "cost": 4e8 + 3e7 * at, "delay": 6.0 - at, "dependence": 1 - 0.15 * at, "chosen": at == 2}
        for at in range(5)
    ],
    "delay_unit": "months late",
    "base_cost": 4.1e8,
    "tornado": [
        {"key": "y", "name": "yield of the 910C", "low_text": "15 %", "high_text": "40 %", "low_cost": 4.9e8,
         "high_cost": 3.6e8, "other_decision": True},
        {"key": "p", "name": "electricity", "low_text": "0.04", "high_text": "0.12", "low_cost": 4.05e8,
         "high_cost": 4.2e8, "other_decision": False},
    ],
    "export_rules": {
        "days": ["2025-01-01", "2026-08-13"],
        "assumed": [{"title": "a tariff", "jurisdiction": "US", "chips": ["NVIDIA H20"], "effect": "surcharge",
                     "share": 0.25, "begin": "2026-01", "end": None, "probability": 0.6, "source": "91 FR <1>"}],
        "classified": [{"chip": "NVIDIA H20", "profile": "H20-SXM-96GB", "tpp": 2368, "density": None,
                        "summaries": ["not controlled", "licence"], "nearest": "TPP 1.4 % more"}],
    },
    "notes": ["200 samples in 24 groups."],
    "numbers": NUMBERS,
}  # fmt: skip


def spread(middle: float, wide: float = 0.1) -> dict[str, float]:
    return {"mean": middle, "middle": middle, "low": middle * (1 - wide), "high": middle * (1 + wide)}


CLUSTER: dict[str, Any] = {
    "title": "16,384 chips",
    "replicas": 100,
    "finished": 0,
    "chips": 16384,
    "hosts": 2048,
    "days": 54,
    "jobs": [{"name": "pretrain", "chips": 16000, "hours": math.inf, "count": 1}],
    "ranges": {"goodput": spread(0.9, 0.02), "useful_of_all": spread(0.85, 0.03), "ettr": spread(0.91, 0.02),
               "days_to_end": spread(math.nan), "interruptions": spread(419), "hours_between_stops": spread(3.1)},
    "uses": [{"name": name, "meaning": name, **spread(share)} for name, share in (("useful", 0.9), ("redone", 0.04),
             ("checkpoints", 0.03), ("restarting", 0.03))],
    "kinds": [{"name": "gpu", "effect": "stop", "stops": spread(148), "failures": spread(150)}],
    "daily": [{"day": day, "useful": spread(0.85), "failures": spread(8 + day % 3, 0.5), "replicas": 100}
              for day in range(1, 55)],
    "timeline": [{"day": day / 7, "kind": ("gpu", "switch")[day % 9 == 0], "hosts": 1 + 15 * (day % 9 == 0),
                  "stopped_job": day % 3 > 0, "hours_lost": 0.4} for day in range(370)],
    "timeline_of": 1227,
    "gantt": [{"name": "pretrain", "chips": 16000, "arrives": 0.0, "begins": 0.0, "ends": None, "until": 54.0, "stops": 4},
              {"name": "tune", "chips": 800, "arrives": 10.0, "begins": 30.0, "ends": 40.0, "until": 40.0, "stops": 0},
              {"name": "late", "chips": 80, "arrives": 50.0, "begins": None, "ends": None, "until": 54.0, "stops": 0}],
    "checkpoints": {"job": "pretrain", "given_h": 1.0, "between_h": 3.1, "young_h": 0.4, "daly_h": 0.38, "best_h": 0.45,
                    "good_from_h": 0.3, "good_to_h": 0.7,
                    "points": [{"hours": hours, "mean": 0.9 - 0.02 * math.log(hours / 0.45) ** 2, "error": 0.001}
                               for hours in (0.25, 0.35, 0.5, 0.7, 1, 2)]},
    "spares": {"given": 10, "best": 40, "gain": 0.045, "down_on_average": 22.0, "binomial_99": 34, "one_job": True,
               "points": [{"hosts": hosts, "mean": 0.85 - 0.00005 * (hosts - 40) ** 2, "error": 0.002}
                          for hosts in (0, 10, 22, 40, 60)]},
    "numbers": NUMBERS,
}  # fmt: skip


class Outline(HTMLParser):
    """Ids of sections in their order, links inside the page, addresses of anything outside, and unclosed elements."""

    VOID = ("meta", "br", "link", "input", "img", "rect", "path", "circle", "polyline", "polygon")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sections: list[str] = []
        self.links: list[str] = []
        self.outside: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "section":
            self.sections.append(given["id"] or "")
        self.links += [value[1:] for name, value in attrs if name == "href" and value and value[0] == "#"]
        self.outside += [
            value for name, value in attrs if name in ("src", "href") and value and "//" in value
        ]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass


def test_a_plan_says_the_decision_first_then_why_then_what_it_rests_on(tmp_path: Path) -> None:
    place = fleet_page.write_plan(PLAN, tmp_path / "out", ["jumar", "plan", "my scenario.toml"])
    page = place.read_text(encoding="utf-8")
    outline = Outline(page)
    assert outline.sections == [
        *("decision", "orders", "compared", "supply", "work", "frontier", "tornado", "rules"),
        *("story", "notes", "assumptions", "repeat"),
    ]
    assert set(outline.links) <= set(outline.sections) and not outline.outside and not outline.open
    assert page.index("Order 8,192") < page.index("Yields rise.") < page.index("<svg")
    assert "Rules may change &lt;soon&gt;." in page and "<soon>" not in page
    assert (
        "surcharge 25.0 %" in page and "91 FR &lt;1&gt;" in page and "under the rules of 2026-08-13" in page
    )
    assert "jumar plan &#x27;my scenario.toml&#x27;" in page
    assert json.loads((tmp_path / "out" / "facts.json").read_text())["orders"] == PLAN["orders"]


def test_a_cluster_says_what_to_expect_and_what_to_change() -> None:
    page = fleet_page.render_simulation(CLUSTER, ["jumar", "simulate", "c.toml"])
    outline = Outline(page)
    assert outline.sections == [
        *(
            "decision",
            "time",
            "days",
            "events",
            "queue",
            "kinds",
            "checkpoints",
            "spares",
            "assumptions",
            "repeat",
        ),
    ]
    assert not outline.outside and not outline.open
    assert "90 % of the chip-hours of jobs are useful work (88.2 % to 91.8 %)" in page
    assert "best every 27 min of work" in page and "best of those tried 40" in page
    assert "370 of 1,227 failures are drawn" in page
    assert "nan" not in page.lower().replace("finance", "")
    assert page.count("<circle") == 370 + 6 + 5


def test_what_the_facts_leave_out_leaves_no_trace() -> None:
    bare = {
        "title": "Nothing",
        "decision": ["Order nothing."],
        "months": MONTHS,
        "supply": None,
        "numbers": [],
    }
    assert Outline(fleet_page.render_plan(bare, ["jumar"])).sections == ["decision", "repeat"]
    alone = {
        key: CLUSTER[key] for key in ("title", "ranges", "numbers", "jobs", "finished", "replicas", "days")
    }
    alone |= {"checkpoints": None, "spares": None, "daily": CLUSTER["daily"][:1]}
    assert Outline(fleet_page.render_simulation(alone, ["jumar"])).sections == [
        "decision",
        "assumptions",
        "repeat",
    ]


def test_a_clash_is_told_instead_of_a_plan() -> None:
    page = fleet_page.render_plan({"title": "Too much", "clash": ["power in 2025-03", "chat"]}, ["jumar"])
    assert Outline(page).sections == ["clash", "repeat"] and "<li>power in 2025-03</li>" in page


def test_sources_that_disagree_stand_beside_each_other_and_the_least_sure_come_first() -> None:
    page = fleet_page.render_plan(PLAN, ["jumar"])
    disputes, every = page.split("Every number")
    dispute = disputes.split("Sources that disagree")[1]
    assert "20 %" in dispute and "40 %" in dispute and "another &lt;document&gt;" in dispute
    assert "chips.h20.price" not in dispute
    assert every.index("risk.weight") < every.index("chips.h20.price")
    assert "15 % to 40 %" in every and every.count("not in the file") == 1


def test_json_has_null_where_there_is_no_number(tmp_path: Path) -> None:
    facts = copy.deepcopy(CLUSTER)
    fleet_page.write_simulation(facts, tmp_path, ["jumar"])
    kept = json.loads((tmp_path / "facts.json").read_text(), parse_constant=pytest.fail)
    assert kept["ranges"]["days_to_end"]["middle"] is None and kept["jobs"][0]["hours"] is None


@pytest.mark.parametrize(
    ("ends", "count", "found"),
    [
        ((0, 1), 4, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ((3.2e8, 5.1e8), 4, [3.5e8, 4e8, 4.5e8, 5e8]),
        ((-30, 10), 4, [-30, -20, -10, 0, 10]),
        ((7, 7), 4, [7]),
    ],
)
def test_ticks_are_round_and_inside(ends: tuple[float, float], count: int, found: list[float]) -> None:
    assert axes.ticks(*ends, count) == pytest.approx(found)


def test_a_frame_puts_values_where_they_belong() -> None:
    frame = axes.Frame(100, 100, (1, 100), (0, 10), left=10, right=10, top=10, bottom=10, logarithmic=True)
    assert [frame.x(1), frame.x(10), frame.x(100)] == pytest.approx([10, 50, 90])
    assert [frame.y(0), frame.y(10)] == [90, 10]


def test_bars_of_a_gantt_span_the_months_in_which_chips_work() -> None:
    lanes = [("A100", 0, [0.0, 0.0, 50.0, 50.0, 0.0, 100.0])]
    drawn = plan_drawings.gantt(MONTHS[:6], [("chat", 0, 3, lanes)])
    bars = re.findall(r'<rect x="([\d.]+)"[^>]* width="([\d.]+)"[^>]*><title>([^<]*)', drawn)
    step = (plan_drawings.WIDTH - plan_drawings.LABEL - 10) / 6
    found = [((float(x) - plan_drawings.LABEL) / step, float(width) / step, said) for x, width, said in bars]
    assert [(round(begin), round(wide)) for begin, wide, _ in found] == [(2, 2), (5, 1)]
    assert found[0][2] == "chat on A100, 2025-03 to 2025-04: 50 chips"


def test_a_tornado_has_the_widest_on_top_and_both_ends_at_their_costs() -> None:
    drawn = plan_drawings.tornado(PLAN["tornado"][::-1], PLAN["base_cost"])
    assert drawn.index("yield of the 910C") < drawn.index("electricity")
    assert "◆" in drawn.split("electricity")[0] and "◆" not in drawn.split("electricity")[1]
    widths = [float(one) for one in re.findall(r'<rect [^>]*width="([\d.]+)"', drawn)]
    assert widths[0] / widths[1] == pytest.approx((4.9 - 4.1) / (4.1 - 3.6), rel=0.01)


def test_jobs_wait_pale_and_work_dark() -> None:
    drawn = simulation_drawings.queue(CLUSTER["gantt"])
    bars = re.findall(r'<rect x="([\d.]+)"[^>]*width="([\d.]+)"[^>]*fill-opacity="([\d.]+)"', drawn)
    day = (simulation_drawings.WIDTH - 190 - 14) / 54
    found = [
        (round((float(x) - 190) / day), round(float(width) / day), float(dark)) for x, width, dark in bars
    ]
    assert found == [(0, 54, 0.85), (10, 20, 0.2), (30, 10, 0.85), (50, 4, 0.2)]


def test_swings_to_one_side_share_the_height_and_slight_ones_are_only_told() -> None:
    row = {"key": "k", "name": "k", "low_text": "1", "high_text": "9", "low_cost": 5e8, "high_cost": 4.5e8}
    drawn = plan_drawings.tornado([row], 4.1e8)
    assert drawn.count('height="7.5"') == 2 and ">1</text>" in drawn and ">9</text>" not in drawn
    slight = {**row, "name": "hardly any", "low_cost": 4.101e8, "high_cost": 4.1e8}
    page = fleet_page.render_plan({**PLAN, "tornado": [*PLAN["tornado"], slight]}, ["jumar"])
    assert "What changes it by less than 0.5 %: 1" in page and "<li>hardly any (1 to 9)</li>" in page


def test_nothing_is_drawn_for_points_that_are_not_known() -> None:
    found = copy.deepcopy(CLUSTER["checkpoints"])
    found["points"][1]["mean"] = math.nan
    drawn = simulation_drawings.intervals(found)
    assert drawn.count("<circle") == len(found["points"]) - 1 and "nan" not in drawn


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here to open the page in")
@pytest.mark.parametrize(("render", "facts"), [("render_plan", PLAN), ("render_simulation", CLUSTER)])
def test_a_browser_opens_it_without_complaint(render: str, facts: dict[str, Any], tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    # Whatever goes wrong in a script is written where the dumped page shows it.
    catch = "<script>addEventListener('error', e => document.body.dataset.wrong = e.message)</script></head>"
    page = getattr(fleet_page, render)(facts, ["jumar"]).replace("</head>", catch)
    place.write_text(page, encoding="utf-8")
    command = [
        BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path / 'profile'}",
    ]
    told = subprocess.run(
        [*map(str, command), "--dump-dom", place.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "data-copies" in told.stdout and "data-wrong" not in told.stdout
