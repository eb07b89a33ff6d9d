"""The process that does the arithmetic of one program's chips:
`python -m jumar.machine.executor DESCRIPTOR [TRACE CHIP PROGRAM CHIPS COOLING INLET]`.

Started by the native core, never by hand. It sees the chips' memory as flat CPU tensors and knows no adapter.
"""

from __future__ import annotations

import ctypes
import inspect
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

# Before torch is imported: the adapter must stay out of this process.
os.environ["TORCH_DEVICE_BACKEND_AUTOLOAD"] = "0"

import numpy as np
import torch

from jumar.abi.generate import operator_names
from jumar.machine import libraries
from jumar.ops.registry import Refused, operators

# The vendor's number of each data type (native/dtype.h has their sizes).
DTYPES = {
    0: torch.float32,
    1: torch.float16,
    2: torch.int8,
    3: torch.int32,
    4: torch.uint8,
    6: torch.int16,
    7: torch.uint16,
    8: torch.uint32,
    9: torch.int64,
    10: torch.uint64,
    11: torch.float64,
    12: torch.bool,
    16: torch.complex64,
    17: torch.complex128,
    27: torch.bfloat16,
    33: torch.complex32,
    35: torch.float8_e5m2,
    36: torch.float8_e4m3fn,
    37: torch.float8_e8m0fnu,
}
NUMBERS = {dtype: number for number, dtype in DTYPES.items()}
PATH_LIBRARY = "libjumar_executor.so"
# Parameters whose value says nothing about how long an operator takes, and which differ from call to call.
VARYING = ("seed", "offset")


