"""The table of operators: the vendor's names, the arguments of the vendor's entry points, small files."""

from __future__ import annotations

import csv
import inspect
from pathlib import Path

import pytest

import jumar
from jumar.ops.registry import Operator, op, operators

ROOT = Path(jumar.__file__).parent
LONGEST_FILE = 400


def arguments_by_name() -> dict[str, int]:
    with (ROOT / "abi" / "aclnn_signatures.tsv").open(newline="") as table:
        rows = csv.DictReader(table, delimiter="\t")
        return {row["operator"]: int(row["arguments"]) for row in rows}


def aclnn_operators() -> dict[str, Operator]:
    return {name: operator for name, operator in operators().items() if not name.startswith("aclop:")}


def test_every_name_is_an_entry_point_of_the_vendor() -> None:
    assert sorted(aclnn_operators().keys() - arguments_by_name().keys()) == []


def test_every_function_takes_the_arguments_of_the_entry_point() -> None:
    wanted = arguments_by_name()
    wrong = []
    for name, operator in aclnn_operators().items():
        try:
            inspect.signature(operator.run).bind(*range(wanted[name]))
        except TypeError as error:
            wrong.append(f"{name} ({operator.file}) takes {wanted[name]} arguments: {error}")
    assert wrong == []


def test_every_legacy_function_takes_inputs_outputs_attributes() -> None:
    for name, operator in operators().items():
        if name.startswith("aclop:"):
            inspect.signature(operator.run).bind([], [], {})


def test_file_of_each_operator_exists() -> None:
    assert sorted({o.file for o in operators().values() if not (ROOT / o.file).is_file()}) == []


@pytest.mark.parametrize("path", sorted((ROOT / "ops").glob("*.py")), ids=lambda path: path.name)
def test_file_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


def test_a_name_is_defined_once() -> None:
    assert "aclnnAdd" in operators()
    with pytest.raises(ValueError, match="aclnnAdd is defined twice"):
        op("aclnnAdd")(lambda self, other, alpha, out: None)
