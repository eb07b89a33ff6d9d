"""A small repository that is tied to CUDA in a few places, under git."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

TRAIN = """import os

import torch

device = "cuda" if torch.cuda.is_available() else "cpu"
os.environ["CUDA_VISIBLE_DEVICES"] = "0"
model = torch.nn.Linear(3, 3).to(device)
print("trained on CUDA")
"""
Git = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "deep" / "er").mkdir(parents=True)
    (root / "train.py").write_text(TRAIN)
    (root / "deep" / "er" / "free.py").write_text("x = 1\n")
    return root


@pytest.fixture
def git(repository: Path) -> Git:
    """Runs git there; the first commit is made."""

    def run(*arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        command = ["git", *who, "-C", str(repository), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    run("init", "-q")
    run("add", ".")
    run("commit", "-qm", "first")
    return run
