"""What the trace costs: a dry training step of GPT-2 124M with and without one, by two programs that take turns."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measure

TARGET_SHARE = 0.10
TARGET_NS = 1000.0
TARGET_BYTES = 200.0
WARM_UP = 3


def worker(batch: int, length: int) -> None:
    """Does a step for each line of its input, and answers with the processor time and the wall time it took."""
    from dry_step import training_step

    step = training_step("npu", batch, length)
    print("ready", flush=True)
    for _ in sys.stdin:
        used, started = time.process_time(), time.perf_counter()
        step()
        print(time.process_time() - used, time.perf_counter() - started, flush=True)


class Program:
    """A worker on a server of its own, with a trace or without."""

    def __init__(self, folder: Path, traced: bool, words: list[str]) -> None:
        from jumar import chips, environment
        from jumar.machine import server

        self.trace = folder / "trace"
        folder.mkdir()
        self.trace.mkdir()
        tracing = server.Tracing(self.trace) if traced else None
        server.create(folder, server.settings(chips.find("910B2"), 1, True, 0, tracing))
        inside = environment.applied(environment.for_server(folder, environment.Wishes()))
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--worker", *words],
            env=inside,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        text = self._process.stdout.readline()
        if not text:
            sys.exit("the worker has ended; run it by hand with --worker under `jumar run --dry`")
        return text

    def step(self) -> tuple[float, float]:
        assert self._process.stdin is not None
        self._process.stdin.write("step\n")
        self._process.stdin.flush()
        used, wall = map(float, self._line().split())
        return used, wall

    def finish(self) -> None:
        self._process.communicate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        return worker(chosen.batch, chosen.length)
    words = ["--batch", str(chosen.batch), "--length", str(chosen.length)]
    with tempfile.TemporaryDirectory(prefix="jumar-benchmark-") as folder:
        sides = {name: Program(Path(folder) / name, name == "traced", words) for name in ("plain", "traced")}
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for number in range(WARM_UP + chosen.rounds):
            for name, program in sides.items():
                taken = program.step()
                if number >= WARM_UP:
                    times[name].append(taken)
        for program in sides.values():
            program.finish()
        tell(sides["traced"].trace, times, chosen.rounds)


def quiet(seconds: list[float]) -> float:
    """The mean of the quickest quarter: what else the machine does only adds to a time."""
    return statistics.mean(sorted(seconds)[: max(1, len(seconds) // 4)])


def tell(trace: Path, times: dict[str, list[tuple[float, float]]], rounds: int) -> None:
    from jumar.runs import collecting

    run = collecting.collect(trace, {})
    steps = run.events.step
    a_step = int((steps == WARM_UP + 1).sum())
    size = sum(path.stat().st_size for path in trace.iterdir())
    used = {name: quiet([one[0] for one in values]) for name, values in times.items()}
    wall = {name: quiet([one[1] for one in values]) for name, values in times.items()}
    share = used["traced"] / used["plain"] - 1
    each_ns = (used["traced"] - used["plain"]) / a_step * 1e9
    measure.tell(
        "trace",
        {
            "cpu_s": used, "wall_s": wall, "share": share, "target_share": TARGET_SHARE, "ns_an_event": each_ns,
            "target_ns": TARGET_NS, "events_a_step": a_step, "bytes_an_event": size / len(run.events),
            "target_bytes": TARGET_BYTES, "rounds": rounds,
        },
        f"GPT-2 124M, dry: {used['plain'] * 1e3:.1f} ms of processor time a step, {used['traced'] * 1e3:.1f} ms with a "
        f"trace: {share:+.1%} (at most {TARGET_SHARE:.0%}); {a_step} events a step, {each_ns:.0f} ns each with lines, "
        f"modules and clock (aim {TARGET_NS:.0f}), {size / len(run.events):.0f} bytes each with names and kinds",
    )  # fmt: skip


if __name__ == "__main__":
    main()
