"""Two recorded runs beside each other, and what they printed."""

from __future__ import annotations

import base64
import json
from array import array
from pathlib import Path
from typing import Any

import pytest

from jumar.port import differences, printed, records, verification
from jumar.port.differences import Comparison
from jumar.port.records import Process
from jumar.port.trial import Kind, Trial
from jumar.port.verification import Beside, Verdict


def event(
    module: str, values: list[float], kind: str = "activation", dtype: str = "float32"
) -> dict[str, Any]:
    norm = sum(value * value for value in values) ** 0.5
    return {
        "kind": kind, "module": module, "call": 1, "index": 0, "dtype": dtype, "device": "cpu", "whole": True,
        "shape": [len(values)], "not_finite": 0, "norm": norm, "sum": sum(values), "largest": max(map(abs, values)),
        "sample": base64.b64encode(array("d", values).tobytes()).decode(),
    }  # fmt: skip


def run(folder: Path, *events: dict[str, Any]) -> dict[str, Process]:
    folder.mkdir()
    lines = [json.dumps(one) for one in (*events, {"kind": "end", "calls": {}, "skipped": {}})]
    (folder / "train-0-1.jsonl").write_text("\n".join(lines) + "\n")
    return records.read(folder)


ONE = [1.0, 2.0, 3.0]
WRONG = [1.0, 2.5, 3.0]


def test_alike(tmp_path: Path) -> None:
    first = run(tmp_path / "a", event("A", ONE), event("loss", [0.5], "loss"))
    second = run(tmp_path / "b", event("A", ONE), event("loss", [0.5], "loss"))
    found = differences.compare(("a", first), ("b", second), same_device=True)
    assert found.alike() and (found.compared, found.losses, found.largest) == (2, 1, 0.0)


def test_the_first_that_differs_and_who_is_right(tmp_path: Path) -> None:
    first = run(tmp_path / "a", event("A", ONE), event("A.b", ONE), event("A.c", ONE))
    second = run(tmp_path / "b", event("A", ONE), event("A.b", WRONG), event("A.c", WRONG))
    truth = run(tmp_path / "t", event("A", ONE), event("A.b", ONE), event("A.c", ONE))
    found = differences.compare(("a", first), ("b", second), True, truth)
    assert found.difference is not None and found.difference.module == "A.b"
    assert found.difference.by == pytest.approx(0.5 / 14**0.5)
    assert found.difference.referee is not None and found.difference.referee.right == "a"
    other = differences.compare(("a", first), ("b", second), True, run(tmp_path / "u", event("A.b", WRONG)))
    assert other.difference is not None and other.difference.referee is not None
    assert other.difference.referee.right == "b"


def test_types_decide_what_is_allowed(tmp_path: Path) -> None:
    near = [value * 1.004 for value in ONE]
    narrow = [event("A", ONE, dtype="bfloat16")], [event("A", near, dtype="bfloat16")]
    first, second = run(tmp_path / "a", *narrow[0]), run(tmp_path / "b", *narrow[1])
    assert differences.compare(("a", first), ("b", second), True).alike()
    wide = run(tmp_path / "c", event("A", ONE)), run(tmp_path / "d", event("A", near))
    assert not differences.compare(("a", wide[0]), ("b", wide[1]), True).alike()


def test_what_one_side_alone_has(tmp_path: Path) -> None:
    first = run(tmp_path / "a", event("A", ONE), event("B", ONE))
    second = run(tmp_path / "b", event("A", ONE))
    found = differences.compare(("a", first), ("b", second), True)
    assert not found.alike() and found.missing == ["activation of B, call 1 is only in the a run"]
    gone = differences.compare(("a", first), ("b", {}), True)
    assert gone.missing == ["process train-0-1 recorded only by the a run"]


def test_shapes_and_infinities(tmp_path: Path) -> None:
    spoilt = {**event("A", ONE), "not_finite": 1}
    found = differences.compare(
        ("a", run(tmp_path / "a", event("A", ONE))), ("b", run(tmp_path / "b", spoilt)), True
    )
    assert found.difference is not None and "infinities" in found.difference.text()


