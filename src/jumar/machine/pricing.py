"""Prices each kind of call once, in the executor: its work, how long that takes on the server's chip, a line for the run."""

from __future__ import annotations

import fcntl
import json
import sys
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
    price,
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


class Pricing:
    """Kinds of one program process. `folder`: the trace directory; the file stays locked while this process lives, so
    that whoever collects the run knows that more may come."""

    def __init__(self, folder: Path, chip: str, program: int) -> None:
        found = chips.find(chip)
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
            return round(1e9 * self._seconds(call))
        except Exception as error:  # noqa: BLE001 - an operator nobody thought of must not end the program
            print(f"jumar: a kind of call cannot be priced: {type(error).__name__}: {error}", file=sys.stderr)
            return 0

    def _seconds(self, call: record.Call) -> float:
        if call.name == record.COLLECTIVE:
            return self._exchange_seconds(call.arguments[2])
        estimate = work_of(call.name, call.arguments)
        self._write(
            kind=call.number,
            operator=call.name,
            arguments=record.plain(call.arguments),
            work=notation.written(estimate.work),
            source=estimate.source,
            note=estimate.note,
        )
        return price(estimate.work, self._machine, self._parameters).seconds

    def _exchange_seconds(self, what: dict[str, Any]) -> float:
        pattern = PATTERNS.get(what["exchange"])
        group = Group(min(what["ranks"], self._machine.links.chips_per_server))
        if pattern is None:
            return self._machine.launch_collective_s
        return collective_seconds(Collective(pattern, what["bytes"], group), self._machine, self._parameters)

    def _write(self, **line: Any) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()
