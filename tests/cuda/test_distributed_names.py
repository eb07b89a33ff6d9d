"""What the face does around a process group: errors, variables, and that leaving undoes it."""

from __future__ import annotations

import os

import pytest
import torch.distributed as dist

import jumar
from jumar.cuda import account
from jumar.cuda.names import cuda_errors
from jumar.cuda.names import distributed as names

pytestmark = pytest.mark.needs_chip


def test_failures_are_nccl_errors(face: None) -> None:
    def all_reduce() -> None:
        raise RuntimeError("HCCL function error: hcclAllReduce, error code is 9")

    with pytest.raises(dist.DistBackendError, match="NCCL error in all_reduce"):
        names.tells_in_nccl_words(all_reduce)()


def test_failures_on_the_chip_are_nccl_errors_too(face: None) -> None:
    what = (
        "rank 1 of 2 of communicator group_name_0: HcclAllReduce(3 × float32, sum) has waited 9 s for rank 0"
    )
    kind, made = cuda_errors.worded(
        RuntimeError, f"NPU function error, error code is 507035\n[ERROR]\njumar: {what}\n"
    )
    assert kind is dist.DistBackendError and str(made) == f"NCCL error: {what}"


def test_variables(face: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HCCL_BUFFSIZE", "TORCH_HCCL_BLOCKING_WAIT"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    monkeypatch.setenv("NCCL_BUFFSIZE", str(8 << 20))
    monkeypatch.setenv("NCCL_DEBUG", "INFO")
    monkeypatch.setenv("TORCH_NCCL_BLOCKING_WAIT", "1")
    names.fit_variables()
    assert os.environ["HCCL_BUFFSIZE"] == "8" and os.environ["TORCH_HCCL_BLOCKING_WAIT"] == "1"
    assert account.entry("ignored", "NCCL_DEBUG")[0] == 1


def test_leaving_undoes_it() -> None:
    from torch_npu._C._distributed_c10d import ProcessGroupHCCL

    with jumar.cuda():
        assert ProcessGroupHCCL.__name__ == "ProcessGroupNCCL" and dist.is_nccl_available()
    assert ProcessGroupHCCL.__name__ == "ProcessGroupHCCL" and not dist.is_nccl_available()
    assert dist.Backend.default_device_backend_map["npu"] == "hccl"
    assert not hasattr(dist, "ProcessGroupNCCL") and not hasattr(ProcessGroupHCCL, "NCCLConfig")
