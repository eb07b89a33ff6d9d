"""`jumar plan --check SCENARIO`: says whether a scenario can be planned with, and what each of its numbers rests on."""

from __future__ import annotations

import json
from pathlib import Path

from jumar.cli import scenario_loading


def check(path: Path, as_json: bool = False) -> int:
    """Prints the account of a scenario; Refusal if it cannot be used."""
    scenario = scenario_loading.load(path)
    from jumar.fleet import evidence
    from jumar.report import scenario_lines

    facts = evidence.account(scenario)
    if as_json:
        print(
            json.dumps(
                {"scenario": scenario.name, "title": scenario.title, **facts}, indent=1, ensure_ascii=False
            )
        )
    else:
        print(scenario_lines.text(scenario, facts, path.name))
    return 0
