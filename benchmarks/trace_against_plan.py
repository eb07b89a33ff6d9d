"""The same jobs priced in two independent ways: as traces of the shelf's programs, and as plans of the step model that is
fitted to published measurements (docs/accuracy.md). Where both are right they agree.

    python benchmarks/trace_against_plan.py [gpt2 llama-2-7b llama-2-13b llama-2-70b]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure import tell

from jumar import chips
from jumar.physics import accelerator_of
from jumar.physics.step import price_step
from jumar.physics.training import training_plan
from jumar.physics.transformer import Layout, Model, Training
from jumar.runs import directory
from jumar.runs.pricing import prepare, price_run

CHIPS = ("910b2", "a100", "h100")
# The layouts of src/jumar/shelf/models.py.
JOBS: dict[str, dict[str, Any]] = {
    "gpt2": {
        "model": Model(12, 768, 3072, 12, vocabulary=50304, gated=False),
        "layout": Layout(),
        "sequence": 1024,
        "micro_batch": 8,
        "global_batch": 8,
    },
    "llama-2-7b": {
        "model": Model(32, 4096, 11008, 32, vocabulary=32000),
        "layout": Layout(data=8),
        "sequence": 4096,
        "micro_batch": 1,
        "global_batch": 8,
        "recompute_layers": 1.0,
        "distributed_optimizer": True,
        "gradient_b": 2.0,
    },
    "llama-2-13b": {
        "model": Model(40, 5120, 13824, 40, vocabulary=32000),
        "layout": Layout(tensor=8),
        "sequence": 4096,
        "micro_batch": 2,
        "global_batch": 2,
        "recompute_layers": 1.0,
    },
    "llama-2-70b": {
        "model": Model(80, 8192, 28672, 64, 8, vocabulary=32000),
        "layout": Layout(tensor=8, pipeline=4, data=2),
        "sequence": 4096,
        "micro_batch": 1,
        "global_batch": 32,
        "recompute_layers": 1.0,
        "distributed_optimizer": True,
    },
}


def main() -> None:
    for name in sys.argv[1:] or JOBS:
        with tempfile.TemporaryDirectory() as folder:
            jumar = str(Path(sys.executable).with_name("jumar"))
            command = [jumar, "run", "--example", name, "--out", folder]
            subprocess.run(command, check=True, capture_output=True)
            ready = prepare(directory.read(Path(folder)))
        for chip in map(chips.find, CHIPS):
            machine = accelerator_of(chip)
            plan = price_step(training_plan(Training(eager=True, **JOBS[name]), machine), machine)
            inside_s = (
                plan.seconds - plan.parts["outside"]
            )  # loading and logging of large jobs, which no trace has
            trace_s = price_run(ready, chip).step_s
            tell(
                "trace_against_plan",
                {"job": name, "chip": chip.name, "trace_s": trace_s, "plan_s": inside_s},
                f"{name} on {chip.name}: trace {trace_s:.3f} s, plan {inside_s:.3f} s, ratio {trace_s / inside_s:.2f}",
            )


if __name__ == "__main__":
    main()
