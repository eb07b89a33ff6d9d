"""The measured rows, and the rule that says which of them the parameters may be fitted to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("measured.tsv")

# The row's chip -> the profile that stands for it, and why where that is not plain.
CHIPS = {
    "Ascend 910B (A2)": ("910B3", "Atlas 900 A2 PODc; its MFU and tokens/s agree for a peak of 313 TFLOP/s"),
    "Ascend A2/A3 CI node (not named)": ("910B2", "not named; the bin that the fit rows agree with best"),
    "Ascend 910B": ("910B2", "bin not stated"),
    "Ascend 910B2": ("910B2", ""),
    "Ascend A3 die (24 cores)": ("Ascend910_9382", "one die of a 910C with 24 cores"),
    "Ascend 910C (A3 384)": ("Ascend910_9382", "one die"),
    "Ascend 910C (A3 64G x16)": ("Ascend910_9382", "one die; the bin is not stated"),
    "Ascend ATLAS_800_A3_752T_128G_DIE": ("Ascend910_9382", "one die of the 752T bin"),
    "Ascend ATLAS_800_A3_560T_128G_DIE": ("Ascend910_9362", "one die of the 560T bin"),
    "Ascend ATLAS_800_A2_376T_64G": ("910B2", "the 376T bin"),
    "H20": ("H20-SXM-96GB", ""),
    "H800": ("H800-SXM-80GB", ""),
    "H200": ("H200-SXM-141GB", ""),
    "H100-80GB SXM": ("H100-SXM-80GB", ""),
    "H100 SXM": ("H100-SXM-80GB", ""),
    "H100 (DGX)": ("H100-SXM-80GB", ""),
    "H100 80GB HBM3": ("H100-SXM-80GB", ""),
    "A100-80GB": ("A100-SXM-80GB", ""),
    "A100-80GB SXM": ("A100-SXM-80GB", ""),
    "A100-80GB (DGX SuperPOD)": ("A100-SXM-80GB", ""),
    "A100-40GB": ("A100-SXM-40GB", ""),
    "A100-PCIE-40GB": ("A100-PCIE-40GB", ""),
    "A100 80GB PCIe": ("A100-PCIE-80GB", ""),
}
# Of the workloads of each group, in the order of their hashes, every third one is for fitting.
FIT_EVERY = 3


@dataclass(frozen=True)
class Row:
    """One line of measured.tsv; `line` counts from 1 with the heading."""

    line: int
    chip: str
    n_chips: int
    workload: str
    config: str
    metric: str
    value: float
    source: str

    @property
    def profile(self) -> str:
        """Name of the chip profile that stands for the row's chip; KeyError for a chip without one."""
        return CHIPS[self.chip][0]


class Unusable(ValueError):
    """A row that cannot be compared: the message is the reason."""


def read_rows(path: Path = FILE) -> list[Row]:
    """All rows of the file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        chip, n_chips, workload, config, metric, value, source = line.split("\t")
        rows.append(Row(number, chip, int(n_chips), workload, config, metric, float(value), source))
    return rows


def fit_workloads(workloads: Iterable[str]) -> frozenset[str]:
    """The workloads of one group to which parameters are fitted. The rule was fixed before any result was seen: sort by
    SHA-256 of the name, take the first and every third after it. Nothing else decides."""
    ordered = sorted(set(workloads), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    return frozenset(ordered[::FIT_EVERY])