class Memory:
    """The memory of the chips as flat tensors, one a chip and data type, made when first needed."""

    def __init__(self, library: ctypes.PyDLL) -> None:
        self._library = library
        self._flat: dict[tuple[int, int], torch.Tensor] = {}

    def view(self, chip: int, dtype: int, offset: int, sizes: list[int], strides: list[int]) -> torch.Tensor:
        """The tensor of these sizes and strides (elements) that begins `offset` bytes into the chip's memory."""
        flat = self._flat.get((chip, dtype))
        if flat is None:
            flat = self._flat[chip, dtype] = self._whole(chip).view(DTYPES[dtype])
        item = flat.element_size()
        if offset % item:  # storage at an odd byte: a flat tensor of its own, shifted
            flat = self._whole(chip)[offset % item :][: -item + offset % item or None]
            flat = flat[: flat.numel() // item * item].view(DTYPES[dtype])
        return flat.as_strided(sizes, strides, offset // item)

    def _whole(self, chip: int) -> torch.Tensor:
        number = NUMBERS[torch.uint8]
        if (chip, number) not in self._flat:
            size = ctypes.c_uint64()
            address = self._library.jumar_executor_window(chip, ctypes.byref(size))
            block = (ctypes.c_uint8 * size.value).from_address(address)
            self._flat[chip, number] = torch.frombuffer(block, dtype=torch.uint8)
        return self._flat[chip, number]


def make_tensor(dtype: int, sizes: list[int] | None = None, data: bytes = b"") -> torch.Tensor | torch.dtype:
    """A tensor of values that travelled with the operator; without sizes, the data type of that number."""
    if sizes is None:
        return DTYPES[dtype]
    if not data:
        return torch.empty(sizes, dtype=DTYPES[dtype])
    return torch.frombuffer(bytearray(data), dtype=DTYPES[dtype]).reshape(sizes)


def describe(name: int | str, error: BaseException | None, arguments: Sequence[object] | None) -> str:
    """What the program is told of an operator that failed."""
    label = operator_names()[name] if isinstance(name, int) else f"legacy operator {name}"
    shown = ", ".join(_shown(argument) for argument in arguments or ())
    if error is None:
        return f"jumar: {label}({shown}) failed without saying why"
    if isinstance(error, Refused):
        return f"jumar: {label}({shown}) is refused by the chip: {error}"
    known = operators().get(label)
    where = f" in {known.file}" if known else ""
    return f"jumar: {label}({shown}) failed{where}: {type(error).__name__}: {error}"


def _shown(argument: object) -> str:
    if isinstance(argument, torch.Tensor):
        return f"{str(argument.dtype).removeprefix('torch.')}{list(argument.shape)}"
    if isinstance(argument, list) and argument and isinstance(argument[0], torch.Tensor):
        return f"[{_shown(argument[0])}, … {len(argument)}]"
    return repr(argument)


def varying(run: Callable[..., object]) -> int:
    """Bit n: argument n is a seed or its like."""
    names = list(inspect.signature(run).parameters)[:32]
    return sum(1 << place for place, name in enumerate(names) if name in VARYING)


def pricing(library: ctypes.PyDLL, arguments: Sequence[str]) -> Callable[[bytes], int]:
    """What prices kinds of calls, if a trace is kept; tells the core what it needs besides."""
    if not arguments:
        return lambda data: 0
    from jumar.machine.pricing import Pricing

    folder, chip, program, *place = arguments
    made = Pricing(Path(folder), chip, int(program), heating(library, chip, place))
    rates = made.rates()
    library.jumar_executor_rates((ctypes.c_double * len(rates))(*rates))
    return made.price


def heating(
    library: ctypes.PyDLL, chip: str, place: list[str]
) -> Callable[[int, float, float, float], object] | None:
    """Hands the law of heat to the core; what tells it the heat of each kind. None, with a line that says why: the
    chip's file lacks a number."""
    from jumar import chips
    from jumar.machine import heat_law

    try:
        law = heat_law.law_of(chips.find(chip), heat_law.Place.read(place, os.environ))
    except (KeyError, ValueError) as error:
        print(f"jumar: heat is not followed: {error}", file=sys.stderr)
        return None
    pointer = ctypes.POINTER(ctypes.c_double)
    arrays = [np.ascontiguousarray(array) for array in (law.numbers, law.kept, law.fed)]
    numbers, kept, fed = (array.ctypes.data_as(pointer) for array in arrays)
    if library.jumar_executor_heat(numbers, ctypes.c_uint64(len(law.numbers)), kept, fed) != 0:
        sys.exit("jumar's native core is of another version than its Python; install jumar again")
    tell: Callable[[int, float, float, float], object] = library.jumar_executor_kind_heat
    library.jumar_executor_kind_heat.argtypes = [ctypes.c_uint32, *[ctypes.c_double] * 3]
    library.jumar_executor_kind_heat.restype = None
    return tell


def main() -> None:
    # Ctrl-C and a job manager's SIGTERM are for the program, which may still save; this process ends when it does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    found = libraries.directory()
    if found is None:
        sys.exit("jumar's native core is not installed")
    library = ctypes.PyDLL(str(found / PATH_LIBRARY))
    library.jumar_executor_window.restype = ctypes.c_void_p
    library.jumar_executor_run.argtypes = [ctypes.py_object] * 7
    library.jumar_executor_run.restype = None
    if library.jumar_executor_open(int(sys.argv[1])) != 0:
        sys.exit("jumar.machine.executor is started by jumar's native core, not by hand")
    known = operators()
    table: list[object] = []
    for number, name in enumerate(operator_names()):
        operator = known.get(name)
        table.append(operator.run if operator else None)
        if operator:
            refused = sum(1 << NUMBERS[dtype] for dtype in operator.refuses)
            changing = varying(operator.run)
            library.jumar_executor_know(
                number, ctypes.c_uint32(refused), int(operator.sized), ctypes.c_uint32(changing)
            )
    legacy = {
        name.removeprefix("aclop:"): each.run for name, each in known.items() if name.startswith("aclop:")
    }
    for name in legacy:
        library.jumar_executor_know_legacy(name.encode())
    memory = Memory(library)
    price = pricing(library, sys.argv[2:])
    with torch.inference_mode():
        library.jumar_executor_run(table, legacy, memory.view, make_tensor, describe, price, None)


if __name__ == "__main__":
    main()
