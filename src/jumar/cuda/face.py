"""Turns the CUDA face on and off: the chip's name, the patches of PyTorch, the hooks for what is imported later."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType

from jumar import cudamap, environment, patches
from jumar.cuda import account, imports, names, naming, registry

# Tables of jumar.cudamap: names in PyTorch, which must all be there, and in libraries, of which any may be absent.
TABLES = ("torch_cuda", "torch", "distributed")
LIBRARIES = "libraries"
FACES = "faces"
NAMED = ("redirected", 'device "cuda"')


@dataclass(frozen=True)
class Options:
    """`persona`: the NVIDIA GPU that the program believes in; `float64`: what becomes of double precision."""

    persona: str = "A100"
    float64: str = "chip"


_options = Options()
_undo: list[Callable[[], None]] = []


def options() -> Options:
    """What the face was turned on with."""
    return _options


def is_on() -> bool:
    return bool(_undo)


def enter(chosen: Options | None = None) -> None:
    """Turns the face on; does nothing if it is. All or nothing: PatchError or ImportError leave PyTorch as it was."""
    global _options
    # The adapter must be complete before its device gets another name. Its import may turn the face on by itself.
    import torch_npu  # noqa: F401

    if is_on():
        return
    _options = chosen or Options()
    try:
        loaded = chapters()
        _undo.append(imports.stop)
        _undo.append(naming.leave)
        own_face = tuple(row.cuda for row in cudamap.names(FACES) if row.ascend == "npu")
        naming.enter(own_face, lambda: account.note(*NAMED))
        wanted = list(registry.patches(TABLES))
        now = [patch for patch in wanted if patches.is_loaded(patch)]
        _undo.append(patches.apply(now, everywhere=True).undo)
        later = [patch for patch in wanted if not patches.is_loaded(patch)]
        imports.after(_hooks(later, strict=True) | _hooks(registry.patches((LIBRARIES,)), strict=False))
        _undo.append(_in_children(_options))
        for chapter in loaded:
            if begin := getattr(chapter, "enter", None):
                _undo.append(begin(_options))
    except BaseException:
        leave()
        raise


def _in_children(chosen: Options) -> Callable[[], None]:
    """Processes that the program starts see CUDA too: DataLoader workers, torchrun, its own."""
    wanted = {
        environment.FACE: "cuda",
        environment.PERSONA: chosen.persona,
        environment.FLOAT64: chosen.float64,
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)

    def undo() -> None:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    return undo


def chapters() -> list[ModuleType]:
    """Every file in names/."""
    found = sorted(one.name for one in pkgutil.iter_modules(names.__path__))
    return [importlib.import_module(f"{names.__name__}.{name}") for name in found]


def _hooks(later: Iterable[patches.Patch], strict: bool) -> dict[str, imports.Hook]:
    """What to do when the modules of these patches are imported."""
    by_module: dict[str, list[patches.Patch]] = {}
    for patch in later:
        by_module.setdefault(patch.target.partition(":")[0], []).append(patch)

    def hook(module: ModuleType) -> None:
        for patch in by_module[module.__name__]:
            try:
                _undo.append(patches.apply([patch], everywhere=True).undo)
            except patches.PatchError as error:
                if strict:
                    raise
                version = getattr(sys.modules[module.__name__.partition(".")[0]], "__version__", "?")
                warnings.warn(
                    f"jumar: {error} ({module.__name__} {version}); it stays as it is", stacklevel=2
                )

    return dict.fromkeys(by_module, hook)


def leave() -> None:
    """Turns the face off: everything is as it was before."""
    while _undo:
        _undo.pop()()


def patched() -> list[patches.Patch]:
    """The patches of PyTorch that the face makes, for people to read."""
    chapters()
    return list(registry.patches(TABLES))


def facts() -> dict[str, object]:
    """The account as plain values, for JSON."""
    named = account.entry(*NAMED)
    named[0] = max(named[0], naming.parsed())
    return {"persona": _options.persona, "float64": _options.float64, "rows": account.rows()}
