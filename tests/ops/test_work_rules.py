"""Rules of work as a whole: every operator has one, none raises, more is never less, and they agree with the meanings."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np
import pytest
import torch

from jumar import chips
from jumar.abi.generate import operator_names
from jumar.abi.operand import Operand
from jumar.ops.derivation import derive
from jumar.ops.registry import notes, operators, rules
from jumar.ops.traffic import operands
from jumar.ops.working import Estimate, work_of
from jumar.physics import Work, accelerator_of, price_all

from .calls import Call, contiguous, mapped, operand, recorded, sizes_in

FAMILIES = (
    "unary binary comparison bitwise clamp ternary activation foreach reduction softmax normalization "
    "fused_normalization"
)
# Where rule and meaning differ in bytes, and why.
DIFFER = {
    "aclnnScaledMaskedSoftmax": "a fixed mask is not read by the meaning",
    "aclnnScaledMaskedSoftmaxBackward": "a fixed mask is not read by the meaning",
    "aclnnForeachNonFiniteCheckAndUnscale": "the flag is written too",
}
# Their operands would no longer fit together if only those of one size grew.
JOINED = ("aclop:ConcatD", "aclnnCat", "aclnnSplitWithSize", "aclnnChunkCat")


def synthetic() -> Iterator[Call]:
    """Types of the legacy path that have no test of their own, on three equal inputs."""
    known = {name for name, _ in recorded()}
    same = operand(4, 8, 16, dtype="float32")
    for name in operators():
        if name.startswith("aclop:") and name not in known:
            yield (
                name,
                [[same, same, same, same, same], [same, same, same], {"axis": 1, "groups": 1, "dim": 1}],
            )


def every_call() -> list[Call]:
    return [*recorded(), *synthetic()]


def numbers(work: Work) -> tuple[float, ...]:
    """Operations of either unit, transcendentals, bytes. A depthwise convolution turns from one unit to the other."""
    operations = work.operations + sum(v.operations for v in work.vectors)
    return operations, sum(v.transcendentals for v in work.vectors), work.read_b, work.written_b


def grown(call: Call, size: int, larger: int) -> Call:
    """The call with every dimension of this size larger; strides become those of contiguous tensors."""

    def change(found: Operand) -> Operand:
        sizes = tuple(larger if each == size else each for each in found.sizes)
        return replace(found, sizes=sizes, strides=contiguous(sizes))

    return call[0], mapped(call[1], change)


def growths(by: int) -> Iterator[tuple[Call, Call]]:
    """Each call with contiguous operands, and the same with one of its sizes `by` times as large, or by one for 1."""
    for call in every_call():
        if call[0] in JOINED:
            continue
        base = grown(call, -1, -1)
        for size in sorted(sizes_in(call[1]) - {0}):
            yield base, grown(call, size, size * by if by > 1 else size + 1)


def test_every_operator_with_arithmetic_has_a_rule() -> None:
    assert sorted(operators().keys() - rules().keys()) == []


def test_every_rule_is_of_an_operator_of_the_vendor() -> None:
    known = {*operator_names(), *operators()}
    assert sorted(rules().keys() - known) == [] and notes().keys() <= rules().keys()


def test_recorded_calls_are_estimated_by_rule() -> None:
    other = {
        name: found for name, arguments in recorded() if (found := work_of(name, arguments)).source != "rule"
    }
    assert other == {}


def test_work_of_never_raises() -> None:
    """Arguments that are missing, of another kind, empty or too few give an estimate all the same."""
    for name, arguments in recorded():
        spoiled: list[list[Any]] = [[], arguments[:1], arguments[:-1], [*arguments, None]]
        for place in range(len(arguments)):
            spoiled += [[*arguments[:place], wrong, *arguments[place + 1 :]] for wrong in (None, [], "x", -1)]
        for given in spoiled[:: 1 + len(spoiled) // 12]:
            found = work_of(name, given)
            assert isinstance(found, Estimate) and all(0 <= number < np.inf for number in numbers(found.work))


def test_unknown_operators_are_assumed_by_their_sizes() -> None:
    found = work_of("aclnnOfTomorrow", [operand(4, 8), 3, operand(4, 8)])
    assert found.source == "assumed" and found.note
    assert (found.work.read_b, found.work.written_b, found.work.launches) == (64.0, 64.0, 1)
    assert work_of("aclnnOfTomorrow", []).source == "assumed"


def test_what_moves_data_takes_time() -> None:
    machine = accelerator_of(chips.find("910B2"))
    calls = [
        (name, arguments) for name, arguments in every_call() if any(o.elements for o in operands(arguments))
    ]
    works = [work_of(*call).work for call in calls]
    seconds = price_all(works, machine).seconds
    assert [calls[row][0] for row in np.flatnonzero(seconds <= 0)] == []


@pytest.mark.parametrize("by", [1, 2])
def test_larger_operands_are_never_less_work(by: int) -> None:
    less = {}
    for before, after in growths(by):
        first, second = numbers(work_of(*before).work), numbers(work_of(*after).work)
        if any(new < old * (1 - 1e-12) for old, new in zip(first, second, strict=True)):
            less[before[0]] = (before[1], after[1], first, second)
    assert less == {}


@pytest.mark.parametrize("chip", ["910B2", "H100-SXM-80GB"])
def test_operands_twice_as_large_never_take_less_time(chip: str) -> None:
    machine = accelerator_of(chips.find(chip))
    pairs = list(growths(2))
    before = price_all([work_of(*first).work for first, _ in pairs], machine).seconds
    after = price_all([work_of(*second).work for _, second in pairs], machine).seconds
    assert [pairs[row][0] for row in np.flatnonzero(after < before * (1 - 1e-12))] == []


def test_rules_move_what_the_meanings_move() -> None:
    """A rule that takes a result for an input, or forgets one, is found so."""
    files = {f"ops/{family}.py" for family in FAMILIES.split()}
    wrong = {}
    for name, arguments in recorded():
        if operators()[name].file not in files or name in DIFFER:
            continue
        run = getattr(operators()[name].run, "__wrapped__", operators()[name].run)
        try:
            derived = derive(run, arguments, name)
        except (RuntimeError, NotImplementedError):  # the meaning looks at values
            continue
        ruled = work_of(name, arguments).work
        if (ruled.read_b, ruled.written_b) != pytest.approx((derived.read_b, derived.written_b)):
            wrong[name] = (arguments, ruled, derived)
    assert wrong == {}


def test_rules_multiply_what_the_meanings_multiply() -> None:
    """But for depthwise convolutions, which the vector units do."""
    compared = 0
    for name, arguments in recorded():
        if operators()[name].file not in ("ops/matmul.py", "ops/convolution.py", "ops/quantization.py"):
            continue
        ruled = work_of(name, arguments).work
        if not ruled.products or name == "aclnnConvTbcBackward":  # whose meaning leaves out the padding
            continue
        run = getattr(operators()[name].run, "__wrapped__", operators()[name].run)
        assert derive(run, arguments, name).operations == pytest.approx(ruled.operations), (name, arguments)
        compared += 1
    assert compared >= 12


def test_derivations_are_the_same_in_inference_mode() -> None:
    """In which the executor runs, and which hands on composite functions whole."""
    left, right, out = operand(4, 8, 16), operand(16, 32), operand(4, 8, 32)
    run = operators()["aclnnMatmul"].run
    with torch.inference_mode():
        inside = derive(run, [left, right, out, 0], "aclnnMatmul")
    assert (
        inside == derive(run, [left, right, out, 0], "aclnnMatmul") and inside.operations == 2 * 32 * 16 * 32
    )


def test_rules_are_quick() -> None:
    times = []
    for name, arguments in recorded():
        start = time.perf_counter()
        work_of(name, arguments)
        times.append(time.perf_counter() - start)
    assert median(times) < 100e-6
