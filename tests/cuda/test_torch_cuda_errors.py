"""Errors of the chip, in the words and with the types that CUDA programs look for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch_npu  # noqa: F401  without the face, the chip is npu

from jumar.cuda.names import cuda_errors

pytestmark = pytest.mark.usefixtures("face_for_module")

LIMITED = (
    "NPU out of memory. Tried to allocate 160.00 GiB (NPU 1; 64.00 GiB total capacity; 10.00 KiB already allocated; "
    "10.00 KiB current active; 63.50 GiB free; 32.00 GiB allowed; 8.00 MiB reserved in total by PyTorch).If reserved"
)


def test_out_of_memory() -> None:
    with pytest.raises(torch.cuda.OutOfMemoryError) as caught:
        torch.empty(1 << 40, device="cuda")
    assert torch.cuda.OutOfMemoryError is torch.OutOfMemoryError
    assert isinstance(caught.value, RuntimeError)
    assert str(caught.value).startswith(
        "CUDA out of memory. Tried to allocate 4096.00 GiB. GPU 0 has a total capacity of 64.00 GiB of which "
    )


def test_out_of_memory_with_a_limit() -> None:
    text = cuda_errors.out_of_memory(LIMITED)
    assert "GPU 1 has a total capacity of 64.00 GiB of which 63.50 GiB is free. 32.00 GiB allowed; " in text
    assert "this process has 512.00 MiB memory in use. Of the allocated memory 10.00 KiB is allocated" in text
    assert cuda_errors.out_of_memory("else") == "else"


@pytest.mark.parametrize(
    "use",
    [
        lambda: torch.cuda.set_device(9),
        lambda: torch.zeros(1, device="cuda:9"),
        lambda: torch.cuda.device(9).__enter__(),
    ],
)
def test_devices_that_are_not_there(use: Callable[[], object]) -> None:
    with pytest.raises(torch.AcceleratorError, match=r"^CUDA error: invalid device ordinal\n") as caught:
        use()
    assert caught.value.error_code == 101


@pytest.mark.virtual_only
def test_wrong_index() -> None:
    with pytest.raises(RuntimeError, match="CUDA error: device-side assert triggered") as caught:
        torch.nn.functional.cross_entropy(
            torch.randn(2, 3, device="cuda"), torch.tensor([1, 7], device="cuda")
        ).item()
    assert isinstance(caught.value, torch.AcceleratorError)
    assert "Target 7 is out of bounds" in caught.value.__notes__[0]
    assert torch.ones(2, device="cuda").sum().item() == 2


@pytest.mark.virtual_only
def test_what_cuda_checks_before_the_launch() -> None:
    with pytest.raises(RuntimeError, match=r"^mat1 and mat2 shapes cannot be multiplied") as caught:
        (torch.zeros(3, 4, device="cuda") @ torch.zeros(3, 4, device="cuda"))[0, 0].item()
    assert not isinstance(caught.value, torch.AcceleratorError)


@pytest.mark.virtual_only
def test_matrices_that_are_not_positive() -> None:
    with pytest.raises(torch.linalg.LinAlgError, match="not positive-definite"):
        torch.linalg.cholesky(torch.tensor([[-1.0]], device="cuda")).item()


def test_mixed_devices() -> None:
    with pytest.raises(RuntimeError, match=r"at least two devices, cuda:0 and cpu!"):
        torch.ones(3, device="cuda") + torch.ones(3)


def test_waiting_in_debug_mode() -> None:
    torch.cuda.set_sync_debug_mode("error")
    try:
        with pytest.raises(RuntimeError, match="called a synchronizing CUDA operation"):
            torch.ones(1, device="cuda").item()
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_other_errors_stay() -> None:
    kind, made = cuda_errors.worded(ValueError, "no NPU here")
    assert (kind, str(made)) == (ValueError, "no NPU here")
    with pytest.raises(RuntimeError, match=r"^mat1 and mat2 shapes cannot be multiplied"):
        torch.zeros(3, 4) @ torch.zeros(3, 4)
