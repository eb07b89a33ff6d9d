"""What the CUDA face costs: each call under jumar's face, under the vendor's transfer_to_npu, and written for npu.

The three run as programs of their own, in turns. A last part times whole programs that use no CUDA, with and without
`jumar run`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from typing import Any

import measure

FACES = ("cuda", "transfer", "none")
TARGET_MICROSECONDS = 1.0
TARGET_SECONDS = 0.5
CALLS = {
    "torch.device('cuda')": "torch.device('{d}')",
    "x.device.type": "x.device.type",
    "x.is_cuda": "x.is_{d}",
    "x.to('cuda'), already there": "x.to('{d}')",
    "x.cuda(), already there": "x.{d}()",
    "torch.empty(4, device='cuda')": "torch.empty(4, device='{d}')",
    "torch.cuda.is_available()": "torch.{d}.is_available()",
    "torch.cuda.current_device()": "torch.{d}.current_device()",
    "torch.cuda.current_stream()": "torch.{d}.current_stream()",
    "torch.cuda.memory_allocated()": "torch.{d}.memory_allocated()",
    "torch.cuda.synchronize()": "torch.{d}.synchronize()",
}
PROGRAMS = {"no torch": "pass", "torch on the CPU": "import torch; torch.ones(3).sum()"}


def time_calls(calls: int) -> dict[str, float]:
    """Microseconds a call, the best of five, in this process."""
    import torch

    device = "npu" if os.environ["JUMAR_FACE"] == "none" else "cuda"
    names = {"torch": torch, "x": torch.ones(4, device=device)}
    best = {}
    for call, statement in CALLS.items():
        timer = timeit.Timer(statement.format(d=device), globals=names)
        best[call] = min(timer.repeat(5, calls)) / calls * 1e6
    return best


def in_process(face: str, calls: int) -> dict[str, float]:
    environment = {**os.environ, "JUMAR_FACE": face}
    command = [sys.executable, __file__, "--inside", "--calls", str(calls)]
    answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(answer.splitlines()[-1])
    return found


def compare_calls(rounds: int, calls: int) -> None:
    rows: dict[str, dict[str, list[float]]] = {face: {} for face in FACES}
    for _ in range(rounds):
        for face in FACES:
            for call, value in in_process(face, calls).items():
                rows[face].setdefault(call, []).append(value)
    medians = {face: {call: statistics.median(values) for call, values in row.items()} for face, row in rows.items()}
    added = {call: medians["cuda"][call] - medians["none"][call] for call in CALLS}
    facts: dict[str, Any] = {"microseconds": medians, "added": added, "target": TARGET_MICROSECONDS, "rounds": rounds}
    print(f"{'microseconds a call':<32}{'jumar':>8}{'transfer_to_npu':>17}{'written for npu':>17}{'added':>8}")
    for call in CALLS:
        cells = [medians[face][call] for face in FACES]
        print(f"{call:<32}{cells[0]:>8.2f}{cells[1]:>17.2f}{cells[2]:>17.2f}{added[call]:>8.2f}")
    worst = max(added, key=lambda call: added[call])
    measure.tell("cuda_face_calls", facts, f"at most {added[worst]:.2f} µs added, by {worst}")


def compare_programs(rounds: int) -> None:
    plain_environment = {name: value for name, value in os.environ.items() if not name.startswith("JUMAR_")}

    def run(command: list[str], folder: str) -> None:
        subprocess.run(command, env=plain_environment, cwd=folder, check=True, capture_output=True)

    with tempfile.TemporaryDirectory() as folder:
        for name, source in PROGRAMS.items():
            plain = [sys.executable, "-c", source]
            jumar = [sys.executable, "-c", "import sys; from jumar.cli import main; sys.exit(main())", "run", *plain]
            sides = {"plain": lambda c=plain: run(c, folder), "jumar run": lambda c=jumar: run(c, folder)}
            medians = measure.medians(measure.interleaved(sides, rounds))
            added = medians["jumar run"] - medians["plain"]
            facts = {"program": name, "seconds": medians, "added": added, "target": TARGET_SECONDS, "rounds": rounds}
            measure.tell("cuda_face_program", facts, f"a program with {name}: {added:.2f} s added")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    measure.on_server()
    if chosen.inside:
        print(json.dumps(time_calls(chosen.calls)))
        return
    started = time.perf_counter()
    compare_calls(chosen.rounds, chosen.calls)
    compare_programs(chosen.rounds)
    print(f"took {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
