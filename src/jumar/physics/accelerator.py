"""A chip as the pricing sees it: rates, sizes, costs and links, taken from its profile or given for a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jumar.chips import Chip

# Where a chip says nothing about a type, the product runs at the rate of the first of these that it has.
INSTEAD = {
    "fp64": ("fp64",),
    "fp32": ("fp32", "vector.fp32", "hf32", "tf32", "fp16"),
    "tf32": ("tf32", "hf32", "fp32", "vector.fp32", "fp16"),
    "hf32": ("hf32", "tf32", "fp32", "vector.fp32", "fp16"),
    "fp16": ("fp16", "bf16"),
    "bf16": ("bf16", "fp16"),
    "fp8": ("fp8", "int8", "fp16"),
    "int8": ("int8", "fp8", "fp16"),
    "fp4": ("fp4", "fp8", "int8", "fp16"),
    "int4": ("int4", "int8", "fp8", "fp16"),
}
BLOCKS = ("core.cube", "core.sm", "core.cu", "core.mxu", "core.block")
HOST_LATENCY_S = 5e-6  # where the chip's file does not say: a transfer with its driver call
RATES = tuple(f"peak.matrix.{dtype}" for dtype in INSTEAD)


@dataclass(frozen=True)
class Links:
    """Ways to other chips and to the host, per chip and direction. Without a network rate, the rate inside the server
    holds.

    In a mesh each pair of chips has a link of its own, so few chips reach only a part of `chip_b_s`.
    """

    chip_b_s: float
    chip_latency_s: float
    chips_per_server: int
    mesh: bool
    network_b_s: float
    network_latency_s: float
    host_b_s: float
    host_latency_s: float


@dataclass(frozen=True)
class Accelerator:
    """What pricing needs of a chip. Rates are published peaks; efficiencies stand in `parameters.toml`."""

    name: str
    generation: str
    cores: int
    matrix_flop_s: Mapping[str, float]
    vector_flop_s: float
    memory_b_s: float
    memory_b: float
    l2_b: float
    l2_b_s: float
    launch_s: float
    launch_matrix_s: float
    launch_collective_s: float
    synchronise_s: float
    links: Links

    def matrix_rate(self, dtype: str) -> float:
        """FLOP/s of products of this type, or of the type that this chip takes in its place."""
        for candidate in INSTEAD.get(dtype, ("fp32", "vector.fp32")):
            if candidate == "vector.fp32":
                return self.vector_flop_s
            if rate := self.matrix_flop_s.get(candidate):
                return rate
        return self.vector_flop_s


def accelerator_of(chip: Chip) -> Accelerator:
    """The chip's own numbers; KeyError names the one that its file lacks."""

    def get(key: str, default: float | None = None) -> float:
        if key in chip.quantities:
            return float(chip.quantities[key].value)
        if default is None:
            raise KeyError(f"{chip.name}.toml: {key}: pricing needs it; add it with unit and source")
        return default

    blocks = next((get(key) for key in BLOCKS if key in chip.quantities), None)
    peaks = {key.rpartition(".")[2]: get(key) for key in RATES if key in chip.quantities}
    memory_b_s, launch_s, chip_b_s = get("memory.bandwidth"), get("cost.launch"), get("link.chip.bandwidth")
    latency_s, chips = get("link.chip.latency", 1e-6), int(get("link.chip.chips", 8))
    return Accelerator(
        name=chip.name,
        generation=chip.generation,
        cores=int(blocks if blocks is not None else get("core.block")),
        matrix_flop_s=MappingProxyType(peaks),
        vector_flop_s=get("peak.vector.fp32"),
        memory_b_s=memory_b_s,
        memory_b=get("memory.size"),
        l2_b=get("cache.l2", 16e6),
        l2_b_s=get("cache.l2_bandwidth", 3 * memory_b_s),
        launch_s=launch_s,
        launch_matrix_s=get("cost.launch_matrix", launch_s),
        launch_collective_s=get("cost.launch_collective", 2 * launch_s),
        synchronise_s=get("cost.synchronise"),
        links=Links(
            chip_b_s=chip_b_s,
            chip_latency_s=latency_s,
            chips_per_server=chips,
            mesh=get("link.chip.count", 0.0) == chips - 1,
            network_b_s=get("link.network.bandwidth", chip_b_s),
            network_latency_s=get("link.network.latency", latency_s),
            host_b_s=get("link.host.bandwidth"),
            host_latency_s=get("link.host.latency", HOST_LATENCY_S),
        ),
    )
