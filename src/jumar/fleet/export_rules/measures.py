"""What the export rules measure of a chip, computed from its file; each number with the arithmetic in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jumar.chips import Chip, Quantity

# Bits of the larger operand of a multiplication. TF32 and HF32 multiply 19 bits that lie in 32; counted as 32 no chip
# that ships would come out differently.
BITS = {
    **{"fp64": 64, "fp32": 32, "tf32": 19, "hf32": 19, "fp16": 16, "bf16": 16, "fp8": 8, "fp4": 4},
    **{"int32": 32, "int8": 8, "int4": 4},
}
UNSURE = ("recalled", "assumption")
THROUGH_HOST = "through the host"


@dataclass(frozen=True)
class Measure:
    """One number that rules look at; None if the file does not say enough, and `text` then names what is missing."""

    value: float | None
    text: str
    inputs: tuple[tuple[str, Quantity], ...] = ()

    def unsure(self) -> tuple[str, ...]:
        """The inputs that nobody vouches for."""
        return tuple(key for key, quantity in self.inputs if quantity.confidence in UNSURE)


@dataclass(frozen=True)
class Figures:
    """What rules may look at. `area` is what performance density divides by; `links_with_host` counts the link to
    the host too, which makers do not."""

    tpp: float | None
    area: float | None
    io: float | None
    dram: float | None
    datacentre: bool = True

    def named(self) -> dict[str, float | None]:
        density = None if self.tpp is None or not self.area else self.tpp / self.area
        both = None if self.io is None or self.dram is None else self.io + self.dram
        return {
            "tpp": self.tpp,
            "pd": density,
            "io": self.io,
            "dram": self.dram,
            "sum": both,
            "datacentre": float(self.datacentre),
        }


def performance(chip: Chip) -> Measure:
    """TPP: over the chip's number formats, the largest dense rate in tera-operations a second times bits."""
    peaks = [
        (quantity.value / 1e12 * BITS[form], key, quantity)
        for key, quantity in chip.quantities.items()
        if key.startswith("peak.") and (form := key.rpartition(".")[2]) in BITS
    ]
    if not peaks:
        return Measure(None, "no peak in the chip's file")
    best = max(value for value, _, _ in peaks)
    # Of formats that come to the same, the widest: people know a chip by its 16-bit rate.
    value, key, quantity = max(
        (one for one in peaks if one[0] >= best * (1 - 1e-9)), key=lambda one: BITS[one[1].rpartition(".")[2]]
    )
    form = key.rpartition(".")[2]
    text = f"{quantity.value / 1e12:,g} dense {form} TOPS × {BITS[form]} bit = {value:,.0f}"
    return Measure(value, text, ((key, quantity),))


def area(chip: Chip) -> Measure:
    """mm² of all logic dies with non-planar transistors; memory does not count."""
    whole = chip.quantities.get("process.logic_area")
    if whole:
        return Measure(float(whole.value), f"{whole.value:,g} mm²", (("process.logic_area", whole),))
    one, dies = chip.quantities.get("process.die_area"), chip.quantities.get("process.dies")
    if not one or not dies:
        return Measure(None, "process.die_area or process.dies is not in the chip's file")
    value = float(one.value) * float(dies.value)
    text = f"{dies.value:g} × {one.value:,g} mm²" if dies.value > 1 else f"{one.value:,g} mm²"
    return Measure(value, text, (("process.die_area", one), ("process.dies", dies)))


def links(chip: Chip) -> Measure:
    """GB/s of the links to other chips, both directions together, as makers count them."""
    quantity = chip.quantities["link.chip.bandwidth"]
    value = 2 * quantity.value / 1e9
    return Measure(
        value, f"2 × {quantity.value / 1e9:,g} GB/s = {value:,g} GB/s", (("link.chip.bandwidth", quantity),)
    )


def host_link(chip: Chip) -> float:
    """GB/s of the link to the host, both directions; 0 where it is what joins the chips already."""
    if THROUGH_HOST in chip.links.get("chip", ""):
        return 0.0
    return 2 * chip.quantities["link.host.bandwidth"].value / 1e9


def memory(chip: Chip) -> Measure:
    """GB/s of the memory in the package."""
    quantity = chip.quantities["memory.bandwidth"]
    value = quantity.value / 1e9
    return Measure(value, f"{value:,g} GB/s", (("memory.bandwidth", quantity),))


def measures(chip: Chip) -> dict[str, Measure]:
    return {
        "tpp": performance(chip),
        "area": area(chip),
        "io": links(chip),
        "dram": memory(chip),
    }


def figures(found: dict[str, Measure], datacentre: bool) -> Figures:
    values = {key: measure.value for key, measure in found.items()}
    return Figures(values["tpp"], values["area"], values["io"], values["dram"], datacentre)


def planar_hint(chip: Chip) -> Sequence[str]:
    """Performance density counts dies with non-planar transistors only; files do not say which those are."""
    node = chip.quantities.get("process.node")
    if node is None or node.value <= 16:
        return ()
    return (f"at {node.value:g} nm transistors are usually planar: performance density may not hold at all",)
