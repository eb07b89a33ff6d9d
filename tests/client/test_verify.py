"""`jumar verify` on the virtual chip: a port that computes the same passes, one that does not is found out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jumar.port import porting, writing
from jumar.port.repository import Repository

PROGRAM = """
import torch
import torch.nn as nn

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 16)
        self.drop = nn.Dropout(0.2)
        self.second = nn.Linear(16, 1)

    def forward(self, x):
        return self.second(self.drop(torch.tanh(self.first(x))))


net = Net().to(device)
optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
for step in range(2):
    x = torch.randn(32, 8, device=device)
    loss = (net(x) - x.sum(1, keepdim=True)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"step {step} loss {loss.item():.5f} on {device.type}")
"""


def verify(repository: Path, out: Path, *options: str) -> tuple[int, dict[str, Any]]:
    launch = "import sys; from jumar.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", launch, "verify", str(repository), "--out", str(out), *options]
    variables = {name: value for name, value in os.environ.items() if name != "JUMAR_SERVER"}
    done = subprocess.run(
        [*command, "--", "train.py"], env=variables, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.stdout.splitlines()[0] in ("PASS", "FAIL", "UNVERIFIED"), done.stderr
    return done.returncode, json.loads(out.read_text())


@pytest.fixture
def sources(tmp_path: Path, on: str) -> Path:
    if on != "virtual":
        pytest.skip("it makes virtual chips of its own")
    folder = tmp_path / "original"
    folder.mkdir()
    (folder / "train.py").write_text(PROGRAM)
    return folder


def test_a_port_that_computes_the_same(sources: Path, tmp_path: Path) -> None:
    code, facts = verify(sources, tmp_path / "facts.json")
    assert (code, facts["verdict"], facts["ported_files"]) == (0, "PASS", ["train.py"])
    for pair in facts["comparisons"]:
        assert pair["alike"] and pair["losses"] == 2 and pair["compared"] > 30
    assert (sources / "train.py").read_text() == PROGRAM


def test_a_port_that_does_not(sources: Path, tmp_path: Path) -> None:
    """Dropout's input is wrong on Ascend: found by name, with float64 for the original."""
    ported = tmp_path / "ported"
    ported.mkdir()
    (ported / "train.py").write_text(PROGRAM)
    repository = Repository.at(ported)
    writing.write(repository, porting.port(repository, jobs=1).changes)
    text = (ported / "train.py").read_text()
    spoilt = text.replace(
        "torch.tanh(self.first(x))", 'torch.tanh(self.first(x)) * (1 + 0.01 * (x.device.type == "npu"))'
    )
    assert spoilt != text
    (ported / "train.py").write_text(spoilt)
    code, facts = verify(sources, tmp_path / "facts.json", "--ported", str(ported))
    assert (code, facts["verdict"]) == (1, "FAIL")
    found = facts["comparisons"][0]["difference"]
    assert (found["kind"], found["module"], found["call"]) == ("input", "Net.drop", 1)
    assert found["by"] == pytest.approx(0.01, rel=0.1)
    assert found["referee"]["right"] == "original on the virtual chip"
