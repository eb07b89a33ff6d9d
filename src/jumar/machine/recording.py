"""Records what a program's modules compute, for `jumar verify`: inputs, outputs, gradients and losses, in their order.

Loaded into the program's process by `jumar.attachment`; the program is not changed. A tensor is kept as figures over
all of it and an evenly spaced sample. What was skipped is counted and said.
"""

from __future__ import annotations

import atexit
import base64
import dataclasses
import json
import os
import sys
import weakref
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from jumar import environment
from jumar.patches import Applied, Patch, apply

if TYPE_CHECKING:
    import torch

SETTINGS = "settings.json"
CALLS = 3
SAMPLE = 1024
MOST_ELEMENTS = 1 << 24  # of larger tensors only the sample is looked at
MOST_LOSSES = 10_000


class Recorder:
    """What one process has recorded. Events go to a file at once, so that a crash loses little."""

    def __init__(self, file: TextIO, calls: int) -> None:
        self.file, self.calls = file, calls
        self.pid = os.getpid()
        self.names: weakref.WeakKeyDictionary[torch.nn.Module, str] = weakref.WeakKeyDictionary()
        self.parameters: dict[int, str] = {}
        self.roots: Counter[str] = Counter()
        self.called: Counter[str] = Counter()
        self.steps = self.losses = 0
        self.scaled: tuple[weakref.ref[torch.Tensor], torch.Tensor, float] | None = None
        self.factor = 1.0  # what the loss was multiplied with whose gradients come now
        self.skipped: Counter[str] = Counter()
        self.busy = False

    def name(self, module: torch.nn.Module) -> str:
        """Qualified, below the class of the outermost module that was called first."""
        if module not in self.names:
            kind = type(module).__name__
            self.roots[kind] += 1
            root = kind if self.roots[kind] == 1 else f"{kind}#{self.roots[kind]}"
            for inner, part in module.named_modules():
                self.names.setdefault(part, f"{root}.{inner}" if inner else root)
            for inner, parameter in module.named_parameters():
                self.parameters.setdefault(id(parameter), f"{root}.{inner}")
        return self.names[module]

    def before(self, module: torch.nn.Module, arguments: Any) -> None:
        if not self.is_own():
            return
        name = self.name(module)
        self.called[name] += 1
        if self.called[name] <= self.calls:
            self.write("input", name, self.called[name], arguments)

    def after(self, module: torch.nn.Module, arguments: Any, result: Any) -> None:
        if not self.is_own():
            return
        name = self.name(module)
        call = self.called[name]
        if call > self.calls:
            return
        self.write("activation", name, call, result)
        for index, tensor in enumerate(tensors_of(result)):
            if tensor.requires_grad:
                tensor.register_hook(self.gradient(name, call, index))  # type: ignore[no-untyped-call]

    def gradient(self, name: str, call: int, index: int) -> Callable[[torch.Tensor], None]:
        return lambda gradient: self.write("gradient", name, call, gradient, index, self.factor)

    def stepped(self, optimizer: torch.optim.Optimizer, arguments: Any, keywords: Any) -> None:
        if not self.is_own() or self.steps >= self.calls:
            return
        self.steps += 1
        left = getattr(optimizer, "grad_scale", None)  # a fused step takes the scale away itself
        factor = 1.0 if left is None else float(left)
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None and id(parameter) in self.parameters:
                    name = self.parameters[id(parameter)]
                    self.write("parameter gradient", name, self.steps, parameter.grad, 0, factor)

    def scaling(self, scaler: Any, before: Any, after: Any) -> None:
        """A scaler multiplied a loss: what counts is the loss, and gradients, without that."""
        if after is not before and hasattr(after, "detach"):
            self.scaled = weakref.ref(after), before.detach(), float(scaler.get_scale())

    def loss(self, tensor: Any) -> None:
        self.factor = 1.0
        if self.scaled is not None and self.scaled[0]() is tensor:
            tensor, self.factor = self.scaled[1], self.scaled[2]
        self.scaled = None
        plain = getattr(tensor, "numel", lambda: 0)() == 1 and tensor.is_floating_point()
        if self.is_own() and plain and self.losses < MOST_LOSSES:
            self.losses += 1
            self.write("loss", "loss", self.losses, tensor)

    def is_own(self) -> bool:
        """A forked child shares the file, and would mix its events in."""
        return os.getpid() == self.pid

    def write(self, kind: str, name: str, call: int, value: Any, index: int = 0, factor: float = 1.0) -> None:
        if self.busy:
            return
        self.busy = True
        try:
            for place, tensor in enumerate(tensors_of(value), index):
                facts = figures(tensor, factor)
                if facts is None:
                    self.skipped[type(tensor).__name__] += 1
                    continue
                event = {"kind": kind, "module": name, "call": call, "index": place, **facts}
                self.file.write(json.dumps(event) + "\n")
        finally:
            self.busy = False

    def close(self) -> None:
        if self.is_own() and not self.file.closed:
            end = {"kind": "end", "calls": dict(self.called), "skipped": dict(self.skipped)}
            self.file.write(json.dumps(end) + "\n")
            self.file.close()


