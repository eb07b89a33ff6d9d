"""Efficiencies of chip families, from `parameters.toml`, where `tools/fit_physics.py` writes them with their residuals."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

FILE = Path(__file__).with_name("parameters.toml")
ORIGINS = ("fitted", "measured", "assumption")
DEFAULT = "default"
# Added to the range of a chip of a known family of which there are no measurements: an assumption.
UNMEASURED_SPREAD = 0.2
# Parameter -> least and greatest value that is physically meaningful.
BOUNDS = {
    "matrix_efficiency": (0.05, 1.0),
    "matrix_efficiency_8bit": (0.05, 1.0),
    "plain_efficiency": (0.05, 1.0),
    "feed_efficiency": (0.05, 5.0),
    "fill_depth": (0.0, 2000.0),
    "attention_efficiency": (0.02, 1.0),
    "attention_backward_efficiency": (0.02, 1.0),
    "portable_attention_factor": (0.05, 1.0),
    "vector_efficiency": (0.02, 2.0),
    "transcendental_operations": (1.0, 200.0),
    "memory_efficiency": (0.1, 1.0),
    "strided_factor": (0.05, 1.0),
    "gather_factor": (0.05, 1.0),
    "launch_factor": (0.05, 20.0),
    "attention_launch_s": (0.0, 1e-3),
    "sharpness": (1.0, 50.0),
    "link_efficiency": (0.05, 1.2),
    "link_latency_factor": (0.1, 100.0),
    "network_efficiency": (0.05, 1.2),
    "overlap_tensor": (0.0, 1.0),
    "overlap_gradient": (0.0, 1.0),
    "overlap_shard": (0.0, 1.0),
    "host_kernel_s": (0.0, 1e-3),
    "host_pass_s": (0.0, 1.0),
    "host_sharpness": (1.0, 50.0),
    "step_overhead_s": (0.0, 10.0),
}
SPREADS = ("operator", "collective", "training", "inference", "memory")


class BadParameters(ValueError):
    """A parameter file that cannot be used: the message names file, key and remedy."""


@dataclass(frozen=True)
class Parameters:
    """How much of its published rates a family of chips reaches, and how sure that is.

    matrix_efficiency             share of the matrix peak inside a full tile; `…_8bit` for 8-bit types
    plain_efficiency              the same where the vector units do the product (fp32 on a GPU)
    feed_efficiency               share of the L2 rate at which operands reach the cores
    fill_depth                    what filling and draining a tile's pipeline costs, in elements of depth
    attention_efficiency          share of the matrix peak in fused attention, forward and backward
    portable_attention_factor     times that, for a fused kernel written for an older or any architecture
    vector_efficiency             share of the vector peak; a transcendental counts as several operations
    memory_efficiency             share of the memory peak when streaming; factors for other patterns
    launch_factor                 times the launch cost of the chip's profile
    attention_launch_s            what fused attention costs before its first tile, besides the launch
    sharpness                     exponent of the smooth maximum of overlapping limits
    link_…, network_…             share of the link rate, times the latency, share of the network rate
    overlap_…                     share of communication that computation can hide: of tensor parallelism, of gradient
                                  reduction, of sharded parameters
    host_kernel_s                 time the host takes to issue one kernel
    host_pass_s                   time the host takes for one forward and backward pass besides its kernels
    host_sharpness                exponent of the smooth maximum of host and chip
    step_overhead_s               time of a training step outside the model and the optimizer
    spread                        use -> half-width of the range, as the logarithm of a factor
    """

    family: str
    matrix_efficiency: float
    matrix_efficiency_8bit: float
    plain_efficiency: float
    feed_efficiency: float
    fill_depth: float
    attention_efficiency: float
    attention_backward_efficiency: float
    portable_attention_factor: float
    vector_efficiency: float
    transcendental_operations: float
    memory_efficiency: float
    strided_factor: float
    gather_factor: float
    launch_factor: float
    attention_launch_s: float
    sharpness: float
    link_efficiency: float
    link_latency_factor: float
    network_efficiency: float
    overlap_tensor: float
    overlap_gradient: float
    overlap_shard: float
    host_kernel_s: float
    host_pass_s: float
    host_sharpness: float
    step_overhead_s: float
    spread: Mapping[str, float]


VALUES = tuple(field.name for field in fields(Parameters) if field.name in BOUNDS)


@dataclass(frozen=True)
class ParameterFile:
    """Every family, the generation or chip -> family table, and the chips of which there are measurements."""

    families: Mapping[str, Parameters]
    members: Mapping[str, str]
    measured: frozenset[str]


def load_parameters(path: Path = FILE) -> ParameterFile:
    """Reads and checks a parameter file; BadParameters if anything is missing or out of bounds."""
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadParameters(f"{path.name}: not valid TOML: {error}") from error
    if not isinstance(record.get(DEFAULT), dict):
        raise BadParameters(f"{path.name}: {DEFAULT}: missing; chips of no known family need a [{DEFAULT}]")
    families = {name: _family(path.name, name, entry) for name, entry in record.items()}
    members = {member.lower(): name for name, entry in record.items() for member in entry.get("members", ())}
    measured = frozenset(chip.lower() for entry in record.values() for chip in entry.get("measured", ()))
    return ParameterFile(MappingProxyType(families), MappingProxyType(members), measured)


def _family(file: str, name: str, entry: Any) -> Parameters:
    if not isinstance(entry, dict):
        raise BadParameters(f"{file}: {name}: not a table; write [{name}] and its parameters below")
    if unknown := entry.keys() - BOUNDS.keys() - {"members", "measured", "spread"}:
        raise BadParameters(
            f"{file}: {name}.{min(unknown)}: no such parameter; remove it or add it to BOUNDS"
        )
    values = {key: _value(file, f"{name}.{key}", entry.get(key), *BOUNDS[key]) for key in VALUES}
    spreads = entry.get("spread", {})
    spread = {key: _value(file, f"{name}.spread.{key}", spreads.get(key), 0.0, 3.0) for key in SPREADS}
    return Parameters(family=name, spread=MappingProxyType(spread), **values)


def _value(file: str, key: str, entry: Any, low: float, high: float) -> float:
    if not isinstance(entry, dict) or "value" not in entry:
        raise BadParameters(f"{file}: {key}: missing; add {key} = {{ value = …, origin = …, note = … }}")
    if entry.get("origin") not in ORIGINS:
        raise BadParameters(f"{file}: {key}: origin {entry.get('origin')!r}; use one of {', '.join(ORIGINS)}")
    if not entry.get("note"):
        raise BadParameters(f"{file}: {key}: has no note; say in note = … how the value came about")
    value = entry["value"]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise BadParameters(f"{file}: {key}: value {value!r}; give a number from {low} to {high}")
    return float(value)


@cache
def shipped() -> ParameterFile:
    """The parameters that ship, read once."""
    return load_parameters()


def parameters_for(chip: str, generation: str = "", file: ParameterFile | None = None) -> Parameters:
    """Parameters of the chip's own family, of its generation's, or the wide defaults. The ranges of a chip that nobody has
    measured are wider than its family's."""
    table = shipped() if file is None else file
    family = table.members.get(chip.lower()) or table.members.get(generation.lower()) or DEFAULT
    found = table.families[family]
    if family == DEFAULT or chip.lower() in table.measured:
        return found
    wider = {use: math.hypot(spread, UNMEASURED_SPREAD) for use, spread in found.spread.items()}
    return replace(found, spread=MappingProxyType(wider))


@cache
def origins(family: str) -> Mapping[str, Mapping[str, Any]]:
    """What the file says of each parameter of a family: value, origin and note."""
    record = tomllib.loads(FILE.read_text(encoding="utf-8"))[family]
    return MappingProxyType({key: entry for key, entry in record.items() if key in BOUNDS})
