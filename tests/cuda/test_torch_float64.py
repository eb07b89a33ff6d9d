"""Each policy for double precision, with autograd and optimizers."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch_npu  # noqa: F401
from torch import nn

import jumar
from jumar.cuda import account, double

pytestmark = pytest.mark.filterwarnings("ignore")


def trained(kind: Any, **chosen: Any) -> tuple[float, float, nn.Module]:
    """The last loss on the chip and on the CPU, both begun in double precision."""
    torch.manual_seed(0)
    host = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    model, x = copy.deepcopy(host).cuda(), torch.randn(5, 3, dtype=torch.double)

    def run(model: nn.Module, x: torch.Tensor) -> float:
        optimizer = kind(model.parameters(), **chosen)
        for _ in range(4):
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        return loss.item()

    return run(model, x.cuda()), run(host, x), model


def test_chip_says_once_where_and_counts(capfd: pytest.CaptureFixture[str]) -> None:
    account.clear()
    with jumar.cuda():
        x = torch.ones(2, dtype=torch.double).cuda()
        x.to("cuda")
        torch.ones(2, device="cuda").double()
    assert capfd.readouterr().err.count("jumar: float64 on the chip at") == 1
    row = next(row for row in account.rows() if row["name"] == double.NAME)
    assert row["count"] == 3 and "test_torch_float64.py" in row["first"]


def test_error_names_operation_line_and_option() -> None:
    makers = {
        "ones": lambda: torch.ones(2, dtype=torch.double, device="cuda"),
        "_to_copy": lambda: torch.ones(2, dtype=torch.double).cuda(),
        "convert": lambda: torch.ones(2, device="cuda").double(),
        "randn": lambda: torch.randn(2, dtype=torch.double, device="cuda"),
    }
    with jumar.cuda(float64="error"):
        for name, make in makers.items():
            operation = name if name != "convert" else "_to_copy"
            with pytest.raises(RuntimeError, match=rf"aten.{operation}.*test_torch_float64.py:\d+.*--float64 emulate"):
                make()
        assert torch.ones(2, dtype=torch.double).add(1).dtype == torch.double
        assert torch.ones(2, device="cuda").add(1).tolist() == [2, 2]


@pytest.mark.parametrize(("kind", "chosen"), [
    (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}), (torch.optim.Adam, {"lr": 0.1}),
    (torch.optim.AdamW, {"lr": 0.1, "fused": True}),
])  # fmt: skip
def test_emulate_is_double_precision(kind: Any, chosen: dict[str, Any]) -> None:
    with jumar.cuda(float64="emulate"):
        found, wanted, model = trained(kind, **chosen)
        weight = next(model.parameters())
        assert weight.is_cuda and weight.dtype == torch.double
    assert found == pytest.approx(wanted, abs=1e-14)


def test_emulate_converts_writes_and_views() -> None:
    with jumar.cuda(float64="emulate"):
        assert (torch.ones(2, device="cuda").double() / 3).tolist() == [1 / 3, 1 / 3]
        x = torch.zeros(2, 2, dtype=torch.double, device="cuda")
        assert x[0].add_(1 / 3).device.type == "cuda"
        x[1] = 1 / 7
        assert x.tolist() == [[1 / 3, 1 / 3], [1 / 7, 1 / 7]]
        out = torch.empty(2, dtype=torch.double, device="cuda")
        assert torch.add(x[0], x[1], out=out) is out and out.tolist() == [1 / 3 + 1 / 7] * 2
        assert (x @ x).cpu().equal(x.cpu() @ x.cpu()) and x.float().dtype == torch.float32
        assert torch.autograd.gradcheck(torch.sin, x.clone().requires_grad_())
        assert torch.linspace(0, 1, 4, dtype=torch.double, device="cuda").tolist()[1] == 1 / 3


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN, nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_emulate_knows_recurrent_layers(kind: Any, batch_first: bool) -> None:
    if single := kind in (nn.LSTMCell, nn.GRUCell, nn.RNNCell):
        host = kind(3, 4).double()
    else:
        host = kind(3, 4, 2, batch_first=batch_first, bidirectional=True).double()
    x = torch.randn(5, 3) if single else torch.randn(5, 2, 3)
    with jumar.cuda(float64="emulate"):
        wanted, found = host(x.double()), copy.deepcopy(host).cuda()(x.double().cuda())
        one, other = (wanted, found) if isinstance(wanted, torch.Tensor) else (wanted[0], found[0])
        assert other.is_cuda and other.dtype == torch.double
        torch.testing.assert_close(other.cpu(), one, rtol=1e-12, atol=1e-12)


def test_downcast_is_single_precision_from_the_start() -> None:
    with jumar.cuda(float64="downcast"):
        made = [
            torch.ones(2, dtype=torch.double, device="cuda"), torch.tensor([1.0], dtype=torch.double, device="cuda"),
            torch.ones(2, device="cuda").double(), torch.ones(2, dtype=torch.double).cuda(),
            torch.ones(2, device="cuda").to(torch.float64),
        ]  # fmt: skip
        assert {one.dtype for one in made} == {torch.float32}
        assert torch.ones(2, dtype=torch.complex128, device="cuda").dtype == torch.complex64
        assert torch.ones(2, dtype=torch.double).dtype == torch.double
        found, wanted, model = trained(torch.optim.Adam, lr=0.1)
        assert next(model.parameters()).dtype == torch.float32
    assert found == pytest.approx(wanted, abs=1e-5)


def test_a_policy_ends_with_the_face() -> None:
    with jumar.cuda(float64="error"):
        pass
    assert torch.ones(2, dtype=torch.double, device="npu").dtype == torch.double
