"""What cannot be computed is told: which operator, with which arguments, from which line, and where to add it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch

pytestmark = pytest.mark.virtual_only


@pytest.fixture
def without_arithmetic() -> Callable[[torch.Tensor], torch.Tensor]:
    """A call whose operator has no arithmetic."""
    import torch_npu

    from jumar.ops.registry import operators

    candidates: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "aclnnGroupQuant": lambda x: torch_npu.npu_group_quant(
            x, torch.ones(2, 16, device="npu"), torch.tensor([8, 16], dtype=torch.int32, device="npu")
        ),
        "aclnnMhcSinkhorn": lambda x: torch_npu.npu_mhc_sinkhorn(x),
    }
    for name, call in candidates.items():
        if name not in operators():
            return call
    pytest.skip("every candidate has arithmetic by now: put another operator here")


def test_an_operator_without_arithmetic(without_arithmetic: Callable[[torch.Tensor], torch.Tensor]) -> None:
    matrix = torch.ones(16, 16, device="npu")
    with pytest.raises(RuntimeError) as caught:
        without_arithmetic(matrix)
        torch.npu.synchronize()
    text = str(caught.value)
    assert re.search(r"aclnn\w+", text)
    assert re.search(r"16, ?16", text), "shapes of the arguments"
    assert "int8" in text or "float32" in text, "their dtypes"
    assert re.search(r"test_refusals\.py(:|\", line )\d+", text), "the Python line"
    assert "ops/" in text, "the file to add it to"
    assert torch.ones(3, device="npu").sum().item() == 3


def test_double_precision_matmul_is_refused_as_on_the_chip() -> None:
    matrix = torch.ones(4, 4, dtype=torch.float64, device="npu")
    with pytest.raises(RuntimeError, match=r"(?s)aclnn\w+.*(float64|double|DOUBLE)"):
        matrix @ matrix
        torch.npu.synchronize()
    assert matrix.sum().item() == 16


def test_an_index_out_of_range_is_told_at_the_next_synchronisation() -> None:
    table = torch.zeros(10, 4, device="npu")
    index = torch.tensor([3, 99], device="npu")
    with pytest.raises(RuntimeError, match=r"(?s)aclnn\w+.*(99|out of)"):
        torch.nn.functional.embedding(index, table)
        torch.npu.synchronize()
    torch.npu.synchronize()
    assert table.sum().item() == 0


def test_refusals_reach_the_program_whatever_the_queue(machine: Callable) -> None:
    source = """
    try:
        table = torch.zeros(10, 4, device=DEVICE)
        torch.nn.functional.embedding(torch.tensor([99], device=DEVICE), table)
        torch.npu.synchronize()
    except RuntimeError as error:
        print("told", "aclnnEmbedding" in str(error))
    print(torch.ones(3, device=DEVICE).sum().item())
    """
    server = machine()
    started = [server.start(source, {"TASK_QUEUE_ENABLE": value}) for value in "012"]
    assert [process.communicate(timeout=200)[0].split() for process in started] == [["told", "True", "3.0"]] * 3


def test_an_error_that_nobody_asks_for_ends_the_program(run_program: Callable) -> None:
    """A program that reads a result computed after the error gets the error, not the result."""
    source = """
    table = torch.zeros(10, 4, device=DEVICE)
    rows = torch.nn.functional.embedding(torch.tensor([99], device=DEVICE), table)
    print(rows.sum().item())
    """
    done = run_program(source, check=False)
    assert done.returncode != 0 and "aclnnEmbedding" in done.stderr


def test_tensors_of_two_chips_do_not_mix() -> None:
    """The adapter does not look at the index; on a real chip the operator would reach for memory it cannot see."""
    here, there = torch.ones(2, device="npu:0"), torch.ones(2, device="npu:1")
    with pytest.raises(RuntimeError, match="tensors lie on chips 0 and 1"):
        (here + there).tolist()


def test_an_operator_that_the_adapter_lacks_runs_on_the_cpu() -> None:
    matrix = torch.tensor([[2.0, 1.0], [1.0, 3.0]])
    values = torch.linalg.eigvals(matrix.to("npu"))
    torch.testing.assert_close(values.cpu(), torch.linalg.eigvals(matrix))


def test_a_fallback_may_be_forbidden(run_program: Callable) -> None:
    source = """
    try:
        torch.linalg.eigvals(torch.eye(2, device=DEVICE))
    except RuntimeError as error:
        print("told", "eigvals" in str(error) or "eig" in str(error))
    """
    assert run_program(source, env={"TORCH_NPU_FALLBACK_CPU_DISABLE": "1"}).stdout.split() == ["told", "True"]
