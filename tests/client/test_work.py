"""Products by the rules of work, of what the real adapter calls, against PyTorch's own counter on the CPU."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from jumar.physics import Kind, Work
from jumar.runs import directory
from jumar.runs.format import Run, Type

from .flops import MARK

pytestmark = pytest.mark.virtual_only
HERE = Path(__file__).parent
COMMAND = [sys.executable, "-c", "import sys; from jumar.cli import main; sys.exit(main())"]

# Cases in which the counter is wrong: it takes gradients of a convolution in groups for those of a whole one.
WRONGLY_COUNTED = {"Conv2d grouped", "Conv2d depthwise", "ConvTranspose2d grouped"}
# Fused attention does the scores again on its way back, one product of five that the counter does not see.
NOT_AGAIN = 4 / 5


def products(work: Work) -> float:
    """Operations of products; those of depthwise convolutions are done by the vector units."""
    if work.kind is Kind.ATTENTION_BACKWARD:
        return NOT_AGAIN * work.operations
    if work.kind is Kind.CONVOLUTION and not work.products:
        return sum(vector.operations for vector in work.vectors[:1])
    return work.operations


def by_case(run: Run) -> dict[int, float]:
    """The products between one mark and the next."""
    total: dict[int, float] = defaultdict(float)
    number = -1
    for kind, what in zip(run.events.kind, run.events.type, strict=True):
        if what != Type.OPERATOR:
            continue
        called = run.kinds[kind]
        if (
            called.operator == "aclnnInplaceZero"
            and (sizes := called.arguments[0]["sizes"])
            and sizes[0] >= MARK
        ):
            number = sizes[0] - MARK
        elif called.work is not None:
            total[number] += products(called.work)
    return total


def stored(folder: Path, program: str, *arguments: str, options: tuple[str, ...] = ()) -> Run:
    """The run of a program of this directory, read again from disk."""
    run = [
        *COMMAND,
        "run",
        "--face",
        "none",
        "--out",
        "out",
        *options,
        "--",
        sys.executable,
        str(HERE / program),
    ]
    ended = subprocess.run([*run, *arguments], cwd=folder, capture_output=True, text=True, timeout=900)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return directory.read(folder / "out")


def test_products_are_those_that_pytorch_counts(tmp_path: Path) -> None:
    found = by_case(stored(tmp_path, "flops.py", "counted"))
    wanted = json.loads((tmp_path / "counted").read_text())
    assert len(wanted) > 100
    # The counter knows no product of a matrix and a vector: where it counts nothing there is nothing to compare.
    wrong = {
        case["name"]: (found[number], case["flops"])
        for number, case in enumerate(wanted)
        if case["flops"] and found[number] != pytest.approx(case["flops"], rel=1e-9)
    }
    assert wrong.keys() == WRONGLY_COUNTED, wrong


def test_every_operator_of_training_steps_has_a_rule(tmp_path: Path) -> None:
    models = ["gpt2", "bert", "llama", "mixtral", "vit", "unet", "dlrm", "lstm"]
    run = stored(tmp_path, "one_step.py", *models, options=("--dry",))
    assert len(run.kinds) > 100
    assert {kind.operator: kind.source for kind in run.kinds if kind.source != "rule"} == {}
