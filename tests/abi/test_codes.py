"""The vendor's codes are complete, and a row that cannot be used is refused by file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jumar.abi import codes


def test_the_vendors_tables_are_whole() -> None:
    errors, faults = codes.errors(), codes.faults()
    assert len(errors) == 143
    assert errors["ACL_ERROR_RT_HBM_MULTI_BIT_ECC_ERROR"].code == 507054
    lines = (codes.HERE / "fault_codes.tsv").read_text().splitlines()
    assert len(lines) - 1 == 804 and len(faults) == 802  # two codes stand there twice
    assert faults["A2301001"].level == "SeparateNPU"  # of two levels the graver
    assert faults["80E01801"].level == "RestartBusiness" and "ECC" in faults["80E01801"].words
    assert {one.level for one in faults.values()} == set(codes.LEVELS)


@pytest.mark.parametrize(
    ("read", "columns", "row", "said"),
    [
        (codes.errors, codes.ERROR_COLUMNS, "5070\tA\twords\tsource", "six digits"),
        (codes.errors, codes.ERROR_COLUMNS, "507000\tA\twords\ts\n507000\tB\twords\ts", "twice"),
        (codes.errors, codes.ERROR_COLUMNS, "507000\tA\twords\t", "source"),
        (codes.errors, codes.ERROR_COLUMNS, "507000\tA", "2 fields"),
        (codes.faults, codes.FAULT_COLUMNS, "80e01801\tSeparateNPU\t\t\tsource", "in capitals"),
        (codes.faults, codes.FAULT_COLUMNS, "80E01801\tWait\t\t\tsource", "none of NotHandleFault"),
        (codes.faults, codes.FAULT_COLUMNS, "80E01801\tSeparateNPU\t\t\t", "source"),
    ],
)
def test_a_bad_row_names_file_line_and_remedy(
    tmp_path: Path, read: Callable[..., Any], columns: tuple[str, ...], row: str, said: str
) -> None:
    table = tmp_path / "some.tsv"
    table.write_text("\t".join(columns) + "\n" + row + "\n")
    with pytest.raises(codes.BadCode, match=r"some\.tsv:[23]: ") as caught:
        read(table)
    assert said in str(caught.value)
