"""The parameter file: complete, and refused with file, key and remedy otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from jumar.physics.parameters import BOUNDS, FILE, SPREADS, BadParameters, load_parameters

TEXT = FILE.read_text(encoding="utf-8")


def test_the_file_that_ships_is_complete() -> None:
    table = load_parameters()
    assert set(table.families) == {"davinci", "ampere", "hopper", "default"}
    for parameters in table.families.values():
        assert set(parameters.spread) == set(SPREADS)
        for key, (low, high) in BOUNDS.items():
            assert low <= getattr(parameters, key) <= high


BAD = [
    (
        "memory_efficiency = { value = ",
        "memory_efficiency = { value = 9",
        "memory_efficiency: value 90.",
        "give a number from",
    ),
    ("overlap_tensor = {", "overlap_tensors = {", "davinci.overlap_tensors: no such parameter", "remove it"),
    ('origin = "fitted"', 'origin = "guess"', "origin 'guess'", "use one of fitted"),
    ("[default", "[other", "default: missing", r"need a \[default\]"),
    ("fill_depth = { value", "fill_depth = { values", "fill_depth: missing", "add davinci.fill_depth = "),
    ("[davinci]", "[davinci", "not valid TOML", "not valid"),
]


@pytest.mark.parametrize(("old", "new", "message", "remedy"), BAD)
def test_a_bad_file_is_refused_with_key_and_remedy(
    tmp_path: Path, old: str, new: str, message: str, remedy: str
) -> None:
    assert old in TEXT
    broken = tmp_path / "mine.toml"
    broken.write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(BadParameters, match=remedy) as refused:
        load_parameters(broken)
    assert str(refused.value).startswith("mine.toml: ") and message in str(refused.value)
