"""Functions of HiGHS's C interface that the modelling library does not pass on: the basis to start from, and bounds
and solutions of all variables at once instead of one by one."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from jumar.fleet.number import Floats
from jumar.fleet.plan.instance import Integers

Basis = tuple[Any, Any]


def basis(model: Any) -> Basis:
    """The basis of the last solution."""
    columns, rows = (np.zeros(number, dtype=np.int32) for number in _shape(model))
    _call(model, "Highs_getBasis", _address(columns), _address(rows))
    return columns, rows


def begin_at(model: Any, known: Basis) -> None:
    """Start the next solution from there."""
    _call(model, "Highs_setBasis", _address(known[0]), _address(known[1]))


def bound(model: Any, columns: Integers, values: Floats) -> None:
    """Fixes variables at values. Columns ascend."""
    indices = columns.astype(np.int32)
    _call(
        model,
        "Highs_changeColsBoundsBySet",
        ctypes.c_int(len(indices)),
        _address(indices),
        _address(values),
        _address(values),
    )


def cost(model: Any, columns: Integers, values: Floats) -> None:
    """Sets coefficients of the objective. Columns ascend."""
    indices = columns.astype(np.int32)
    _call(model, "Highs_changeColsCostBySet", ctypes.c_int(len(indices)), _address(indices), _address(values))


def solution(model: Any) -> tuple[Floats, Floats]:
    """Values of all variables, prices of all rows."""
    columns, rows = _shape(model)
    values, reduced = np.zeros(columns), np.zeros(columns)
    activity, prices = np.zeros(rows), np.zeros(rows)
    _call(model, "Highs_getSolution", *map(_address, (values, reduced, activity, prices)))
    return values, prices


def _call(model: Any, name: str, *arguments: Any) -> None:
    status = getattr(_library(), name)(_pointer(model), *arguments)
    if status < 0:
        raise RuntimeError(f"{name} failed in the solver")


def _shape(model: Any) -> tuple[int, int]:
    highs = _pointer(model)
    return int(_library().Highs_getNumCol(highs)), int(_library().Highs_getNumRow(highs))


@cache
def _library() -> ctypes.CDLL:
    """The same file that the modelling library has loaded."""
    import highsbox

    found = sorted(Path(highsbox.highs_lib_dir()).glob("*highs.*"))
    return ctypes.CDLL(str(found[0]))


def _pointer(model: Any) -> ctypes.c_void_p:
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return ctypes.c_void_p(pointer(model.get_raw_model(), b"nb_handle"))


def _address(array: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
