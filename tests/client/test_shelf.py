"""Programs of the shelf, in small sizes: each runs dry to its end and can be priced on chips of several vendors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jumar import chips
from jumar.cli import main
from jumar.runs import directory
from jumar.runs.pricing import price_run
from jumar.shelf import EXAMPLES

pytestmark = pytest.mark.virtual_only

JUMAR = str(Path(sys.executable).with_name("jumar"))

SHORT = ["--sequence", "256", "--steps", "2"]
# Example, its arguments made small, items of a step over all ranks, chips that it is for.
CASES = [
    ("gpt2", ["--batch", "2", *SHORT], 2 * 256, 1),
    ("llama-2-70b", ["--micro-batches", "4", *SHORT], 4 * 256 * 2, 64),
    ("mixtral-8x7b", ["--micro-batches", "4", *SHORT], 4 * 256 * 8, 32),
    ("unet", ["--size", "16", "--steps", "3"], 4, 1),
    ("dlrm", ["--batch", "64", "--steps", "3"], 64, 1),
    ("decode-70b", ["--batch", "4", "--context", "128"], 4, 8),
]


@pytest.mark.parametrize(("name", "words", "items", "ranks"), CASES, ids=[case[0] for case in CASES])
def test_example_runs_dry_and_is_priced(
    tmp_path: Path, name: str, words: list[str], items: int, ranks: int
) -> None:
    command = [JUMAR, "run", "--example", name, "--out", "out", "--", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    run = directory.read(tmp_path / "out")
    for chip in ("910b2", "h100", "mi300x"):
        priced = price_run(run, chips.find(chip))
        assert priced.step_s > 0 and priced.steps and priced.chips == ranks
        assert priced.items is not None and priced.items.per_step == items
        assert not any("whole run counts as one" in note for note in priced.notes)
    waits = priced.parts.get("bubble", 0.0)
    assert (waits > 0) == (name in ("llama-2-70b", "mixtral-8x7b"))
    if ranks > 1:
        assert priced.duration_s[run.events.type == 1].sum() > 0, "exchanges take time"


def test_examples_are_listed_and_an_unknown_one_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--example", "list"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in EXAMPLES)
    assert main(["run", "--example", "nothing"]) == 2
    assert "gpt2" in capsys.readouterr().err
    assert main(["run", "--example", "llama-2-70b", "--full"]) == 2
    assert "dry run only" in capsys.readouterr().err
