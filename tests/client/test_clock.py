"""The clock that a program sees and the price of its trace follow the same rules, written once in C++ and once in Python."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from jumar import chips
from jumar.runs import collecting
from jumar.runs.format import Type
from jumar.runs.pricing import Options, price_run

pytestmark = pytest.mark.virtual_only

# An event that is recorded when nothing runs has the host's time, which the priced trace knows too.
PROGRAM = """
x, y, small = torch.randn(2048, 2048).to(DEVICE), torch.zeros(4 << 20).to(DEVICE), torch.ones(8).to(DEVICE)
streams = [torch.npu.Stream() for _ in range(3)]
between = [torch.npu.Event() for _ in range(3)]
host = torch.zeros(1 << 20).pin_memory()
def several_streams():
    for stream, event in zip(streams, between):
        with torch.npu.stream(stream):
            x @ x
            y.add(1)
            event.record()
    streams[0].wait_event(between[2])
    with torch.npu.stream(streams[0]):
        for _ in range(20):
            small + 1
    between[1].synchronize()
    small * 2
    streams[2].synchronize()
def copies():
    host.to(DEVICE, non_blocking=True)
    y.clone()
    small.tolist()
    y.cpu()
    y.zero_()
def little():
    for _ in range(50):
        small + 1
def one_product():
    x @ x
def nothing(): pass
for body in (nothing, one_product, little, copies, several_streams):
    start, end = (torch.npu.Event(enable_timing=True) for _ in range(2))
    torch.npu.synchronize()
    start.record()
    body()
    torch.npu.synchronize()
    end.record()
    print(start.elapsed_time(end))
"""


@pytest.mark.parametrize("call_s", [None, 3e-6])
def test_the_clock_says_what_the_price_says(machine: Callable[..., Any], call_s: float | None) -> None:
    server = machine(traced=True, dry=1, host_call_ns=round(1e9 * (call_s or 0)))
    seen_ms = [float(line) for line in server.run(PROGRAM).stdout.split()]
    run = collecting.collect(server.directory, {})
    priced = price_run(run, chips.find("910B2"), Options(host=call_s))
    calls = np.flatnonzero(priced.host_s > 0)
    timed = [
        row
        for before, row in pairwise(calls)
        if (run.events.type[before], run.events.type[row]) == (Type.SYNCHRONISE_DEVICE, Type.EVENT_RECORD)
    ]
    when_ms = 1e3 * priced.issued_s[timed]
    assert seen_ms == pytest.approx(list(when_ms[1::2] - when_ms[::2]), rel=1e-3)
