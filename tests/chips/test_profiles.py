"""The chip files: complete, agreeing on names, and refused with a useful message otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from jumar import chips

COMPLETE = """
name = "AscendX1"
title = "A chip for this test"
vendor = "Nobody"
generation = "X"
device = "one chip is one device"
aliases = ["X1"]
[sources]
sheet = "a data sheet"
[memory]
size = { value = 1024, unit = "B", source = "sheet", confidence = "vendor" }
[core]
cube = { value = 2, unit = "core", source = "sheet", confidence = "vendor" }
vector = { value = 4, unit = "core", source = "sheet", confidence = "vendor" }
[cache]
l2 = { value = 64, unit = "B", source = "sheet", confidence = "vendor" }
"""
# What the adapter accepts from aclrtGetSocName; with any other name it refuses to start.
KNOWN_TO_THE_ADAPTER = {
    f"Ascend{family}{bin}"
    for family, bins in {
        "910": ("PremiumA", "ProA", "A", "ProB", "B", "B1", "B2", "B2C", "B3", "B4", "B4-1"),
        "310": ("P1", "P2", "P3", "P4", "P5", "P7", "B1", "B2", "B3", "B4"),
        "910_": ("9391", "9392", "9381", "9382", "9372", "9362", "9363"),
    }.items()
    for bin in bins
}
BROKEN = [
    ('unit = "B", source = "sheet", conf', 'source = "sheet", conf', "memory.size: has no unit; add unit"),
    ('value = 2, unit = "core", source = "sheet"', 'value = 2, unit = "core"', "core.cube: has no source"),
    (', confidence = "vendor" }\n[core]', " }\n[core]", "memory.size: has no confidence"),
    (
        'value = 64, unit = "B", source = "sheet"',
        'value = 64, unit = "B", source = "web"',
        "not under [sources]",
    ),
    ('confidence = "vendor"', 'confidence = "sure"', "choose one of vendor"),
    ("{ value = 1024,", "{ value = '1024',", "is not a number"),
    (
        'vector = { value = 4, unit = "core", source = "sheet", confidence = "vendor" }',
        "vector = 4",
        "a bare 4",
    ),
    ('value = 1024, unit = "B"', 'value = 1, unit = "KiB"', "must give it in B"),
    ('vendor = "Nobody"', "", "vendor: missing; add a line"),
    ("aliases = [", "aliases = ", "not valid TOML"),
]


def test_every_chip_that_ships_loads_and_is_known_to_the_adapter() -> None:
    listed = chips.all_chips()
    assert {chip.name for chip in listed} <= KNOWN_TO_THE_ADAPTER
    assert listed[0].name == chips.DEFAULT


def test_every_number_has_a_unit_a_source_and_a_confidence() -> None:
    for chip in chips.all_chips():
        for key, quantity in chip.quantities.items():
            assert quantity.unit and quantity.source, f"{chip.name} {key}"
            assert quantity.confidence in chips.CONFIDENCES, f"{chip.name} {key}"


@pytest.mark.parametrize(
    ("name", "found", "gib", "cube", "vector"),
    [
        ("910b2", "Ascend910B2", 64, 24, 48),
        ("ASCEND910B2", "Ascend910B2", 64, 24, 48),
        ("910B4", "Ascend910B4", 32, 20, 40),
        ("910c", "Ascend910_9382", 64, 24, 48),
        ("910C-560T", "Ascend910_9362", 64, 20, 40),
        ("910A", "Ascend910A", 32, 32, 0),
    ],
)
def test_names_and_aliases_in_any_case(name: str, found: str, gib: int, cube: int, vector: int) -> None:
    chip = chips.find(name)
    assert chip.name == found
    assert chip.number("memory.size", "B") == gib * 2**30
    assert (chip.number("core.cube", "core"), chip.number("core.vector", "core")) == (cube, vector)


@pytest.mark.parametrize(
    ("name", "hint"), [("910B9", "did you mean 910B"), ("zzzz", "there is none like it")]
)
def test_an_unknown_chip_gets_one_line_with_the_nearest_names(name: str, hint: str) -> None:
    with pytest.raises(chips.UnknownChip) as refused:
        chips.find(name)
    assert hint in str(refused.value) and "\n" not in str(refused.value)


def test_a_complete_file_loads(tmp_path: Path) -> None:
    path = tmp_path / "AscendX1.toml"
    path.write_text(COMPLETE, encoding="utf-8")
    size = chips.load(path).quantities["memory.size"]
    assert (size.value, size.unit, size.source, size.confidence) == (1024, "B", "a data sheet", "vendor")


@pytest.mark.parametrize(("good", "bad", "complaint"), BROKEN, ids=[complaint for *_, complaint in BROKEN])
def test_an_incomplete_file_does_not_load(tmp_path: Path, good: str, bad: str, complaint: str) -> None:
    path = tmp_path / "AscendX1.toml"
    assert good in COMPLETE
    path.write_text(COMPLETE.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(chips.BadProfile) as refused:
        chips.load(path)
    assert complaint in str(refused.value) and "AscendX1.toml" in str(refused.value)


def test_a_number_is_not_given_in_another_unit() -> None:
    with pytest.raises(chips.BadProfile, match="is in B, not in GiB"):
        chips.find("910B2").number("memory.size", "GiB")
