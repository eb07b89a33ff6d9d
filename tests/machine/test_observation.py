"""The pieces that watch a program: a bounded sample, and patches that are all or none, and undone."""

from __future__ import annotations

import types
from itertools import pairwise

import pytest

from jumar import patches
from jumar.machine import observe
from jumar.machine.sample import Sample


@pytest.mark.parametrize("count", [0, 1, 5, 8, 9, 40, 1000, 12345])
def test_a_sample_keeps_beginning_end_and_an_even_middle(count: int) -> None:
    sample: Sample[int] = Sample(head=4, middle=16, tail=4)
    for item in range(count):
        sample.add(item)
    positions = [position for position, item in sample.items()]
    assert [item for _, item in sample.items()] == positions == sorted(set(positions))
    assert sample.count == count and len(positions) <= 24
    assert positions[:4] == list(range(min(4, count)))
    assert positions[-4:] == list(range(max(0, count - 4), count))
    if count > 100:
        gaps = {later - earlier for earlier, later in pairwise(positions[5:-5])}
        assert len(gaps) == 1


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    import sys

    module = types.ModuleType("jumar_test_target")
    module.double = lambda number: 2 * number
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def plus_one(original: object) -> object:
    return lambda number: original(number) + 1


def test_patches_apply_and_undo(target: types.ModuleType) -> None:
    original = target.double
    applied = patches.apply([patches.Patch("jumar_test_target:double", plus_one, "a test")])
    assert target.double(3) == 7
    applied.undo()
    assert target.double is original


def test_a_missing_target_is_named_and_nothing_is_patched(target: types.ModuleType) -> None:
    wanted = [
        patches.Patch("jumar_test_target:double", plus_one, "there"),
        patches.Patch("jumar_test_target:triple", plus_one, "not there"),
    ]
    with pytest.raises(patches.PatchError, match=r"jumar_test_target:triple is not there in torch 2\."):
        patches.apply(wanted)
    assert target.double(3) == 6


def test_every_patch_of_a_run_has_its_target_and_a_reason() -> None:
    """The targets are names inside torch and torch_npu: a version that moves one fails here, not in a run."""
    rows = [*observe.PATCHES, *observe.ADAPTER_PATCHES]
    assert all(row.why for row in rows)
    applied = patches.apply(row for row in rows if row not in observe.patches_in_force())
    applied.undo()
