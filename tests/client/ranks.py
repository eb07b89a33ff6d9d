"""Programs with several ranks: each a process with a chip of its own, met through a file."""

from __future__ import annotations

import signal
import subprocess
from typing import Any

import pytest

PREAMBLE = """
import os, sys
import torch.distributed as dist

RANK, WORLD = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
if DEVICE != "cpu":
    torch.npu.set_device(RANK)
DEVICE = torch.device(DEVICE, RANK if DEVICE != "cpu" else None)
backend, meeting = "gloo" if DEVICE.type == "cpu" else "hccl", "file://" + os.environ["MEETING"]
dist.init_process_group(backend, init_method=meeting, rank=RANK, world_size=WORLD)
"""
TOGETHER = 180.0


def start(machine: Any, source: str, ranks: int = 2, **env: str) -> list[subprocess.Popen[str]]:
    meeting = machine.directory.parent / f"meeting{len(list(machine.directory.parent.iterdir()))}"
    shared = {"WORLD_SIZE": str(ranks), "MEETING": str(meeting), **env}
    return [machine.start(PREAMBLE + source, {**shared, "RANK": str(rank)}) for rank in range(ranks)]


def finish(processes: list[subprocess.Popen[str]]) -> list[str]:
    """What each said on standard output."""
    said = []
    for process in processes:
        try:
            out, errors = process.communicate(timeout=TOGETHER)
        except subprocess.TimeoutExpired:
            for each in processes:
                each.send_signal(signal.SIGABRT)  # faulthandler tells where it hangs
            pytest.fail(f"still running: {process.communicate()[1][-8000:]}", pytrace=False)
        if process.returncode != 0:
            for each in processes:
                each.kill()
            pytest.fail(f"exit {process.returncode}\n{out[-2000:]}\n{errors[-8000:]}", pytrace=False)
        said.append(out)
    return said
