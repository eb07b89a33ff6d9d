"""Profilers of PyTorch and of the vendor in one program of `jumar run`: both show what the virtual clock says."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

JUMAR = (
    sys.executable,
    "-c",
    "import sys; from jumar.cli import main; sys.exit(main())",
    "run",
    "--dry",
    "--out",
    "report",
)
pytestmark = pytest.mark.virtual_only
PROGRAM = """
import json, time
import torch, torch_npu
from torch.profiler import ProfilerActivity, profile, record_function, schedule

layer = torch.nn.Linear(2048, 2048, device="cuda")
x = torch.randn(4096, 2048, device="cuda")

def step():
    layer(x).relu().sum().backward()

step()
torch.cuda.synchronize()
both = [ProfilerActivity.CPU, ProfilerActivity.CUDA]
with profile(activities=both, record_shapes=True) as found, record_function("mine"):
    step()
# The adapter has ranges of its own on the CPU that are named as the kernels are.
averages = {f"{one.device_type.name} {one.key}": [one.count, one.device_time_total, one.self_device_time_total]
            for one in found.key_averages()}
table = found.key_averages().table(sort_by="cuda_time_total")
found.export_chrome_trace("torch.json")

first, last = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
first.record(); product = x @ layer.weight; last.record()
torch.cuda.synchronize()

steps = []
with profile(activities=both, schedule=schedule(wait=1, warmup=1, active=2, repeat=1),
             on_trace_ready=lambda one: steps.append(sum(row.self_device_time_total for row in one.key_averages()))) as more:
    for _ in range(4):
        step()
        torch.cuda.synchronize()
        more.step()
with profile(activities=[ProfilerActivity.CPU]) as host_only:
    step()

vendor = torch_npu.profiler
config = vendor._ExperimentalConfig(profiler_level=vendor.ProfilerLevel.Level1)
with vendor.profile(experimental_config=config, schedule=vendor.schedule(wait=0, warmup=1, active=2, repeat=1),
                    on_trace_ready=vendor.tensorboard_trace_handler("vendor")) as one:
    for _ in range(3):
        time.sleep(0.05)  # the vendor's analysis compares two clocks: steps are told apart where they lie apart
        step()
        torch.npu.synchronize()
        one.step()
json.dump({"averages": averages, "table": table, "elapsed_ms": first.elapsed_time(last), "steps": steps,
           "host_only": sum(row.self_device_time_total for row in host_only.key_averages())}, open("seen.json", "w"))
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("profilers")
    (folder / "program.py").write_text(PROGRAM)
    ended = subprocess.run(
        [*JUMAR, "program.py"], cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def seen(ran: Path) -> dict[str, Any]:
    return dict(json.loads((ran / "seen.json").read_text()))


def test_kernels_have_predicted_times_and_belong_to_their_operators(seen: dict[str, Any]) -> None:
    averages = seen["averages"]
    kernel = averages["CUDA aclnnAddmm"]
    forward, whole = averages["CPU aten::addmm"], averages["CPU mine"]
    assert kernel[0] == 1 and forward[1] == pytest.approx(kernel[1])
    assert 0.5 * 2 * 4096 * 2048 * 2048 / 400e12 * 1e6 < forward[1] < 10_000  # µs: no faster than the peak
    assert whole[1] >= forward[1] and "Self CUDA time total" in seen["table"]


def test_an_event_and_the_profiler_say_the_same(seen: dict[str, Any]) -> None:
    product_ms = seen["averages"]["CPU aten::addmm"][1] / 1000
    assert product_ms * 0.5 < seen["elapsed_ms"] < product_ms * 2 + 0.2


def test_a_schedule_keeps_the_steps_that_it_names(seen: dict[str, Any]) -> None:
    one = sum(row[2] for row in seen["averages"].values())
    assert len(seen["steps"]) == 1 and seen["steps"][0] == pytest.approx(2 * one, rel=0.2)


def test_a_profile_of_the_host_has_no_device_times(seen: dict[str, Any]) -> None:
    assert seen["host_only"] == 0


def test_the_exported_trace_has_streams_and_arrows(ran: Path) -> None:
    events = json.loads((ran / "torch.json").read_text())["traceEvents"]
    kernels = [one for one in events if one.get("cat") == "kernel"]
    product = next(one for one in kernels if one["name"] == "aclnnAddmm")
    caller = next(one for one in events if one.get("name") == "aten::addmm" and one["ph"] == "X")
    assert product["args"]["External id"] == caller["args"]["External id"]
    assert caller["ts"] <= product["ts"]
    ids = {
        phase: {one["id"] for one in events if one.get("cat") == "ac2g" and one["ph"] == phase}
        for phase in "sf"
    }
    assert ids["s"] == ids["f"] and len(ids["s"]) >= 4


def test_the_vendors_analysis_goes_through(ran: Path, seen: dict[str, Any]) -> None:
    (output,) = (ran / "vendor").glob("*/ASCEND_PROFILER_OUTPUT")
    kernels = list(csv.DictReader((output / "kernel_details.csv").open(newline="")))
    products = [row for row in kernels if row["Name"] == "aclnnAddmm"]
    assert {row["Step Id"] for row in products} == {"1", "2"}
    spent_us = seen["averages"]["CUDA aclnnAddmm"][1]
    assert float(products[0]["Duration(us)"]) == pytest.approx(spent_us, abs=0.01)
    steps = list(csv.DictReader((output / "step_trace_time.csv").open(newline="")))
    assert len(steps) == 2 and all(float(row["Computing"]) > spent_us for row in steps)
    timeline = json.loads((output / "trace_view.json").read_text())
    tied = sum(1 for one in timeline if one.get("name") == "torch_to_npu" and one.get("ph") == "s")
    assert tied >= len(products) * 3
