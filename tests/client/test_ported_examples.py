"""The examples, ported, run on the CPU and on virtual Ascend chips that know nothing of CUDA."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jumar.port import porting, writing
from jumar.port.repository import Repository

EXAMPLES = Path(__file__).parents[2] / "examples"
ON_CPU = {
    "char_rnn.py": ("--steps", "2"),
    "dcgan.py": ("--steps", "2"),
    "reinforce.py": ("--steps", "1"),
    "sample_gpt.py": ("--samples", "1", "--steps", "8"),
    "sine_float64.py": ("--steps", "1"),
    "train_cnn.py": ("--steps", "2"),
}
ON_CHIP = {"train_gpt.py": ("--steps", "2", "--sample", "4"), "train_cnn.py": ("--steps", "2")}


@pytest.fixture(scope="module")
def ported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ported") / "examples"
    shutil.copytree(EXAMPLES, folder)
    repository = Repository.at(folder)
    writing.write(repository, porting.port(repository, "review", jobs=1).changes)
    return folder


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("JUMAR_")}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**variables, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done


@pytest.mark.parametrize("script", ON_CPU)
def test_on_the_cpu(ported: Path, script: str) -> None:
    assert run([sys.executable, script, *ON_CPU[script]], ported).stdout


@pytest.mark.parametrize("script", ON_CHIP)
def test_on_the_chip(ported: Path, script: str, on: str, tmp_path: Path) -> None:
    if on != "virtual":
        pytest.skip("it makes virtual chips of its own")
    launch = [sys.executable, "-c", "import sys; from jumar.cli import main; sys.exit(main())"]
    options = ["run", "--face", "none", "--out", str(tmp_path / "report"), "--"]
    said = run([*launch, *options, script, *ON_CHIP[script]], ported).stdout
    assert "npu" in said or "Ascend910B2" in said
