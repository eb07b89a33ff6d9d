"""Random schedules of faults, one after the other: no hang, nothing left allocated, and the chip works afterwards.

Each schedule arms faults on one chip at random operators, runs a short training loop that recovers as the catalogue
says, and looks at the server: no memory held, no fault left. Every tenth one runs as a process of its own, whose end
must leave nothing behind either.
"""

from __future__ import annotations

import argparse
import faulthandler
import gc
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import measure

from jumar import environment

PATIENCE_S = 120.0  # a schedule takes a fraction of a second; after this it hangs
STEPS = 6
OPERATORS = 60  # within which faults strike


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first schedule")
    parser.add_argument("--processes", type=int, default=20, help="schedules that get a process of their own")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    measure.on_server()
    os.environ.pop(
        environment.RECORDS, None
    )  # else the summary keeps some losses, which are tensors on the chip
    started = time.perf_counter()
    met = in_one_process(range(chosen.first, chosen.first + chosen.schedules))
    if chosen.alone:
        return
    for seed in range(chosen.first, chosen.first + chosen.processes):
        in_a_process(seed)
    seconds = time.perf_counter() - started
    measure.tell(
        "fault_schedules",
        {"schedules": chosen.schedules, "processes": chosen.processes, "seconds": seconds, "met": dict(met)},
        f"{chosen.schedules} schedules and {chosen.processes} in processes of their own in {seconds:.0f} s: "
        f"{sum(met.values())} faults struck, of {len(met)} kinds; no hang, nothing left allocated",
    )


def in_one_process(seeds: range) -> Counter[str]:
    """How often each kind struck."""
    import torch

    met: Counter[str] = Counter()
    for seed in seeds:
        faulthandler.dump_traceback_later(PATIENCE_S, exit=True)
        met += schedule(seed)
        gc.collect()
        torch.npu.empty_cache()
        check_empty(seed, torch.npu.memory_allocated())
    faulthandler.cancel_dump_traceback_later()
    return met


def in_a_process(seed: int) -> None:
    """The same schedule on the same server; its end may not leave anything."""
    command = [sys.executable, __file__, "--schedules", "1", "--first", str(seed), "--alone"]
    subprocess.run(command, check=True, timeout=PATIENCE_S)
    held = [process["used_bytes"] for process in report()["processes"]]
    assert len(held) == 1, f"schedule {seed}: {len(held)} processes still hold memory"


def schedule(seed: int) -> Counter[str]:
    """Arms, trains, recovers; the kinds that struck."""
    import torch
    import torch_npu

    from jumar.machine import faults

    chance = random.Random(seed)
    kinds = [kind for kind in faults.kinds().values() if not kind.collective]
    wanted = [
        faults.Injection(chance.choice(kinds), 0, chance.randrange(OPERATORS), seed=chance.getrandbits(31))
        for _ in range(chance.randint(1, 4))
    ]
    faults.inject(directory(), wanted)
    met: Counter[str] = Counter()
    for _ in range(len(wanted) + 1):
        try:
            train(STEPS)
            break
        except RuntimeError:
            met += active()
            if condition()["lost"]:
                faults.clear(directory(), 0)
            torch_npu.npu.stop_device(0)
            torch_npu.npu.restart_device(0)
    met += active()
    faults.clear(directory())
    gc.collect()  # the frames of what failed
    before = torch.npu.memory_allocated()
    assert before == 0, f"schedule {seed}: {before} bytes are still allocated"
    train(1)  # on a chip that is well nothing may be raised
    assert not condition()["faults"], f"schedule {seed}: {condition()['faults']}"
    return met


def train(steps: int) -> None:
    import torch

    torch.manual_seed(0)
    model = torch.nn.Linear(8, 8).to("npu")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x = torch.randn(4, 8).to("npu")
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (model(x) ** 2).sum()
        loss.backward()
        optimizer.step()
        loss.item()


def check_empty(seed: int, allocated: int) -> None:
    used = [chip["used_bytes"] for chip in report()["chips"]]
    assert allocated == 0 and used[0] == 0, (
        f"schedule {seed}: {allocated} bytes allocated, {used} on the chips"
    )


def active() -> Counter[str]:
    return Counter(fault["kind"] for fault in condition()["faults"])


def condition() -> dict[str, Any]:
    found: dict[str, Any] = report()["chips"][0]["condition"]
    return found


def report() -> dict[str, Any]:
    from jumar.machine import server

    return server.report(directory())


def directory() -> Path:
    return Path(os.environ["JUMAR_SERVER"])


if __name__ == "__main__":
    main()
