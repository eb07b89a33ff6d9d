"""Tables of the dictionary beyond Python: whole, and their operators exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from jumar import abi, cudamap
from jumar.port import dictionary, distributions, images, machines

FOLDER = Path(cudamap.__file__).parent
TABLES = sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("*/*.tsv"))
OPERATORS = {
    line.split("\t")[0]
    for line in (Path(abi.__file__).parent / "aclnn_signatures.tsv").read_text(encoding="utf-8").splitlines()
}


@pytest.mark.parametrize("table", TABLES)
def test_every_row_is_whole(table: str) -> None:
    assert cudamap.names(table)


@pytest.mark.parametrize("table", ["native/dnn", "native/mathematics"])
def test_operators_exist(table: str) -> None:
    for row in cudamap.names(table):
        name = row.ascend.removesuffix("GetWorkspaceSize")
        if name.startswith("aclnn") and "/" not in name and "*" not in name:
            assert name in OPERATORS, f"{table}: {row.cuda} → {row.ascend}"


@pytest.mark.parametrize(
    ("table", "name", "ascend"),
    [
        ("native/runtime", "cudaMalloc", "aclrtMalloc"),
        ("native/runtime", "cudaGraphAddKernelNode", "aclmdlRI*"),
        ("native/driver", "cuMemAlloc", "aclrtMalloc"),
        ("native/nccl", "ncclAllReduce", "HcclAllReduce"),
        ("native/headers", "cutlass/gemm/device/gemm.h", "catlass/*"),
        ("datacentre/metrics", "DCGM_FI_DEV_GPU_TEMP", "npu_chip_info_temperature"),
        ("datacentre/kubernetes", "nvidia.com/mig-1g.5gb", "huawei.com/Ascend910-<n>c"),
    ],
)
def test_rows_are_found(table: str, name: str, ascend: str) -> None:
    row = dictionary.find(table, name)
    assert row is not None
    assert row.ascend == ascend


def test_what_ties_to_nothing() -> None:
    assert distributions.tie("numpy") is None
    assert distributions.tie("nvidia-sphinx-theme") is None
    assert images.tie("python:3.11-slim") is None
    assert images.tie("pytorch/pytorch:2.4.0-cpu") is None
    assert machines.tie("m5.large") is None
    assert machines.tie("p5en.example.com") is None


def test_what_ties() -> None:
    assert distributions.tie("nvidia-cublas-cu12")
    assert images.tie("docker.io/nvidia/cuda:12.1.1-base")
    assert images.tie("registry.example.com/team/trainer:cu124")
    assert machines.tie("p4d.24xlarge")
    assert machines.tie("Standard_ND96amsr_A100_v4")
