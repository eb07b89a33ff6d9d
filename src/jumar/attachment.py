"""What jumar does when a program imports torch or torch_npu: which libraries it gets, and what is watched.

It introduces the rooms to each other in the program's process, as `jumar.cli` does on the command line.

| situation                     | import torch                       | import torch_npu                      |
|-------------------------------|------------------------------------|---------------------------------------|
| JUMAR_SERVER set              | loads torch_npu as usual; observed | with jumar's libraries: virtual chips |
| not set, a real CANN is there | untouched, unless a face is wanted | untouched                             |
| not set, no CANN              | does not load torch_npu            | with jumar's libraries: no chips      |
| the executor of a server      | does not load torch_npu            | not imported                          |
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from enum import Enum
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from jumar import environment
from jumar.patches import Patch, apply

AUTOLOAD = "TORCH_DEVICE_BACKEND_AUTOLOAD"
EXECUTOR = "jumar.machine.executor"
LOADER_CACHE = "/etc/ld.so.cache"
VENDOR_LIBRARY = "libascendcl.so"


class Situation(Enum):
    SERVER = "a virtual server"
    CANN = "a real CANN, left alone"
    NOTHING = "no CANN and no virtual server"
    EXECUTOR = "the executor of a virtual server"


def situation() -> Situation:
    if EXECUTOR in sys.orig_argv:
        return Situation.EXECUTOR
    if os.environ.get(environment.SERVER):
        return Situation.SERVER
    return Situation.CANN if cann_present() else Situation.NOTHING


def cann_present() -> bool:
    """Whether a real CANN is announced, or where the dynamic loader looks. Reads one small file at most."""
    if any(os.environ.get(name) for name in ("ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME")):
        return True
    places = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    if any(place and os.path.exists(f"{place}/{VENDOR_LIBRARY}") for place in places):  # noqa: PTH110
        return True
    try:
        with open(LOADER_CACHE, "rb") as cache:  # noqa: PTH123
            return VENDOR_LIBRARY.encode() in cache.read()
    except OSError:
        return False


CANN_CHECK = Patch(
    "torch_npu._init.registry.registry_manager:_cann_package_check",
    lambda original: lambda: None,
    "there is no CANN to look at; the adapter would print a warning on every program's standard output",
)

# The modules being executed now, outermost first: torch loads torch_npu, and torch_npu loads torch.
_loading: list[str] = []


def attach(spec: ModuleSpec) -> None:
    """Wraps the loader of a watched module, found for the import system, as the situation asks."""
    loader: Any = spec.loader
    now = situation()
    left_alone = now is Situation.CANN and not _face_wanted() and not _modules_wanted()
    if loader is None or not hasattr(loader, "exec_module") or left_alone:
        return
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        _loading.append(spec.name)
        try:
            AROUND.get(spec.name, _check_replaced)(now, lambda: execute(module))
        finally:
            _loading.remove(spec.name)
        has_chips = now in (Situation.SERVER, Situation.CANN)
        if not _loading and (has_chips or (_modules_wanted() and now is not Situation.EXECUTOR)):
            _loaded(now)

    loader.exec_module = exec_module


def _torch(now: Situation, execute: Callable[[], None]) -> None:
    with nullcontext() if now in (Situation.SERVER, Situation.CANN) else _autoload_off():
        execute()


def _torch_npu(now: Situation, execute: Callable[[], None]) -> None:
    from jumar.machine import libraries

    if now is not Situation.CANN:
        libraries.preload()
    if os.environ.get(environment.FACE) == "cuda":
        from jumar.cuda import environment as of_cuda

        of_cuda.translate(os.environ, ascending=now is Situation.CANN)
    execute()


def _check_replaced(now: Situation, execute: Callable[[], None]) -> None:
    execute()
    if now is not Situation.CANN:
        apply([CANN_CHECK])


AROUND = {"torch": _torch, "torch_npu": _torch_npu}


@contextmanager
def _autoload_off() -> Iterator[None]:
    """Keeps torch from loading torch_npu by itself, in this process alone: children do not inherit it."""
    before = os.environ.get(AUTOLOAD)
    os.environ[AUTOLOAD] = "0"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(AUTOLOAD, None)
        else:
            os.environ[AUTOLOAD] = before


_prepared = False


def introduce_chips() -> None:
    """What answers as NVIDIA's tools do may then ask for the chips of a virtual server."""
    from jumar import inventory

    def report(directory: Path) -> dict[str, Any]:
        from jumar.machine import server

        return server.report(directory)

    inventory.introduce(report)


def _face_wanted() -> bool:
    return os.environ.get(environment.FACE, "none") != "none"


def _modules_wanted() -> bool:
    return bool(os.environ.get(environment.MODULES))


def _loaded(now: Situation) -> None:
    """torch is complete, and torch_npu too unless it was not asked for: now what needs them both."""
    global _prepared
    from jumar.machine import attribution, observe

    if not _prepared:
        _prepared = True
        observe.seed(os.environ.get(environment.SEED))
        wanted = os.environ.get(environment.FACE, "none")
        if wanted not in FACES:
            raise ImportError(
                f"{environment.FACE}={wanted}: it is one of {', '.join(FACES)}; set or unset it"
            )
        FACES[wanted]()
    if os.environ.get(environment.RECORDS):
        observe.install()
    if now is Situation.SERVER:
        attribution.install()
        if os.environ.get(environment.RANKS):
            from jumar.machine import imagined

            imagined.install()
    if _modules_wanted():
        from jumar.machine import recording

        recording.install()


def _cuda() -> None:
    """The CUDA face, and its account left beside the server when the program ends."""
    from jumar import cuda

    cuda.enter(
        cuda.Options(
            persona=os.environ.get(environment.PERSONA, cuda.Options.persona),
            float64=os.environ.get(environment.FLOAT64, cuda.Options.float64),
        )
    )
    atexit.register(_write_account, os.getpid())


def _write_account(pid: int) -> None:
    from jumar import cuda
    from jumar.machine import observe

    if os.getpid() == pid:  # a forked child has not lived this life
        observe.leave("face", cuda.facts())


def _transfer() -> None:
    """The vendor's own translation of CUDA calls, without the warnings that would greet every run."""
    import warnings

    with warnings.catch_warnings(record=True):
        __import__("torch_npu.contrib.transfer_to_npu")


def _none() -> None:
    """PyTorch as it is."""


FACES: dict[str, Callable[[], None]] = {"cuda": _cuda, "transfer": _transfer, "none": _none}
