"""Numba's CUDA kernels, simulated on the virtual chip's tensors and on numpy arrays."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("numba", reason="numba is not installed")
pytestmark = pytest.mark.virtual_only

PROGRAM = """
import numpy as np, torch
from numba import cuda

@cuda.jit
def scale(x, factor, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        out[i] = x[i] * factor

@cuda.jit
def count(x, bins):
    shared = cuda.shared.array(4, "int32")
    if cuda.threadIdx.x < 4:
        shared[cuda.threadIdx.x] = 0
    cuda.syncthreads()
    cuda.atomic.add(shared, x[cuda.grid(1)], 1)
    cuda.syncthreads()
    if cuda.threadIdx.x < 4:
        cuda.atomic.add(bins, cuda.threadIdx.x, shared[cuda.threadIdx.x])

x, out = torch.arange(40.0, device="cuda"), torch.zeros(40, device="cuda")
scale[2, 32](x, 3.0, out)
assert torch.equal(out, x * 3)
array = cuda.as_cuda_array(out)
scale[2, 32](cuda.as_cuda_array(x), 2.0, array)
assert torch.equal(out, x * 2) and (array.copy_to_host() == (x * 2).cpu().numpy()).all()
assert cuda.is_available() and cuda.is_cuda_array(out) and not cuda.is_cuda_array(out.cpu())
on_device = cuda.to_device(np.arange(8, dtype=np.int32) % 4)
bins = cuda.to_device(np.zeros(4, dtype=np.int32))
count[2, 4](on_device, bins)
assert bins.copy_to_host().tolist() == [2, 2, 2, 2]
try:
    cuda.as_cuda_array(out.cpu())
except TypeError as error:
    print(error)
import jumar
print([row["name"] for row in jumar.cuda.facts()["rows"] if row["kind"] == "on the CPU"])
"""


def test_kernels_in_a_run() -> None:
    variables = os.environ | {"JUMAR_FACE": "cuda", "NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, env=variables)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == "*obj* doesn't implement the cuda array interface."
    assert "Numba kernel scale" in said[1]
