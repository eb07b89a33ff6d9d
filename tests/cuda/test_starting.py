"""What must happen before the first use of a chip, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.virtual_only

CHOOSING = """
import json, os, sys, torch
answers = {"all": torch.cuda.device_count(), "before": torch.cuda.is_initialized()}
os.environ["CUDA_VISIBLE_DEVICES"] = "1,0"
answers["chosen"] = torch.cuda.device_count()
torch.manual_seed(3)
x = torch.rand(2, device="cuda")
answers["seed"] = torch.cuda.initial_seed()
answers["identities"] = [str(torch.cuda.get_device_properties(i).uuid) for i in range(torch.cuda.device_count())]
answers["number"] = torch.cuda._get_nvml_device_index(0)
answers["after"] = torch.cuda.is_initialized()
os.environ["CUDA_VISIBLE_DEVICES"] = "0"
answers["late"] = torch.cuda.device_count()
answers["allocator"] = torch.cuda.memory_snapshot()[0]["is_expandable"]
answers["variables"] = sorted(name for name in os.environ if "ALLOC_CONF" in name)
"""
FORKING = """
def child(write):
    said = []
    for use in (torch.cuda.current_device, lambda: torch.zeros(1, device="cuda")):
        try:
            use()
        except RuntimeError as error:
            said.append(str(error))
    said.append(torch.cuda.is_initialized())
    os.write(write, json.dumps(said).encode())
    os._exit(0)
read, write = os.pipe()
if os.fork() == 0:
    child(write)
answers["forked"] = json.loads(os.read(read, 65536))
import multiprocessing
started = multiprocessing.get_context("fork").Process(target=child, args=(write,))
started.start(), started.join()
answers["started"] = json.loads(os.read(read, 65536))
"""
NONE = """
import json, torch
answers = {"count": torch.cuda.device_count(), "available": torch.cuda.is_available()}
try:
    torch.zeros(1, device="cuda")
except RuntimeError as error:
    answers["error"] = str(error)
answers["cpu"] = torch.ones(2).sum().item()
"""
WATCHING = """
import json, torch
answers = {}
x = torch.rand(10, device="cuda")
first, second = torch.cuda.Stream(), torch.cuda.Stream()
first.wait_stream(torch.cuda.current_stream())
with torch.cuda.stream(first):
    torch.mul(x, 5, out=x)
event = first.record_event()
second.wait_event(event)
with torch.cuda.stream(second):
    torch.mul(x, 5, out=x)
answers["waited"] = True
try:
    torch.mul(x, 5, out=x)
except Exception as error:
    answers["error"] = [type(error).__name__, str(error)]
"""
FORKED = "Cannot re-initialize CUDA in forked subprocess"


def run(program: str, **variables: str) -> dict[str, Any]:
    environment = os.environ | {"JUMAR_FACE": "cuda"} | variables
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nprint(json.dumps(answers))"],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_choosing_chips_late_and_forking() -> None:
    from jumar.cudamap import personas

    answers = run(
        CHOOSING + FORKING, PYTORCH_CUDA_ALLOC_CONF="expandable_segments:True", CUDA_LAUNCH_BLOCKING="1"
    )
    assert (answers["all"], answers["before"]) == (2, False)
    assert (answers["chosen"], answers["after"], answers["late"]) == (2, True, 2)
    assert answers["seed"] == 3
    assert answers["identities"] == [str(personas.device_uuid(1)), str(personas.device_uuid(0))]
    assert answers["number"] == 1
    assert answers["allocator"] is True
    assert answers["variables"] == ["PYTORCH_CUDA_ALLOC_CONF"]
    for said in (answers["forked"], answers["started"]):
        assert [text.startswith(FORKED) for text in said[:2]] == [True, True], said
        assert said[2] is False


def test_no_chips() -> None:
    answers = run(NONE, CUDA_VISIBLE_DEVICES="")
    assert answers == {"count": 0, "available": False, "error": "No CUDA GPUs are available", "cpu": 2.0}


def test_watch_over_streams() -> None:
    answers = run(WATCHING, TORCH_CUDA_SANITIZER="1")
    assert answers == {"waited": True, "error": ["CUDASanitizerErrors", "detected 1 errors"]}
