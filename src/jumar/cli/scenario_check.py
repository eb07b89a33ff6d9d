"""`jumar plan --check SCENARIO`: says whether a scenario can be planned with, and what each of its numbers rests on."""

from __future__ import annotations

import json
from pathlib import Path

from jumar.cli import scenario_loading


def check(path: Path, as_json: bool = False) -> int:
    """Prints the account of a scenario; Refusal if it cannot be used."""
    scenario = scenario_loading.load(path)
    from dataclasses import asdict

    from jumar.fleet import demand, evidence, supply
    from jumar.report import scenario_lines

    facts = evidence.account(scenario)
    if as_json:
        busy = {
            name: {chip: demand.most_chips(scenario, work, chip) for chip in work.throughput}
            for name, work in scenario.workloads.items()
        }
        outlook = {name: asdict(one) for name, one in supply.outlook(scenario).items()}
        about = {"scenario": scenario.name, "title": scenario.title, "busy_at_peak": busy, "outlook": outlook}
        print(json.dumps({**about, **facts}, indent=1, ensure_ascii=False))
    else:
        print(scenario_lines.text(scenario, facts, path.name))
    return 0