def tensors_of(value: Any) -> Iterator[torch.Tensor]:
    """Tensors of floating point in what a module takes or gives, in order."""
    import torch

    if isinstance(value, torch.Tensor):
        if value.is_floating_point():
            yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from tensors_of(part)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from tensors_of(part)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from tensors_of(getattr(value, field.name))


def figures(tensor: torch.Tensor, factor: float = 1.0) -> dict[str, Any] | None:
    """What is kept of a tensor divided by a factor. None if it has no plain data: symbolic, sharded, sparse, meta."""
    import torch

    plain = type(tensor) in (torch.Tensor, torch.nn.Parameter) and tensor.layout is torch.strided
    if not plain or tensor.device.type == "meta" or torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        return None
    # Neither a mode of the program's nor one of ours shall see this arithmetic.
    with torch.no_grad(), torch._C.DisableTorchFunction():
        flat = tensor.detach().reshape(-1)
        whole = flat.numel() <= MOST_ELEMENTS
        step = max(1, -(-flat.numel() // SAMPLE))
        values = (flat if whole else flat[::step]).to("cpu").double() / factor
        finite = values[values.isfinite()]
        sample = array("d", (values[::step] if whole else values).tolist())
    return {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "device": tensor.device.type,
        "shape": list(tensor.shape),
        "whole": whole,
        "not_finite": values.numel() - finite.numel(),
        "norm": float(finite.norm()),
        "sum": float(finite.sum()),
        "largest": float(finite.abs().max()) if finite.numel() else 0.0,
        "sample": base64.b64encode(sample.tobytes()).decode(),
    }


_recorder: Recorder | None = None
_applied: list[Applied] = []


def _backward(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def backward(tensors: Any, *arguments: Any, **keywords: Any) -> Any:
        for tensor in tensors if isinstance(tensors, (tuple, list)) else (tensors,):
            if _recorder is not None:
                _recorder.loss(tensor)
        return original(tensors, *arguments, **keywords)

    return backward


def _scale(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def scale(self: Any, outputs: Any) -> Any:
        result = original(self, outputs)
        if _recorder is not None:
            _recorder.scaling(self, outputs, result)
        return result

    return scale


PATCHES = (
    Patch("torch.amp.grad_scaler:GradScaler.scale", _scale, "the loss before it is scaled for float16"),
    Patch("torch.autograd:backward", _backward, "the loss is what backward() starts from"),
)
ADAPTER_PATCHES = (
    Patch("torch_npu.npu.amp.grad_scaler:GradScaler.scale", _scale, "the adapter's own GradScaler, likewise"),
)


def settings(directory: Path) -> dict[str, Any]:
    return dict(json.loads((directory / SETTINGS).read_text(encoding="utf-8")))


def install() -> None:
    """Begins to record, once, if `jumar verify` asks for it; torch is imported."""
    global _recorder
    place = os.environ.get(environment.MODULES)
    if not place or _recorder is not None:
        return
    from torch.nn.modules import module as modules
    from torch.optim.optimizer import register_optimizer_step_pre_hook

    from jumar.machine import randomness, referee

    directory = Path(place)
    wanted = settings(directory)
    _recorder = Recorder(_file(directory), int(wanted.get("calls", CALLS)))
    handles = [
        modules.register_module_forward_pre_hook(_recorder.before),
        modules.register_module_forward_hook(_recorder.after),
        register_optimizer_step_pre_hook(_recorder.stepped),
    ]
    _applied.append(Applied((), [handle.remove for handle in handles]))
    adapter = ADAPTER_PATCHES if "torch_npu" in sys.modules else ()
    _applied.append(apply([*PATCHES, *adapter, *randomness.PATCHES]))
    if wanted.get("float64"):
        referee.enter()
    atexit.register(_recorder.close)


def _file(directory: Path) -> TextIO:
    """One for each process, named by its rank and the order in which those of a rank began."""
    rank, number = os.environ.get("RANK", "0"), 1
    stem = Path(sys.argv[0] if sys.argv and sys.argv[0] else "python").stem
    while True:
        try:
            return (directory / f"{stem}-{rank}-{number}.jsonl").open("x", encoding="utf-8")
        except FileExistsError:
            number += 1


def remove() -> None:
    """Undoes what `install` did."""
    global _recorder
    while _applied:
        _applied.pop().undo()
    if _recorder is not None:
        _recorder.close()
    _recorder = None
