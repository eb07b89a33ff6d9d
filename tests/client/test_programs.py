"""The example programs, written for CUDA, run as they are: exit code, losses, what the summary says of the face."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.virtual_only

EXAMPLES = Path(__file__).parents[2] / "examples"
JUMAR = (sys.executable, "-c", "import sys; from jumar.cli import main; sys.exit(main())", "run", "--out", "report")
LOSS = re.compile(r"^step +\d+  loss (\S+)", re.MULTILINE)

Ended = tuple[str, dict[str, Any]]


@pytest.fixture
def run(on: str, tmp_path: Path) -> Callable[..., Ended]:
    """Runs a command line under `jumar run` in an empty directory; what it printed, and the summary."""
    if on != "virtual":
        pytest.skip("jumar run makes a virtual server")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUMAR_")}
    variables = kept | {"OMP_NUM_THREADS": "1", "XDG_RUNTIME_DIR": str(tmp_path), "HF_HUB_OFFLINE": "1"}

    def run(*arguments: str, options: tuple[str, ...] = (), succeeds: bool = True) -> Ended:
        ended = subprocess.run(
            [*JUMAR, *options, "--", sys.executable, *arguments],
            cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        said = f"{ended.stdout[-4000:]}\n{ended.stderr[-6000:]}"
        assert (ended.returncode == 0) is succeeds, said
        return said, json.loads((tmp_path / "report" / "summary.json").read_text())

    return run


def losses(said: str) -> list[float]:
    found = [float(loss) for loss in LOSS.findall(said)]
    assert found, said
    assert all(math.isfinite(loss) for loss in found), said
    return found


def refused(summary: dict[str, Any]) -> list[str]:
    """What the program was refused, apart from packages that libraries only look for."""
    rows = summary["cuda"]["rows"]
    return [name for kind, name, _, _ in rows if kind == "refused" and not name.startswith("import ")]


# program, its arguments, whether its loss falls, what else it prints, packages it needs
TRAINING = [
    ("train_cnn", ("--steps", "21"), True, r"accuracy \S+ on cuda", ()),
    ("dcgan", ("--steps", "4"), None, r"made \(16, 1, 16, 16\) on cuda:0", ()),
    ("char_rnn", ("--steps", "12"), True, r"", ()),
    ("reinforce", ("--steps", "3", "--longest", "20"), None, r"running", ()),
    ("finetune_lora", ("--steps", "4"), None, r"adapter_model.safetensors(.|\n)*cuda:0 NVIDIA A100", ("peft",)),
    ("diffusion_train", ("--steps", "3", "--draw", "2"), None, r"drew \(2, 16, 16, 1\) on cuda", ("diffusers",)),
]


@pytest.mark.parametrize(
    ("program", "arguments", "falls", "prints", "needs"), TRAINING, ids=[row[0] for row in TRAINING]
)
def test_a_training_program(
    run: Callable[..., Ended], program: str, arguments: tuple[str, ...], falls: bool, prints: str, needs: tuple[str, ...]
) -> None:
    for package in needs:
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    said, summary = run(str(EXAMPLES / f"{program}.py"), *arguments)
    found = losses(said)
    assert not falls or found[-1] < found[0]
    assert re.search(prints, said), said
    assert summary["operators_run"] > 50 and summary["backwards"] > 0
    assert refused(summary) == []
    assert summary["unsupported"] == []


def test_a_gpt_is_trained_saved_and_sampled(run: Callable[..., Ended], tmp_path: Path) -> None:
    small = ("--width", "16", "--layers", "1", "--context", "32", "--batch", "4", "--sample", "5", "--save", "gpt.pt")
    said, _ = run(str(EXAMPLES / "train_gpt.py"), "--steps", "6", "--log-every", "5", *small)
    assert losses(said)[-1] < losses(said)[0]
    sampled, summary = run(
        str(EXAMPLES / "sample_gpt.py"), "--checkpoint", "gpt.pt", "--steps", "8", "--samples", "1", "--compile"
    )
    assert "---------------" in sampled
    assert summary["operators_run"] > 50


def test_two_ranks_train_as_one(run: Callable[..., Ended]) -> None:
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    said, summary = run(*torchrun, str(EXAMPLES / "ddp_train.py"), "--steps", "11", options=("--devices", "2"))
    assert losses(said)[-1] < losses(said)[0]
    assert "2 ranks over nccl have the same" in said
    assert summary["programs"] >= 2


def test_double_precision_where_it_is_asked_for(run: Callable[..., Ended]) -> None:
    small = ("--steps", "1", "--waves", "4", "--length", "6", "--width", "4")
    said, summary = run(str(EXAMPLES / "sine_float64.py"), *small, options=("--float64", "emulate"))
    assert losses(said)
    assert "torch.float64 on cuda:0" in said
    assert summary["cuda"]["float64"] == "emulate"


def test_a_kernel_of_one_s_own_is_refused_by_name(run: Callable[..., Ended]) -> None:
    said, summary = run(str(EXAMPLES / "gaussian_splat.py"), succeeds=False)
    assert "splat_kernel" in said and "splat.cu:5" in said, said
    assert "jumar port" in said
    assert len(refused(summary)) == 1
