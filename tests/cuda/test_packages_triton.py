"""Kernels of one's own in Triton, interpreted on the virtual chip's tensors; see triton_program.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton", reason="triton is not installed")
pytestmark = pytest.mark.virtual_only


def test_kernels_in_a_run() -> None:
    """In a process of its own: Triton looks at the variable when its own functions are decorated."""
    program = Path(__file__).with_name("triton_program.py")
    variables = os.environ | {"JUMAR_FACE": "cuda", "TRITON_INTERPRET": "1"}
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False, env=variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.split()) == 7
