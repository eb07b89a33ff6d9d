"""flash_attn by its stand-in, against attention written out in float64."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch

import jumar

pytestmark = pytest.mark.usefixtures("face_for_module")


@pytest.fixture(scope="module")
def flash(face_for_module: None) -> Iterator[Any]:
    import flash_attn

    yield flash_attn


def naive(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float | None = None, causal: bool = False,
    window: tuple[int, int] = (-1, -1), softcap: float = 0.0, slopes: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """(batch, sequence, heads, size) each, on the CPU in float64: each query by itself."""
    group = q.shape[2] // k.shape[2]
    out, lse = torch.zeros_like(q), torch.full((q.shape[0], q.shape[2], q.shape[1]), math.inf, dtype=q.dtype)
    shift = k.shape[1] - q.shape[1]
    left = k.shape[1] + q.shape[1] if window[0] < 0 else window[0]
    right = 0 if causal else k.shape[1] + q.shape[1] if window[1] < 0 else window[1]
    for b in range(q.shape[0]):
        for h in range(q.shape[2]):
            for i in range(q.shape[1]):
                seen = [j for j in range(k.shape[1]) if i + shift - left <= j <= i + shift + right]
                if not seen:
                    continue
                scores = (k[b, seen, h // group] @ q[b, i, h]) * (scale or q.shape[3] ** -0.5)
                if softcap:
                    scores = torch.tanh(scores / softcap) * softcap
                if slopes is not None:
                    scores = scores - slopes[h].to(scores.dtype) * torch.tensor([abs(i + shift - j) for j in seen])
                lse[b, h, i] = scores.logsumexp(0)
                out[b, i, h] = scores.softmax(0) @ v[b, seen, h // group]
    return out, lse


def samples(queries: int, keys: int, heads: int = 4, kv_heads: int = 2, size: int = 32, batch: int = 2) -> list[Any]:
    generator = torch.Generator().manual_seed(queries * 100 + keys)
    shapes = [(batch, queries, heads, size), (batch, keys, kv_heads, size), (batch, keys, kv_heads, size)]
    return [torch.randn(shape, generator=generator).bfloat16() for shape in shapes]


CASES = {
    "everything": ((24, 24), {}),
    "causal": ((24, 24), {"causal": True}),
    "causal, more keys": ((8, 24), {"causal": True}),
    "causal, more queries": ((24, 8), {"causal": True}),
    "scale": ((16, 16), {"scale": 0.3}),
    "window": ((24, 24), {"window": (4, 2)}),
    "window to the left, causal": ((12, 24), {"window": (5, 0), "causal": True}),
    "window to the right": ((24, 16), {"window": (-1, 3)}),
    "soft cap": ((16, 16), {"softcap": 1.5, "causal": True}),
    "soft cap, more queries": ((16, 8), {"softcap": 1.5, "causal": True}),
    "alibi": ((8, 16), {"slopes": torch.tensor([0.5, 0.25, 0.125, 0.0625]), "causal": True}),
}


@pytest.mark.parametrize("case", CASES)
def test_forward_and_backward(flash: Any, case: str) -> None:
    (queries, keys), how = CASES[case]
    tensors = samples(queries, keys)
    exact = [one.double().requires_grad_() for one in tensors]
    expected, expected_lse = naive(*exact, **how)
    chip = [one.cuda().requires_grad_() for one in tensors]
    options = {"softmax_scale": how.get("scale"), "causal": how.get("causal", False),
               "window_size": how.get("window", (-1, -1)), "softcap": how.get("softcap", 0.0)}  # fmt: skip
    if "slopes" in how:
        options["alibi_slopes"] = how["slopes"].cuda()
    out, lse, _ = flash.flash_attn_func(*chip, return_attn_probs=True, **options)
    assert out.dtype is torch.bfloat16
    assert out.is_cuda
    torch.testing.assert_close(out.cpu().double(), expected, atol=0.02, rtol=0.02)
    torch.testing.assert_close(lse.cpu().double(), expected_lse, atol=0.02, rtol=0.02)
    weight = torch.randn_like(expected)
    (expected * weight).sum().backward()
    (out * weight.to("cuda", torch.bfloat16)).sum().backward()
    for one, true in zip(chip, exact, strict=True):
        torch.testing.assert_close(one.grad.cpu().double(), true.grad, atol=0.05, rtol=0.05)


def test_pieces_that_a_library_joins_itself(flash: Any) -> None:
    from flash_attn import flash_attn_interface as inner

    tensors = samples(8, 16)
    exact = [one.double().requires_grad_() for one in tensors]
    expected, _ = naive(*exact, causal=True)
    weight = torch.randn_like(expected).bfloat16()
    (expected * weight).sum().backward()
    chip = [one.cuda() for one in tensors]
    out, lse, *_ = inner._wrapped_flash_attn_forward(*chip, 0.0, 32**-0.5, True)
    found = [torch.empty_like(one) for one in chip]
    inner._wrapped_flash_attn_backward(weight.cuda(), *chip, out, lse, *found, 0.0, 32**-0.5, True)
    for one, true in zip(found, exact, strict=True):
        torch.testing.assert_close(one.cpu().double(), true.grad, atol=0.05, rtol=0.05)


def test_packed_forms(flash: Any) -> None:
    qkv = torch.randn(2, 16, 3, 4, 32).bfloat16()
    out = flash.flash_attn_qkvpacked_func(qkv.cuda(), causal=True).cpu().double()
    expected = naive(*qkv.double().unbind(2), causal=True)[0]
    torch.testing.assert_close(out, expected, atol=0.02, rtol=0.02)
    out = flash.flash_attn_kvpacked_func(qkv[:, :, 0].cuda(), qkv[:, :, 1:].cuda(), causal=True).cpu().double()
    torch.testing.assert_close(out, expected, atol=0.02, rtol=0.02)


@pytest.mark.parametrize("how", [{}, {"causal": True}, {"window": (3, 1)}, {"softcap": 2.0}], ids=str)
@pytest.mark.parametrize(
    "lengths", [((5, 9, 2), (5, 9, 2)), ((3, 6, 1), (7, 6, 4)), ((6, 3), (2, 5)), ((4, 0), (4, 3))], ids=str
)
def test_sequences_of_several_lengths(flash: Any, lengths: Any, how: dict[str, Any]) -> None:
    queries, keys = lengths
    generator = torch.Generator().manual_seed(1)
    q = torch.randn(sum(queries), 4, 32, generator=generator).bfloat16()
    k, v = (torch.randn(sum(keys), 2, 32, generator=generator).bfloat16() for _ in range(2))
    parts = zip(q.double().split(queries), k.double().split(keys), v.double().split(keys), strict=True)
    expected = torch.cat([naive(a[None], b[None], c[None], **how)[0][0] for a, b, c in parts])
    bounds = [torch.tensor([0, *n]).cumsum(0).int().cuda() for n in (queries, keys)]
    options = {"causal": how.get("causal", False), "window_size": how.get("window", (-1, -1)),
               "softcap": how.get("softcap", 0.0)}  # fmt: skip
    out = flash.flash_attn_varlen_func(
        q.cuda(), k.cuda(), v.cuda(), *bounds, max(queries), max(keys), **options
    )
    torch.testing.assert_close(out.cpu().double(), expected, atol=0.02, rtol=0.02)


def test_inference_first_and_training_later(flash: Any) -> None:
    from jumar.cuda import attention

    attention._triangles.clear()
    q, k, v = (one.cuda() for one in samples(8, 8))
    with torch.inference_mode():
        flash.flash_attn_func(q, k, v, causal=True)
    q.requires_grad_()
    flash.flash_attn_func(q, k, v, causal=True).sum().backward()
    assert q.grad is not None


def test_dropout_keeps_the_mean(flash: Any) -> None:
    q, k, _ = (one.cuda() for one in samples(64, 64))
    out = flash.flash_attn_func(q, k, torch.ones_like(k), dropout_p=0.3)
    assert out.float().mean().item() == pytest.approx(1, abs=0.05)
    assert out.float().std().item() > 0.01


def test_cache_is_written_and_read(flash: Any) -> None:
    q, k, v = samples(1, 1, batch=2)
    caches = [torch.randn(2, 16, 2, 32).bfloat16() for _ in range(2)]
    held = [5, 9]
    on_chip = [one.cuda() for one in caches]
    out = flash.flash_attn_with_kvcache(
        q.cuda(), *on_chip, k.cuda(), v.cuda(), cache_seqlens=torch.tensor(held).int().cuda(), causal=True
    ).cpu()
    for at, length in enumerate(held):
        for cache, fresh in zip(caches, (k, v), strict=True):
            cache[at, length] = fresh[at, 0]
        parts = [one[at : at + 1, : length + 1].double() for one in caches]
        expected = naive(q[at : at + 1].double(), *parts)[0]
        torch.testing.assert_close(out[at : at + 1].double(), expected, atol=0.02, rtol=0.02)
    assert torch.equal(on_chip[0].cpu(), caches[0])


def test_pages(flash: Any) -> None:
    q, k, v = samples(1, 32, batch=1)
    pages = torch.tensor([[3, 1]], dtype=torch.int32)
    paged = [torch.zeros(4, 16, 2, 32).bfloat16() for _ in range(2)]
    for cache, whole in zip(paged, (k, v), strict=True):
        cache[3], cache[1] = whole[0, :16], whole[0, 16:]
    out = flash.flash_attn_with_kvcache(
        q.cuda(), *(one.cuda() for one in paged), cache_seqlens=20, block_table=pages.cuda()
    )
    expected = naive(q.double(), k[:, :20].double(), v[:, :20].double())[0]
    torch.testing.assert_close(out.cpu().double(), expected, atol=0.02, rtol=0.02)


def test_refusals_in_the_words_of_cuda(flash: Any) -> None:
    x = torch.ones(1, 4, 4, 32)
    with pytest.raises(RuntimeError, match="only support fp16 and bf16"):
        flash.flash_attn_func(x.cuda(), x.cuda(), x.cuda())
    with pytest.raises(NotImplementedError, match="'CPU' backend"):
        flash.flash_attn_func(x.half(), x.half(), x.half())
    with pytest.raises(RuntimeError, match="must divide"):
        flash.flash_attn_func(x.half().cuda(), x[:, :, :3].half().cuda(), x[:, :, :3].half().cuda())


def test_padding_out_and_in(flash: Any) -> None:
    from flash_attn.bert_padding import pad_input, unpad_input

    mask = torch.tensor([[1, 1, 1, 0], [1, 0, 0, 0]]).cuda()
    hidden = torch.randn(2, 4, 3, device="cuda", requires_grad=True)
    tokens, indices, bounds, longest, used = unpad_input(hidden, mask)
    assert (tokens.shape, indices.tolist(), bounds.tolist(), longest) == ((4, 3), [0, 1, 2, 4], [0, 3, 4], 3)
    assert used.tolist() == [3, 1]
    back = pad_input(tokens, indices, 2, 4)
    assert torch.equal(back.cpu(), (hidden * mask[..., None]).cpu())
    back.sum().backward()
    assert torch.equal(hidden.grad.cpu(), mask[..., None].expand(2, 4, 3).float().cpu())


def test_rotary_against_complex_numbers(flash: Any) -> None:
    from flash_attn.layers.rotary import apply_rotary_emb

    x = torch.randn(2, 6, 3, 16)
    angles = torch.rand(10, 8) * 3
    places = torch.arange(6) + 2
    turn = torch.polar(torch.ones(6, 8), angles[places])[:, None]
    pairs = torch.view_as_real(torch.view_as_complex(x.unflatten(-1, (8, 2))) * turn).flatten(-2)
    out = apply_rotary_emb(x.cuda(), angles.cos().cuda(), angles.sin().cuda(), interleaved=True, seqlen_offsets=2)
    torch.testing.assert_close(out.cpu(), pairs, atol=1e-5, rtol=1e-5)
    halves = x.unflatten(-1, (8, 2)).transpose(-1, -2).flatten(-2)
    out = apply_rotary_emb(halves.cuda(), angles.cos().cuda(), angles.sin().cuda(), seqlen_offsets=2)
    torch.testing.assert_close(out.cpu(), pairs.unflatten(-1, (8, 2)).transpose(-1, -2).flatten(-2), atol=1e-5, rtol=1e-5)
    packed = apply_rotary_emb(
        x.flatten(0, 1).cuda(), angles.cos().cuda(), angles.sin().cuda(), interleaved=True,
        cu_seqlens=torch.tensor([0, 6, 12]).cuda(), max_seqlen=6, seqlen_offsets=2,
    )  # fmt: skip
    torch.testing.assert_close(packed.cpu(), pairs.flatten(0, 1), atol=1e-5, rtol=1e-5)


def test_normalisations_and_loss(flash: Any) -> None:
    from flash_attn.losses.cross_entropy import CrossEntropyLoss
    from flash_attn.ops.rms_norm import RMSNorm, rms_norm
    from flash_attn.ops.triton.layer_norm import layer_norm_fn

    x, weight = torch.randn(5, 16).cuda(), torch.rand(16).cuda()
    expected = x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt() * weight
    torch.testing.assert_close(rms_norm(x, weight, 1e-5), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(layer_norm_fn(x, weight, None, is_rms_norm=True, eps=1e-5), expected, atol=1e-5, rtol=1e-5)
    norm = RMSNorm(16, device="cuda")
    norm(x).sum().backward()
    assert norm.weight.grad is not None
    labels = torch.tensor([1, 2, -100, 3, 4]).cuda()
    loss = CrossEntropyLoss(label_smoothing=0.1)(x, labels)
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(x, labels, label_smoothing=0.1))


def test_uses_are_in_the_account(flash: Any) -> None:
    names = {row["name"] for row in jumar.cuda.facts()["rows"] if row["kind"] == "adapted"}
    assert {"import flash_attn", "flash_attn.flash_attn_func", "flash_attn.bert_padding.unpad_input"} <= names
