"""xformers by its stand-in: each kind of bias against the dense tensor that it stands for."""

from __future__ import annotations

from typing import Any

import pytest
import torch

pytestmark = pytest.mark.usefixtures("face_for_module")


@pytest.fixture(scope="module")
def ops(face_for_module: None) -> Any:
    import xformers.ops

    return xformers.ops


def dense(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: Any = None, scale: float | None = None) -> torch.Tensor:
    """(batch, sequence, heads, size), in float64 on the CPU."""
    q, k, v = (one.detach().cpu().double().transpose(1, 2) for one in (q, k, v))
    scores = q @ k.transpose(2, 3) * (scale or q.shape[-1] ** -0.5)
    scores = scores if bias is None else scores + bias.cpu().double()
    return (scores.softmax(-1).nan_to_num() @ v).transpose(1, 2)


def tensors(queries: int, keys: int, batch: int = 2, heads: int = 4) -> list[torch.Tensor]:
    torch.manual_seed(queries + keys)
    return [torch.randn(batch, n, heads, 32).half().cuda() for n in (queries, keys, keys)]


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found.detach().cpu().double(), expected, atol=0.01, rtol=0.01)


@pytest.mark.parametrize("sizes", [(16, 16), (6, 16)], ids=str)
@pytest.mark.parametrize(
    "kind",
    [
        ("LowerTriangularMask",),
        ("LowerTriangularFromBottomRightMask",),
        ("LowerTriangularFromBottomRightLocalAttentionMask", 4),
        ("LocalAttentionFromBottomRightMask", 3, 2),
    ],
    ids=str,
)
def test_masks(ops: Any, kind: Any, sizes: tuple[int, int]) -> None:
    q, k, v = tensors(*sizes)
    bias = getattr(ops.fmha.attn_bias, kind[0])(*kind[1:])
    close(ops.memory_efficient_attention(q, k, v, bias), dense(q, k, v, bias.materialize((2, 4, *sizes))))


def test_tensors_without_heads_and_with_a_bias(ops: Any) -> None:
    q, k, v = tensors(8, 12)
    close(ops.memory_efficient_attention(q, k, v, scale=0.3), dense(q, k, v, scale=0.3))
    bias = torch.randn(2, 4, 8, 12).half()
    close(ops.memory_efficient_attention(q, k, v, bias.cuda()), dense(q, k, v, bias))
    flat = [one[:, :, 0] for one in (q, k, v)]
    close(ops.memory_efficient_attention(*flat)[:, :, None], dense(*(one[:, :, :1] for one in (q, k, v))))


def test_groups_of_heads(ops: Any) -> None:
    q, k, v = tensors(8, 8)
    shared = [one[:, :, :2, None].expand(-1, -1, -1, 2, -1) for one in (k, v)]
    found = ops.memory_efficient_attention(q.unflatten(2, (2, 2)), *shared)
    close(found.flatten(2, 3), dense(q, *(one[:, :, :2].repeat_interleave(2, 2) for one in (k, v))))


@pytest.mark.parametrize("causal", [None, "make_causal", "make_causal_from_bottomright"])
def test_blocks(ops: Any, causal: str | None) -> None:
    kind = ops.fmha.attn_bias.BlockDiagonalMask
    lengths = ([3, 7, 2], [3, 7, 2]) if causal == "make_causal" else ([3, 7, 2], [5, 7, 4])
    bias = kind.from_seqlens(*lengths)
    bias = getattr(bias, causal)() if causal else bias
    q, k, v = tensors(sum(lengths[0]), sum(lengths[1]), batch=1)
    found = ops.memory_efficient_attention(q, k, v, bias)
    close(found, dense(q, k, v, bias.materialize((1, 4, sum(lengths[0]), sum(lengths[1])))))


def test_tensors_of_several_lengths_and_back(ops: Any) -> None:
    parts = [torch.randn(2, 5, 4, 32).half().cuda(), torch.randn(1, 9, 4, 32).half().cuda()]
    bias, x = ops.fmha.BlockDiagonalMask.from_tensor_list(parts)
    assert x.shape == (1, 19, 4, 32)
    found = bias.split(ops.memory_efficient_attention(x, x, x, bias))
    for one, part in zip(found, parts, strict=True):
        close(one, dense(part, part, part))


def test_keys_with_places_for_more(ops: Any) -> None:
    kind = ops.fmha.attn_bias.BlockDiagonalCausalWithOffsetPaddedKeysMask
    bias = kind.from_seqlens(q_seqlen=[1, 2], kv_padding=8, kv_seqlen=[5, 7])
    q, k, v = tensors(3, 16, batch=1)
    close(ops.memory_efficient_attention(q, k, v, bias), dense(q, k, v, bias.materialize((1, 4, 3, 16))))


def test_derivative_and_dropout(ops: Any) -> None:
    q, k, v = (one.requires_grad_() for one in tensors(8, 8))
    way = ops.MemoryEfficientAttentionFlashAttentionOp
    ops.memory_efficient_attention(q, k, v, ops.LowerTriangularMask(), op=way).sum().backward()
    assert v.grad.sum().item() == pytest.approx(2 * 8 * 4 * 32, rel=0.01)
    out = ops.memory_efficient_attention(q, k, torch.ones_like(v), p=0.5)
    assert out.float().mean().item() == pytest.approx(1, abs=0.15)


def test_parts_of_the_keys_merge(ops: Any) -> None:
    q, k, v = tensors(4, 12)
    parts = [ops.memory_efficient_attention_forward_requires_grad(q, k[:, at], v[:, at]) for at in (slice(5), slice(5, 12))]
    out, _ = ops.fmha.merge_attentions([one[0] for one in parts], [one[1] for one in parts])
    close(out, dense(q, k, v))


def test_layers(ops: Any) -> None:
    x = torch.randn(5, 16)
    layer = ops.SwiGLU(16, 24).cuda()
    assert set(layer.state_dict()) == {"w12.weight", "w12.bias", "w3.weight", "w3.bias"}
    one, two = layer.w12.cpu()(x).chunk(2, -1)
    expected = layer.w3.cpu()(torch.nn.functional.silu(one) * two)
    torch.testing.assert_close(layer.cuda()(x.cuda()).cpu(), expected, atol=1e-4, rtol=1e-4)
    norm = ops.RMSNorm(16).cuda()
    torch.testing.assert_close(norm(x.cuda()).cpu(), x / (x.square().mean(-1, True) + 1e-6).sqrt(), atol=1e-4, rtol=1e-4)
    assert [one.shape for one in ops.unbind(x, 0)] == [(16,)] * 5
