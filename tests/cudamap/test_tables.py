"""The dictionary is complete and each row can be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from jumar import cudamap
from jumar.cudamap import tables


@pytest.mark.parametrize("table", cudamap.all_tables())
def test_every_table_loads(table: str) -> None:
    assert isinstance(cudamap.names(table), tuple)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("torch.cuda.x\ttorch.npu.x\tsame", "3 fields"),
        ("torch.cuda.x\ttorch.npu.x\tsimilar\t", "none of same, adapted, absent"),
        ("torch.cuda.x\t\tabsent\t", "needs a note"),
        ("\ttorch.npu.x\tsame\t", "no CUDA name"),
        ("a\tb\tsame\t\na\tb\tsame\t", "twice"),
    ],
)
def test_a_bad_row_names_file_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str, said: str
) -> None:
    (tmp_path / "some.tsv").write_text("cuda\tascend\tstatus\tnote\n" + row + "\n")
    monkeypatch.setattr(tables, "HERE", tmp_path)
    tables.names.cache_clear()
    with pytest.raises(cudamap.BadTable, match=r"some\.tsv") as caught:
        cudamap.names("some")
    assert said in str(caught.value)
