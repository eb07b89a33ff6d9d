"""bitsandbytes by its stand-in: what quantisation loses, layers, state dicts, optimizers."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
import torch
from torch import nn

pytestmark = pytest.mark.usefixtures("face_for_module")


@pytest.fixture(scope="module")
def bnb(face_for_module: None) -> Any:
    import bitsandbytes

    return bitsandbytes


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(("kind", "error"), [("nf4", 0.12), ("fp4", 0.14)])
def test_four_bits_lose_little(bnb: Any, kind: str, error: float, nested: bool) -> None:
    x = torch.randn(65, 33).half()
    packed, state = bnb.functional.quantize_4bit(x.cuda(), quant_type=kind, compress_statistics=nested)
    assert (packed.dtype, packed.numel()) == (torch.uint8, -(-x.numel() // 2))
    back = bnb.functional.dequantize_4bit(packed, state)
    assert (back.dtype, back.shape) == (x.dtype, x.shape)
    assert ((back.cpu() - x).float().norm() / x.float().norm()).item() < error


def test_values_of_the_table_come_back_exactly(bnb: Any) -> None:
    x = torch.tensor(bnb.functional.NF4).cuda()
    packed, state = bnb.functional.quantize_nf4(x)
    assert torch.equal(bnb.functional.dequantize_nf4(packed, state), x)
    assert packed.flatten().cpu().tolist()[0] == 0x01  # the first number in the upper half


def test_blocks_of_eight_bits(bnb: Any) -> None:
    code = bnb.functional.create_dynamic_map()
    assert (code.numel(), code.min().item(), code.max().item()) == (256, pytest.approx(-0.9930, abs=1e-3), 1.0)
    x = torch.randn(5000)
    numbers, state = bnb.functional.quantize_blockwise(x.cuda())
    back = bnb.functional.dequantize_blockwise(numbers, state).cpu()
    assert numbers.dtype is torch.uint8
    assert ((back - x).abs().mean() / x.abs().mean()).item() < 0.02


@pytest.mark.parametrize("kind", ["nf4", "fp4"])
def test_linear_layer_of_four_bits(bnb: Any, kind: str) -> None:
    plain = nn.Linear(64, 32)
    layer = bnb.nn.Linear4bit(64, 32, compute_dtype=torch.bfloat16, quant_type=kind)
    layer.load_state_dict(plain.state_dict())
    with pytest.raises(RuntimeError, match="not initialized"):
        layer(torch.randn(2, 64))
    layer = layer.cuda()
    assert isinstance(layer.weight, bnb.nn.Params4bit)
    assert (layer.weight.dtype, layer.weight.is_cuda, layer.weight.requires_grad) == (torch.uint8, True, False)
    x = torch.randn(5, 64, device="cuda", requires_grad=True)
    out = layer(x)
    assert out.dtype is torch.float32
    expected = plain(x.detach().cpu())
    assert ((out.detach().cpu() - expected).norm() / expected.norm()).item() < 0.2
    out.sum().backward()
    assert x.grad.shape == x.shape
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    saved = torch.load(file)
    assert f"weight.quant_state.bitsandbytes__{kind}" in saved
    again = bnb.nn.Linear4bit(64, 32, compute_dtype=torch.bfloat16, quant_type=kind).cuda()
    again.load_state_dict(saved)
    assert torch.equal(again(x), out)
    assert torch.equal(copy.deepcopy(layer)(x), out)


@pytest.mark.parametrize("threshold", [0.0, 6.0])
def test_linear_layer_of_eight_bits(bnb: Any, threshold: float) -> None:
    plain = nn.Linear(64, 32).half()
    layer = bnb.nn.Linear8bitLt(64, 32, has_fp16_weights=False, threshold=threshold)
    layer.load_state_dict(plain.state_dict())
    layer = layer.to("cuda")
    assert isinstance(layer.weight, bnb.nn.Int8Params)
    assert (layer.weight.dtype, layer.weight.SCB.shape) == (torch.int8, (32,))
    x = torch.randn(4, 64).half()
    x[1, 3] = 30.0
    given = x.cuda().requires_grad_()
    out = layer(given)
    expected = plain.float()(x.float())
    assert ((out.detach().cpu().float() - expected).norm() / expected.norm()).item() < (0.01 if threshold else 0.05)
    out.sum().backward()
    torch.testing.assert_close(given.grad.cpu()[0].float(), plain.weight.sum(0).detach(), atol=0.05, rtol=0.05)
    saved = layer.state_dict()
    again = bnb.nn.Linear8bitLt(64, 32, has_fp16_weights=False, threshold=threshold).cuda()
    again.load_state_dict(saved)
    assert torch.equal(again(given), out)


def test_a_model_moves_its_quantised_layers(bnb: Any) -> None:
    model = nn.Sequential(bnb.nn.LinearNF4(16, 16), nn.ReLU(), bnb.nn.Linear8bitLt(16, 4, has_fp16_weights=False))
    model = model.to("cuda")
    assert model(torch.randn(2, 16, device="cuda", dtype=torch.float16)).shape == (2, 4)
    assert model[0].weight.quant_state.quant_type == "nf4"


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Adam8bit", lambda p: torch.optim.Adam(p, 0.01)),
        ("PagedAdamW8bit", lambda p: torch.optim.AdamW(p, 0.01)),
        ("AdamW", lambda p: torch.optim.AdamW(p, 0.01)),
        ("SGD8bit", lambda p: torch.optim.SGD(p, 0.01)),
    ],
)
def test_optimizers_are_pytorch_s(bnb: Any, name: str, plain: Any) -> None:
    found = []
    for device, make in (("cuda", lambda p: getattr(bnb.optim, name)(p, 0.01)), ("cpu", plain)):
        weight = nn.Parameter(torch.linspace(-1, 1, 8).to(device))
        optimizer = make([weight])
        for _ in range(3):
            optimizer.zero_grad()
            weight.square().sum().backward()
            optimizer.step()
        found.append(weight.detach().cpu())
    torch.testing.assert_close(*found, atol=1e-5, rtol=1e-5)


def test_lion(bnb: Any) -> None:
    weight = nn.Parameter(torch.tensor([1.0, -2.0]).cuda())
    optimizer = bnb.optim.Lion8bit([weight], lr=0.1, weight_decay=0.5)
    weight.square().sum().backward()
    optimizer.step()
    torch.testing.assert_close(weight.detach().cpu(), torch.tensor([0.95 - 0.1, -1.9 + 0.1]))
    assert bnb.optim.GlobalOptimManager.get_instance() is bnb.optim.GlobalOptimManager.get_instance()
