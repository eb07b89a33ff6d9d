"""What Prometheus reads: the chips' metrics as text, under the names of the vendor's and of NVIDIA's exporter."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from jumar.cuda.driver import Gpu
from jumar.cudamap import personas
from jumar.report.monitoring import metrics, values
from jumar.report.monitoring.readings import Reading

CARD_LABELS = ("id", "model_name", "vdie_id", "pcie_bus_info", "namespace", "pod_name", "container_name")
GPU_LABELS = ("gpu", "UUID", "pci_bus_id", "device", "modelName", "Hostname", "DCGM_FI_DRIVER_VERSION")
# NVIDIA's counters do not end in _total; the library adds it to what it writes above them.
ADDED_TOTAL = re.compile(r"^(# (?:HELP|TYPE) DCGM_\w+?)_total ", re.MULTILINE)


def text(chips: list[Reading], names: Iterable[str], persona: personas.Persona) -> bytes:
    """The metrics of these exporters about these chips, in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Chips(chips, tuple(names), persona))
    written = generate_latest(registry).decode()
    return ADDED_TOTAL.sub(r"\1 ", written).encode()


class Chips(Collector):
    """One reading of all chips."""

    def __init__(self, chips: list[Reading], names: Sequence[str], persona: personas.Persona) -> None:
        self.chips, self.names, self.persona = chips, names, persona

    def collect(self) -> Iterable[Metric]:
        for exporter in self.names:
            for one in metrics.given(exporter):
                family = FAMILIES[exporter](self, one)
                if family.samples:
                    yield family

    def vendor(self, one: metrics.Metric) -> Metric:
        if one.value in values.OF_EXPORTER:
            return _family(one, tuple(values.VERSION), [(tuple(values.VERSION.values()), 1)])
        if one.value in values.OF_ALL:
            return _family(one, (), [((), values.OF_ALL[one.value](self.chips))])
        labels = [(chip, card_labels(chip)) for chip in self.chips]
        if one.value in values.LABELLED:
            own, give = values.LABELLED[one.value]
            samples = [
                ((*known, *(more[name] for name in own)), value)
                for chip, known in labels
                for more, value in give(chip)
            ]
            if one.value == "name":  # there the name stands in the place of the model's
                return _family(
                    one,
                    ("id", "name", *CARD_LABELS[2:]),
                    [((known[0], known[-1], *known[2:-1]), value) for known, value in samples],
                )
            return _family(one, (*CARD_LABELS, *own), samples)
        return _family(one, CARD_LABELS, _known(values.OF_CHIP[one.value], labels))

    def own(self, one: metrics.Metric) -> Metric:
        return self.vendor(one)

    def dcgm(self, one: metrics.Metric) -> Metric:
        labels = [(chip, gpu_labels(Gpu(chip.chip, self.persona))) for chip in self.chips]
        give: Callable[[Reading], values.Value] = values.OF_CHIP.get(one.value, lambda chip: None)
        if one.value == "memory_clock":
            return _family(one, GPU_LABELS, [(known, self.persona.memory_clock_mhz) for _, known in labels])
        if one.value == "clock":
            full = self.persona.clock_mhz
            return _family(
                one,
                GPU_LABELS,
                [
                    (known, round(full * chip.condition.clock_share))
                    for chip, known in labels
                    if chip.reachable
                ],
            )
        return _family(one, GPU_LABELS, _known(give, labels))


FAMILIES: dict[str, Callable[[Chips, metrics.Metric], Metric]] = {
    metrics.VENDOR: Chips.vendor,
    metrics.DCGM: Chips.dcgm,
    metrics.OWN: Chips.own,
}
Sample = tuple[tuple[str, ...], float]


def _known(
    give: Callable[[Reading], values.Value], labels: list[tuple[Reading, tuple[str, ...]]]
) -> list[Sample]:
    pairs = [(known, give(chip)) for chip, known in labels]
    return [(known, value) for known, value in pairs if value is not None]


def _family(one: metrics.Metric, labels: tuple[str, ...], samples: list[Sample]) -> Metric:
    kind = CounterMetricFamily if one.kind == "counter" else GaugeMetricFamily
    family = kind(one.metric, one.text, labels=labels)
    for known, value in samples:
        # Under the very name: a counter of NVIDIA's is not called _total.
        family.add_sample(one.metric, dict(zip(labels, known, strict=True)), value)
    return family


def card_labels(one: Reading) -> tuple[str, ...]:
    """The vendor's labels; there are no pods and containers."""
    return str(one.index), one.model_name, "-".join(one.identity), one.bus_id, "", "", ""


def gpu_labels(gpu: Gpu) -> tuple[str, ...]:
    return (
        str(gpu.index),
        gpu.uuid,
        gpu.bus_id,
        f"nvidia{gpu.index}",
        gpu.name,
        socket.gethostname(),
        personas.toolkit().driver,
    )
