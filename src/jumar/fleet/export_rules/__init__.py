"""The export rules for AI chips as data and arithmetic: which version held when, and what it says about a chip."""

from jumar.fleet.export_rules.classification import NOT_ADVICE, classify
from jumar.fleet.export_rules.measures import Figures
from jumar.fleet.export_rules.rules import EFFECTS, BadRule, Rule, read_until, rules
from jumar.fleet.export_rules.scenario_rules import plain as in_scenario
from jumar.fleet.export_rules.verdicts import judge, nearest

__all__ = [
    "EFFECTS",
    "NOT_ADVICE",
    "BadRule",
    "Figures",
    "Rule",
    "classify",
    "in_scenario",
    "judge",
    "nearest",
    "read_until",
    "rules",
]
