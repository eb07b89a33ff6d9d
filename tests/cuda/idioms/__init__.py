"""Small things that CUDA programs do, each with the answer of a CUDA machine (A100, torch 2.13+cu128) and where it is done.

One file a theme. An idiom is a function that does the thing and returns what the program would see; it uses no name of
jumar and none of the vendor's, so that it runs on any machine that claims to be one with CUDA devices.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

DEVICES = 2  # of the machine that the idioms run on
NOT_THEMES = ("conftest", "kernels", "processes", "starting", "test_idioms", "worker")

Body = TypeVar("Body", bound=Callable[[], object])


@dataclass(frozen=True)
class Idiom:
    """`title` is the construct, `source` a repository with a file or thread in which it is done or broke.

    Idioms with the same `process` share one that is started for them, with `environment` and by `launcher`; without
    one they run in the process that is there.
    """

    name: str
    theme: str
    title: str
    source: str
    answers: object
    body: Callable[[], object]
    process: str = ""
    launcher: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Process:
    """What idioms that need a process of their own are started with. `launcher` replaces the Python interpreter."""

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    launcher: tuple[str, ...] = ()


_idioms: dict[str, Idiom] = {}


def idiom(
    title: str, source: str, answers: object = None, process: Process | None = None
) -> Callable[[Body], Body]:
    """The decorated function does the thing and returns `answers`."""

    def register(body: Body) -> Body:
        theme = body.__module__.rpartition(".")[2]
        own = {} if process is None else vars(process) | {"process": process.name}
        own.pop("name", None)
        if _idioms.get(body.__name__) is not None and _idioms[body.__name__].theme != theme:
            raise ValueError(f"{theme}.{body.__name__}: {_idioms[body.__name__].theme} has one of that name")
        _idioms[body.__name__] = Idiom(body.__name__, theme, title, source, answers, body, **own)
        return body

    return register


def themes() -> list[str]:
    return sorted(one.name for one in pkgutil.iter_modules(__path__) if one.name not in NOT_THEMES)


def idioms() -> list[Idiom]:
    """All of them, by theme."""
    for theme in themes():
        importlib.import_module(f"{__name__}.{theme}")
    return sorted(_idioms.values(), key=lambda one: themes().index(one.theme))


@contextmanager
def kept(owner: Any, *names: str) -> Iterator[None]:
    """Settings that an idiom changes, as they were afterwards."""
    before = [(name, getattr(owner, name)) for name in names]
    try:
        yield
    finally:
        for name, value in before:
            setattr(owner, name, value)


def raised(action: Callable[[], object], *expected: type[BaseException]) -> str:
    """The text of the exception that the action raises, or "nothing was raised"."""
    try:
        action()
    except BaseException as error:
        if not isinstance(error, expected or RuntimeError):
            raise
        return str(error)
    return "nothing was raised"
