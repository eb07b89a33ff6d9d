"""A chip of one's own: its file loads, says of every value where it was taken from, and is written whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from jumar import chips
from jumar.chips import draft


@pytest.mark.parametrize("base", [chip.name for chip in chips.all_chips()])
def test_a_draft_of_every_chip_has_its_values(tmp_path: Path, base: str) -> None:
    given = chips.find(base)
    made = draft.write("Mine-1", given, tmp_path / "mine.toml")
    assert made.name == "Mine-1" and made.aliases == () and made.soc == given.soc
    assert dict(made.links) == dict(given.links)
    assert list(made.quantities) == list(given.quantities)
    for key, quantity in made.quantities.items():
        before = given.quantities[key]
        assert (quantity.value, quantity.unit, quantity.date) == (before.value, before.unit, before.date)
        assert quantity.confidence == "assumption" and quantity.source == f"taken from {given.name}"
        assert f"{before.confidence}: {before.source}" in quantity.note


def test_a_draft_of_a_draft(tmp_path: Path, own: Path) -> None:
    made = draft.write("X2", chips.load(own), tmp_path / "x2.toml")
    again = draft.write("X3", made, tmp_path / "x3.toml")
    assert {key: one.value for key, one in again.quantities.items()} == {
        key: one.value for key, one in made.quantities.items()
    }


def test_the_file_tells_what_to_change(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    draft.write("Mine", chips.find("910b2"), path)
    text = path.read_text(encoding="utf-8")
    assert "Change each value that differs" in text and "jumar chips compare Ascend910B2 mine.toml" in text
    assert 'soc = "Ascend910B2"' in text and 'size = { value = 64, unit = "GiB"' in text


def test_a_changed_draft_loads(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    draft.write("Mine", chips.find("h100"), path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("value = 3.35,", "value = 7,"), encoding="utf-8")
    assert chips.find(str(path)).number("memory.bandwidth", "B/s") == 7e12


def test_nothing_is_written_over_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("precious", encoding="utf-8")
    with pytest.raises(FileExistsError):
        draft.write("Mine", chips.find("910b2"), path)
    assert path.read_text(encoding="utf-8") == "precious"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(chips.BadProfile, match="is no name for a chip"):
        draft.write("my chip", chips.find("910b2"), tmp_path / "other.toml")
    assert list(tmp_path.iterdir()) == [path]
