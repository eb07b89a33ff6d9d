"""Watches a program on a virtual server for the summary of `jumar run`: optimizer steps and losses.

Nothing here waits for the device or gives it work while the program runs: of a loss only a reference is kept,
and only of some (see `Sample`). They are read when the program ends, before the adapter shuts the chips down.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import time
import weakref
from collections import Counter
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jumar import environment
from jumar.machine import attribution
from jumar.machine.sample import Sample
from jumar.patches import Applied, Patch, apply

if TYPE_CHECKING:
    import torch


class Record:
    """What has been seen in this process so far."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.steps: Counter[int] = Counter()
        self.optimizers: dict[int, str] = {}
        self.step_times: list[float] = []
        self.losses: Sample[tuple[int, torch.Tensor | float]] = Sample()
        self.unscaled: tuple[weakref.ref[torch.Tensor], torch.Tensor] | None = None

    def stepped(self, optimizer: torch.optim.Optimizer, arguments: object, keywords: object) -> None:
        self.steps[id(optimizer)] += 1
        self.optimizers.setdefault(id(optimizer), type(optimizer).__name__)
        now = time.time()
        self.step_times = [self.step_times[0], now] if self.step_times else [now]

    def loss(self, tensor: torch.Tensor) -> None:
        """A tensor that `backward` starts from; remembered if it is one number."""
        if self.unscaled is not None and self.unscaled[0]() is tensor:
            tensor = self.unscaled[1]
        self.unscaled = None
        if not _is_one_number(tensor):
            return
        step = max(self.steps.values(), default=0)
        self.losses.add((step, tensor.detach() if tensor.device.type != "cpu" else float(tensor.detach())))

    def scaled(self, before: object, after: object) -> None:
        """GradScaler multiplied a loss: what counts is the loss before."""
        import torch

        if isinstance(before, torch.Tensor) and isinstance(after, torch.Tensor) and after is not before:
            self.unscaled = (weakref.ref(after), before.detach())

    def facts(self) -> dict[str, Any]:
        """Plain values, for JSON. Reads the kept losses from the device."""
        import torch

        losses = [[step, _value(kept)] for _, (step, kept) in self.losses.items()]
        return {
            "pid": self.pid,
            "rank": os.environ.get("RANK"),
            "arguments": sys.argv,
            "torch": torch.__version__,
            "steps": max(self.steps.values(), default=0),
            "optimizers": sorted(set(self.optimizers.values())),
            "seconds_stepping": self.step_times[-1] - self.step_times[0] if self.step_times else 0.0,
            "backwards": self.losses.count,
            "losses": losses,
            "patches": [patch.target for patch in (*patches_in_force(), *attribution.patches_in_force())],
        }


def _is_one_number(tensor: object) -> bool:
    import torch

    plain = type(tensor) in (torch.Tensor, torch.nn.Parameter)
    return plain and isinstance(tensor, torch.Tensor) and tensor.numel() == 1 and tensor.is_floating_point()


def _value(kept: torch.Tensor | float) -> float | None:
    try:
        return float(kept)
    except RuntimeError:  # the device is in an error state: the program's own message says why
        return None


_record = Record()
_applied: list[Applied] = []


def _backward(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def backward(tensors: Any, *arguments: Any, **keywords: Any) -> Any:
        for tensor in tensors if isinstance(tensors, (tuple, list)) else (tensors,):
            _record.loss(tensor)
        return original(tensors, *arguments, **keywords)

    return backward


def _scale(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def scale(self: Any, outputs: Any) -> Any:
        result = original(self, outputs)
        _record.scaled(outputs, result)
        return result

    return scale


PATCHES = (
    Patch("torch.autograd:backward", _backward, "the loss is what backward() starts from"),
    Patch("torch.amp.grad_scaler:GradScaler.scale", _scale, "the loss before it is scaled for float16"),
)
ADAPTER_PATCHES = (
    Patch("torch_npu.npu.amp.grad_scaler:GradScaler.scale", _scale, "the adapter's own GradScaler, likewise"),
)


def patches_in_force() -> list[Patch]:
    return [patch for applied in _applied for patch in applied.patches]


def install() -> None:
    """Begins to watch; called again when torch_npu has come later than torch."""
    in_force = patches_in_force()
    adapter = ADAPTER_PATCHES if "torch_npu" in sys.modules else ()
    if not in_force:
        from torch.optim.optimizer import register_optimizer_step_post_hook

        hook = register_optimizer_step_post_hook(_record.stepped)
        _applied.append(Applied((), [hook.remove]))
    if missing := [patch for patch in (*PATCHES, *adapter) if patch not in in_force]:
        _applied.append(apply(missing))
    # Exit functions run last come first: ours must run before the adapter's, which shuts the chips down.
    atexit.unregister(write)
    atexit.register(write)


def remove() -> None:
    """Undoes everything that `install` did."""
    atexit.unregister(write)
    while _applied:
        _applied.pop().undo()


def write() -> None:
    """Leaves what was seen beside the server, for the summary. A forked child leaves nothing."""
    if os.getpid() == _record.pid:
        leave("program", _record.facts())


def leave(kind: str, facts: dict[str, Any]) -> None:
    """Writes facts of this process as <kind>-<pid>.json where the run collects them; whole or not at all."""
    directory = os.environ.get(environment.RECORDS)
    if directory and Path(directory).is_dir():
        path = Path(directory) / f"{kind}-{os.getpid()}.json"
        path.with_suffix(".part").write_text(json.dumps(facts), encoding="utf-8")
        path.with_suffix(".part").replace(path)


def seed(text: str | None) -> None:
    """Seeds the generators that exist, as `jumar run --seed` asks; the program may seed them again."""
    if text is None:
        return
    import random

    import torch

    random.seed(int(text))
    torch.manual_seed(int(text))
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(int(text) % 2**32)
