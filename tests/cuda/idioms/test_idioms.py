"""Every idiom has the answer of a CUDA machine; `../idioms-fails.txt` lists those that cannot, with the reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from idioms import Idiom, idioms
from idioms.starting import Outcome, run

IDIOMS = idioms()
HERE = [one for one in IDIOMS if not one.process]
APART = [one for one in IDIOMS if one.process]
SOURCE = re.compile(r"[\w.-]+/[\w.-]+(#\d+|(/[\w.-]+)+)")


def read_fails(file: Path) -> dict[str, str]:
    """`name  # reason` by line. A line without a reason, or of an idiom that is not there, is an error."""
    fails = {}
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition("#")
            if not reason.strip() or name.strip() not in {one.name for one in IDIOMS}:
                raise ValueError(f"{file.name}:{number}: write `name of an idiom  # reason`, not {line!r}")
            fails[name.strip()] = reason.strip()
    return fails


FAILS = read_fails(Path(__file__).parents[1] / "idioms-fails.txt")


def named(chosen: list[Idiom]) -> list[object]:
    """One parameter each; what is known to fail must fail."""
    return [
        pytest.param(one, id=f"{one.theme}-{one.name}",
                     marks=[pytest.mark.xfail(reason=FAILS[one.name], strict=True)] if one.name in FAILS else [])
        for one in chosen
    ]  # fmt: skip


@pytest.mark.virtual_only
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("machine", "face_for_module")
@pytest.mark.parametrize("one", named(HERE))
def test_in_this_process(one: Idiom) -> None:
    assert one.body() == one.answers, one.title


@pytest.fixture(scope="module")
def outcomes(machine: None) -> dict[str, Outcome]:
    """All those that need a process of their own, in as few as they allow."""
    return run(APART, "cuda")


@pytest.mark.virtual_only
@pytest.mark.parametrize("one", named(APART))
def test_in_a_process_of_its_own(one: Idiom, outcomes: dict[str, Outcome]) -> None:
    found = outcomes[one.name]
    assert found["kind"] == "ok", (
        f"{one.title}: {found['kind']} {found['text']}, {one.answers!r} was expected"
    )


def test_there_are_enough() -> None:
    assert len(IDIOMS) >= 150


def test_each_says_where_it_is_done() -> None:
    assert [one.name for one in IDIOMS if not SOURCE.fullmatch(one.source)] == []


def test_titles_tell_them_apart() -> None:
    titles = [(one.theme, one.title) for one in IDIOMS]
    assert len(set(titles)) == len(titles)
