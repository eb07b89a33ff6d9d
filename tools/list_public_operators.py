"""Writes src/jumar/port/operators.tsv: which operators of PyTorch each public function comes down to.

Calls every function that PyTorch's own test samples know once on the CPU and looks at what is dispatched. Operators
that are made of others wherever there is no kernel are left out, for those are what the chip runs too.
"""

from __future__ import annotations

import os
import warnings
from functools import cache
from pathlib import Path

os.environ.setdefault("TORCH_DEVICE_BACKEND_AUTOLOAD", "0")

import torch
import torchgen
import yaml
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils._python_dispatch import TorchDispatchMode

TABLE = Path(__file__).parents[1] / "src" / "jumar" / "port" / "operators.tsv"
MADE_OF_OTHERS = "Composite"
LIST = "packaged/ATen/native/native_functions.yaml"
SAMPLES = 3


class Listener(TorchDispatchMode):
    """Notes every operator that has kernels of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        name = func.name()
        overload = name.removeprefix("aten::")
        if name.startswith("aten::") and overload not in made_of_others():
            self.heard.add(overload.partition(".")[0])
        return func(*args, **(kwargs or {}))


@cache
def made_of_others() -> frozenset[str]:
    """Operators that PyTorch's own list says are written with others, whatever the device."""
    listed = yaml.safe_load((Path(torchgen.__file__).parent / LIST).read_text(encoding="utf-8"))
    written = {one["func"].partition("(")[0]: " ".join(one.get("dispatch", {})) for one in listed}
    return frozenset(name for name, keys in written.items() if MADE_OF_OTHERS in keys)


def main() -> None:
    warnings.simplefilter("ignore")
    found: dict[str, set[str]] = {}
    for info in op_db:
        name = f"torch.{info.name}"
        if not callable(_resolve(name)) or info.name.startswith("_"):
            continue
        dtype = (
            torch.float32 if torch.float32 in info.dtypes else min(info.dtypes, key=str, default=torch.bool)
        )
        heard = _heard(info, dtype)
        for public in (name, *(f"torch.{alias.name}" for alias in info.aliases)) if heard else ():
            found[public] = found[public] & heard if public in found else heard
    lines = [
        "# by tools/list_public_operators.py, from the samples of torch.testing and what they dispatch",
        "function\toperators",
    ]
    lines += [f"{name}\t{' '.join(sorted(heard))}" for name, heard in sorted(found.items()) if heard]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{TABLE}: {len(lines) - 2} functions")


def _resolve(name: str) -> object:
    one: object = torch
    for part in name.split(".")[1:]:
        one = getattr(one, part, None)
    return one


def _heard(info, dtype: torch.dtype) -> set[str]:  # type: ignore[no-untyped-def]
    """What all of the first samples dispatch."""
    common: set[str] | None = None
    try:
        for number, sample in enumerate(info.sample_inputs("cpu", dtype, requires_grad=False)):
            if number == SAMPLES:
                break
            with Listener() as listener:
                info.op(sample.input, *sample.args, **sample.kwargs)
            common = listener.heard if common is None else common & listener.heard
    except (RuntimeError, NotImplementedError, TypeError, ValueError, AttributeError, IndexError) as error:
        print(f"{info.name}: left out: {str(error).splitlines()[0][:100]}")
    return common or set()


if __name__ == "__main__":
    main()
