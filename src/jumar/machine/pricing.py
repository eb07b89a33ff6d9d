"""Prices each kind of call once, in the executor: its work, how long that takes on the server's chip, a line for the run."""

from __future__ import annotations

import fcntl
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jumar import chips
from jumar.abi import record
from jumar.ops.working import work_of
from jumar.physics import (
    Accelerator,
    Parameters,
    accelerator_of,
    notation,
    parameters_for,
    power,
    price_all,
    transfer,
)
from jumar.physics.link import Collective, Group, Pattern, collective_seconds

# By number of the exchange (native/trace.h); one that is missing, a barrier, moves nothing.
PATTERNS = {
    0: Pattern.ALL_REDUCE,
    1: Pattern.ALL_GATHER,
    2: Pattern.REDUCE_SCATTER,
    3: Pattern.ALL_TO_ALL,
    4: Pattern.BROADCAST,
    5: Pattern.SEND,
    6: Pattern.SEND,
    7: Pattern.REDUCE_SCATTER,
    8: Pattern.BROADCAST,
}


@dataclass(frozen=True)
class Burden:
    """What a call of some kind costs its chip: seconds at full clock, joules that it adds to die and memory stacks, and the
    share of its time that grows as the clock falls."""

    seconds: float
    die_j: float = 0.0
    stack_j: float = 0.0
    bound: float = 0.0


class Pricing:
    """Kinds of one program process. `folder`: the trace directory; the file stays locked while this process lives, so
    that whoever collects the run knows that more may come. `heats`: told kind, joules and share of Burden before each
    price is given."""

    def __init__(
        self,
        folder: Path,
        chip: str,
        program: int,
        heats: Callable[[int, float, float, float], object] | None = None,
    ) -> None:
        found = chips.find(chip)
        self._heats = heats
        self._supply = power.supply_of(found) if heats else None
        self._machine: Accelerator = accelerator_of(found)
        self._parameters: Parameters = parameters_for(self._machine.name, self._machine.generation)
        self._file = (folder / f"kinds-{program}.jsonl").open("a", encoding="utf-8")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def rates(self) -> list[float]:
        """What the clock needs of chip and host beside kinds, in ns, in the order of Rates in native/ring.h."""
        machine, parameters = self._machine, self._parameters
        none, million = np.zeros(1), np.full(1, 1e6)
        to_host = [float(transfer.host_copy_seconds(size, machine)[0]) for size in (none, million)]
        fill = [float(transfer.fill_seconds(size, machine, parameters)[0]) for size in (none, million)]
        return [
            1e9 * transfer.host_call_seconds(parameters),
            1e9 * fill[0],
            1e9 * machine.synchronise_s,
            1e9 * to_host[0],
            1e9 * (to_host[1] - to_host[0]) / 1e6,
            1e9 * (fill[1] - fill[0]) / 1e6,
        ]

    def price(self, data: bytes) -> int:
        """Nanoseconds that a call of this kind takes. Never raises: what cannot be priced is said and takes nothing."""
        try:
            call = record.decode(data)
            burden = self._burden(call)
            if self._heats:
                self._heats(call.number, burden.die_j, burden.stack_j, burden.bound)
            return round(1e9 * burden.seconds)
        except Exception as error:  # noqa: BLE001 - an operator nobody thought of must not end the program
            print(f"jumar: a kind of call cannot be priced: {type(error).__name__}: {error}", file=sys.stderr)
            return 0

    def _burden(self, call: record.Call) -> Burden:
        if call.name == record.COLLECTIVE:
            return self._exchange(call.arguments[2])
        estimate = work_of(call.name, call.arguments)
        self._write(
            kind=call.number,
            operator=call.name,
            arguments=record.plain(call.arguments),
            work=notation.written(estimate.work),
            source=estimate.source,
            note=estimate.note,
        )
        prices = price_all((estimate.work,), self._machine, self._parameters)
        seconds = float(prices.seconds[0])
        if not self._supply:
            return Burden(seconds)
        needed = power.energies(prices.seconds, prices.parts, self._parameters.sharpness, self._supply)
        return Burden(seconds, float(needed.die_j[0]), float(needed.stack_j[0]), float(needed.bound[0]))

    def _exchange(self, what: dict[str, Any]) -> Burden:
        pattern = PATTERNS.get(what["exchange"])
        group = Group(min(what["ranks"], self._machine.links.chips_per_server))
        seconds = self._machine.launch_collective_s
        if pattern is not None:
            seconds = collective_seconds(
                Collective(pattern, what["bytes"], group), self._machine, self._parameters
            )
        if not self._supply:
            return Burden(seconds)
        return Burden(seconds, float(power.exchange_energy_j(np.array([seconds]), self._supply)[0]))

    def _write(self, **line: Any) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()
