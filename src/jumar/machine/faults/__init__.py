"""Faults of virtual chips: which kinds there are, when they strike, and how the server is told."""

from jumar.machine.faults.catalogue import BadKind, Kind, UnknownKind, find, kinds
from jumar.machine.faults.injection import Injection, InjectionError, clear, inject
from jumar.machine.faults.scenario import BadScenario, Scenario, read
from jumar.machine.faults.schedule import drawn, random_faults

__all__ = [
    "BadKind",
    "BadScenario",
    "Injection",
    "InjectionError",
    "Kind",
    "Scenario",
    "UnknownKind",
    "clear",
    "drawn",
    "find",
    "inject",
    "kinds",
    "random_faults",
    "read",
]