def test_a_line_that_a_dying_process_left(tmp_path: Path) -> None:
    (tmp_path / "x-0-1.jsonl").write_text(json.dumps(event("A", ONE)) + '\n{"kind": "acti')
    process = records.read(tmp_path)["x-0-1"]
    assert len(process.events) == 1 and not process.finished


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("loss 0.5123", "loss 0.5123", True),
        ("loss 0.5123", "loss 0.51231", True),
        ("loss 0.5123", "loss 0.61", False),
        ("on cuda:0", "on npu:0", True),
        ("NVIDIA A100-SXM4-80GB: ready", "Ascend910B2: ready", True),
        ("step 3  time 12.3 ms", "step 3  time 99.1 ms", True),
        ("1,234 tok/s", "99 tok/s", True),
        ("took 3.5s", "took 88.25s", True),
        ("hello", "goodbye", False),
        ("step 1", "step 2", False),
        ("loss nan", "loss 0.5", False),
        ("12:00:01 loss 1", "13:22:09 loss 1", True),
    ],
)
def test_printed_lines(first: str, second: str, alike: bool) -> None:
    assert (printed.compare(first, second, 1e-4) is None) is alike


def test_what_differs_from_itself_is_no_evidence() -> None:
    assert printed.compare("id 17\nloss 1", "id 99\nloss 1", 0.0, "id 40\nloss 1") is None
    line = printed.compare("id 17\nloss 1", "id 99\nloss 2", 0.0, "id 40\nloss 1")
    assert line is not None and line.number == 2


def verdict(codes: dict[tuple[str, str], int]) -> Verdict:
    made = Verdict()
    for (program, device), code in codes.items():
        kind = Kind(program, device)
        made.trials[kind.name] = Trial(kind, code, 1.0, "", "" if code == 0 else "ValueError: no\n")
    return made


def beside(device: str, tensors: int = 4) -> Beside:
    first, second = Kind("original", device).name, Kind("ported", device).name
    return Beside(first, second, Comparison(first, second, tensors, 2), None)


GOOD = {("original", "chip"): 0, ("ported", "chip"): 0, ("original", "cpu"): 0, ("ported", "cpu"): 0}


def test_pass_needs_the_chip_and_something_that_was_compared() -> None:
    made = verdict(GOOD)
    verification.decide(made, {"chip": beside("chip"), "cpu": beside("cpu")}, beside("cpu"))
    assert made.verdict == "PASS"
    made = verdict(GOOD)
    verification.decide(made, {"chip": beside("chip", 0), "cpu": beside("cpu", 0)}, beside("cpu", 0))
    assert made.verdict == "UNVERIFIED" and "no module" in made.reasons[0]
    made = verdict({**GOOD, ("original", "chip"): 1, ("ported", "chip"): 1})
    verification.decide(made, {"chip": None, "cpu": beside("cpu")}, None)
    assert made.verdict == "UNVERIFIED" and "virtual chip" in made.reasons[0]


def test_fail_where_the_ported_program_fails() -> None:
    made = verdict({**GOOD, ("ported", "chip"): 1})
    verification.decide(made, {"chip": None, "cpu": beside("cpu")}, None)
    assert made.verdict == "FAIL" and "ValueError: no" in made.reasons[0]


def test_a_program_that_does_not_repeat_itself() -> None:
    made, pair = verdict(GOOD), beside("chip")
    pair.line, pair.repeats = printed.Line(1, "a", "b", None), False
    verification.decide(made, {"chip": pair, "cpu": beside("cpu")}, beside("cpu"))
    assert made.verdict == "UNVERIFIED" and "two runs of its own" in made.reasons[0]


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ((0.18, 0.1), "PASS"),
        ((0.01, 0.2), "UNVERIFIED"),
        ((0.9, 0.9), "UNVERIFIED"),
    ],
)
def test_a_chip_that_is_no_farther_from_float64_than_the_cpu(
    errors: tuple[float, float], expected: str
) -> None:
    made, across = verdict(GOOD), beside("cpu")
    across.modules.difference = differences.Difference(
        "train-0-1",
        "gradient",
        "Net",
        2,
        0,
        0.2,
        0.15,
        "float16",
        None,
        differences.Referee(*errors, "unknown"),
    )
    verification.decide(made, {"chip": beside("chip"), "cpu": beside("cpu")}, across)
    assert made.verdict == expected
