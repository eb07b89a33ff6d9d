"""Cells of notebooks: findings stand on the lines of the file, edits leave it a notebook."""

from __future__ import annotations

import json

import pytest

from jumar.port import rewriting, scanning
from jumar.port.document import Document

CELLS = [
    [
        "!nvidia-smi\n",
        "import torch\n",
        "device = 'cuda:0'\n",
        'name = "ü \\"x\\""\n',
        "torch.cuda.synchronize()",
    ],
    ["%%bash\n", "export NCCL_DEBUG=INFO\n"],
    ["%%html\n", "<b>torch.cuda</b>\n"],
    ["%time x = torch.zeros(2).cuda()\n", "files = !ls cuda\n", "y = x.cuda()\n"],
]


def _notebook(indent: int | None) -> str:
    cells = [{"cell_type": "code", "outputs": [{"text": ["cuda:0"]}], "source": lines} for lines in CELLS]
    cells.append({"cell_type": "markdown", "outputs": [], "source": ["torch.cuda in prose"]})
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}, indent=indent, ensure_ascii=False)


def test_findings_stand_on_their_lines() -> None:
    document = Document("a.ipynb", _notebook(1))
    found, troubles = scanning.check(document)
    assert not troubles
    lines = {(one.code, document.lines[one.line - 1].strip()) for one in found}
    assert ("D016", '"!nvidia-smi\\n",') in lines
    assert ("D015", '"export NCCL_DEBUG=INFO\\n"') in lines
    assert any(code.startswith("C01") and "torch.cuda.synchronize()" in line for code, line in lines)
    assert any(code.startswith("C01") and "y = x.cuda()" in line for code, line in lines)
    assert not any("html" in line or "<b>" in line or "prose" in line for _, line in lines)
    for one in found:
        said = document.text[
            document.offset(one.line, one.column) : document.offset(one.end_line, one.end_column)
        ]
        assert said.strip()


@pytest.mark.parametrize("indent", [None, 1])
def test_edits_leave_a_notebook(indent: int | None) -> None:
    text = _notebook(indent)
    for _ in range(5):
        found, _ = scanning.check(Document("a.ipynb", text))
        edits = [edit for one in found if one.safety == "safe" for edit in one.edit or ()]
        if not edits:
            break
        text = rewriting.apply(text, edits)
        cells = json.loads(text)["cells"]
        assert len(cells) == len(CELLS) + 1
    else:
        pytest.fail("each run changes it again")
    assert cells[2]["source"] == CELLS[2]
    assert "torch.cuda.synchronize" not in "".join(cells[0]["source"])


def test_a_cell_that_is_no_python_does_not_hide_the_others() -> None:
    cells = [
        {"cell_type": "code", "source": lines}
        for lines in (["if:\n"], ["import torch\n", "torch.cuda.init()\n"])
    ]
    found, _ = scanning.check(Document("a.ipynb", json.dumps({"cells": cells})))
    assert any("torch.cuda" in one.what for one in found)


def test_odd_notebooks() -> None:
    for text in (
        "{}",
        "[]",
        '{"cells": [{"cell_type": "code", "source": "\\ud83d\\ude00 = cuda"}]}',
        '{"cells": "cuda"}',
    ):
        scanning.check(Document("a.ipynb", text))
