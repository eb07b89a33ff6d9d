"""What must stay byte for byte: `kept.jsonl` has a file a line, with words and code that a porter could take for ties."""

from __future__ import annotations

import json
from pathlib import Path

from jumar.port import porting, writing
from jumar.port.repository import Repository

TABLE = Path(__file__).parent / "kept.jsonl"
ROWS = [json.loads(line) for line in TABLE.read_text(encoding="utf-8").split("\n") if line]


def test_there_are_many() -> None:
    assert len(ROWS) >= 500
    assert len({(row["path"], row["text"]) for row in ROWS}) == len(ROWS)


def test_nothing_is_changed(tmp_path: Path) -> None:
    """Each in a folder of its own, ported with everything that a person should look at too."""
    places = [tmp_path / f"{number:04}" / row["path"] for number, row in enumerate(ROWS)]
    for place, row in zip(places, ROWS, strict=True):
        place.parent.mkdir()
        place.write_bytes(row["text"].encode())
    repository = Repository.at(tmp_path)
    made = porting.port(repository, "review", jobs=1)
    changed = {ROWS[int(change.path[:4])]["name"]: change.after for change in made.changes}
    assert changed == {}
    writing.write(repository, made.changes)
    assert [place.read_bytes() for place in places] == [row["text"].encode() for row in ROWS]


def test_what_is_no_python_is_named(tmp_path: Path) -> None:
    for number, row in enumerate(ROWS):
        if row["name"].startswith("no Python"):
            (tmp_path / f"broken{number}.py").write_bytes(row["text"].encode())
    made = porting.port(Repository.at(tmp_path), "review", jobs=1)
    named = {trouble.path for trouble in made.troubles}
    assert len(named) >= 15
    assert not {change.path for change in made.changes} & named
