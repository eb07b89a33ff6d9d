"""Legacy operators against PyTorch's own, with inputs and attributes as the adapter sends them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from jumar.ops.bitmask import unpack
from jumar.ops.registry import operators

X = torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(0))
Y = torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(1))
IMAGE = torch.randn(2, 4, 7, 6, generator=torch.Generator().manual_seed(2))
KERNEL = torch.randn(6, 2, 3, 2, generator=torch.Generator().manual_seed(3))
PLACES = torch.tensor([2, 0, 1])


def run(name: str, inputs: list[Any], outputs: list[Any], **attributes: Any) -> Any:
    return operators()[f"aclop:{name}"].run(inputs, outputs, attributes)


def shape(*sizes: int) -> Tensor:
    return torch.tensor(sizes)


def scalar(value: float, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.tensor(value, dtype=dtype)


CONVOLUTION = {"strides": [1, 1, 2, 1], "pads": [1, 1, 1, 1], "dilations": [1, 1, 1, 2], "groups": 2}
CONVOLVED = functional.conv2d(IMAGE, KERNEL, None, (2, 1), (1, 1), (1, 2), 2)
KEEP = {"keep_dims": True}
MASKS = dict.fromkeys(["begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"], 0)

# (type, inputs, attributes, what PyTorch gives)
CASES: list[tuple[str, list[Any], dict[str, Any], Any]] = [
    ("Identity", [X], {}, X),
    ("Cast", [X], {"dst_type": 3}, X.int()),
    ("Fill", [shape(2, 3), scalar(1.5)], {}, torch.full((2, 3), 1.5)),
    ("Abs", [X], {}, X.abs()),
    ("Add", [X, scalar(2)], {}, X + 2),
    ("RealDiv", [X, Y], {}, X / Y),
    ("LogicalAnd", [X > 0, Y > 0], {}, (X > 0) & (Y > 0)),
    ("GreaterEqual", [X, Y], {}, X >= Y),
    ("ClipByValueV2", [X, scalar(-1), scalar(1)], {}, X.clamp(-1, 1)),
    ("AxpyV2", [X, Y, scalar(2)], {}, X + 2 * Y),
    ("Log", [X.abs()], {"base": 10.0, "scale": 1.0, "shift": 0.0}, X.abs().log10()),
    ("GeluGrad", [X, Y, X], {}, torch.ops.aten.gelu_backward(X, Y)),
    ("TanhGrad", [Y.tanh(), X], {}, torch.ops.aten.tanh_backward(X, Y.tanh())),
    ("LeakyRelu", [X], {"negative_slope": 0.5}, functional.leaky_relu(X, 0.5)),
    ("ReduceSum", [X, shape(0, 2)], KEEP, X.sum((0, 2), True)),
    ("ReduceMax", [X, shape()], {"keep_dims": False}, X.amax()),
    ("ReduceProd", [X, shape(0, -1)], {"keep_dims": False}, X.prod(2).prod(0)),
    ("ArgMaxWithValue", [X], {"dimension": 1, "keep_dims": False}, tuple(X.max(1))[::-1]),
    ("SoftmaxV2", [X], {"axes": [-1]}, X.softmax(-1)),
    ("LpNormReduceV2", [X], {"p": 2.0, "axes": [1], "keepdim": False}, X.pow(2).sum(1)),
    ("Cumsum", [X, scalar(1, torch.int32)], {}, X.cumsum(1)),
    ("Transpose", [X, shape(2, 0, 1)], {}, X.permute(2, 0, 1)),
    ("ConfusionTransposeD", [X], {"perm": [1, 0, 2], "shape": [4, 18], "transpose_first": True},
     X.transpose(0, 1).reshape(4, 18)),
    ("Slice", [X, shape(1, 0, 2), shape(2, -1, 3)], {}, X[1:3, :, 2:5]),
    ("StridedSlice", [X, shape(0, 3), shape(2, 0), shape(1, -1)], MASKS, X[0:2, 1:4].flip(1)),
    ("BroadcastTo", [X[:1], shape(3, 4, 6)], {}, X[:1].expand(3, 4, 6)),
    ("Tile", [X, shape(2, 1, 3)], {}, X.repeat(2, 1, 3)),
    ("ConcatD", [X, Y], {"N": 2, "concat_dim": 1}, torch.cat([X, Y], 1)),
    ("Pack", [X, Y], {"N": 2, "axis": 2}, torch.stack([X, Y], 2)),
    ("PadV3", [X, shape(0, 0, 1, 2, 3, 0), scalar(9)], {"mode": "constant"},
     functional.pad(X, (3, 0, 1, 2), value=9)),
    ("MirrorPad", [IMAGE, shape(0, 0, 0, 0, 1, 2, 3, 1)], {"mode": "REFLECT"},
     functional.pad(IMAGE, (3, 1, 1, 2), mode="reflect")),
    ("AsStrided", [X, shape(2, 3), shape(6, 2), shape(1)], {}, X.as_strided((2, 3), (6, 2), 1)),
    ("OneHot", [PLACES, scalar(4, torch.int32), scalar(1, torch.int64), scalar(0, torch.int64)], {"axis": -1},
     functional.one_hot(PLACES, 4)),
    ("TopKV2", [X, scalar(2, torch.int32)], {"dim": 1, "largest": True, "sorted": True}, tuple(X.topk(2, 1))),
    ("GatherV2", [X, PLACES.view(3, 1), shape(1)], {"batch_dims": 0}, X[:, PLACES.view(3, 1)]),
    ("Index", [X, shape(1, 0, 1), shape(1, 1), PLACES, PLACES], {}, X[PLACES, :, PLACES]),
    ("IndexPutV2", [X, Y[:, :1].expand(3, 3, 6), shape(0, 1), shape(0, 1), PLACES], {"accumulate": False},
     torch.ops.aten.index_put(X, [None, PLACES], Y[:, :1].expand(3, 3, 6))),
    ("InplaceIndexAdd", [X, PLACES.int(), Y, scalar(2)], {"axis": 0}, X.index_add(0, PLACES, Y, alpha=2)),
    ("ScatterElements", [X, PLACES.view(3, 1, 1), Y], {"axis": 1, "reduction": "add"},
     X.scatter_add(1, PLACES.view(3, 1, 1), Y)),
    ("ScatterNdUpdate", [X.view(-1), PLACES.view(3, 1), Y.view(-1)[:3]], {"use_locking": False},
     X.view(-1).index_put((PLACES,), Y.view(-1)[:3])),
    ("ScatterUpdate", [X, PLACES, Y], {"use_locking": False}, Y[[1, 2, 0]]),
    ("MaskedFill", [X, X > 0, scalar(3)], {}, X.masked_fill(X > 0, 3)),
    ("MatMul", [X[0], Y[0]], {"transpose_x1": False, "transpose_x2": True}, X[0] @ Y[0].t()),
    ("BatchMatMul", [X, Y], {"adj_x1": True, "adj_x2": False}, X.mT @ Y),
    ("Conv2D", [IMAGE, KERNEL], CONVOLUTION, CONVOLVED),
    ("Conv2DBackpropInput", [shape(*IMAGE.shape), KERNEL, CONVOLVED], CONVOLUTION,
     torch.nn.grad.conv2d_input(IMAGE.shape, KERNEL, CONVOLVED, (2, 1), (1, 1), (1, 2), 2)),
    ("Conv2DBackpropFilter", [IMAGE, shape(*KERNEL.shape), CONVOLVED], CONVOLUTION,
     torch.nn.grad.conv2d_weight(IMAGE, KERNEL.shape, CONVOLVED, (2, 1), (1, 1), (1, 2), 2)),
    ("MseLossGrad", [X, Y, scalar(1)], {"reduction": "mean"}, 2 * (X - Y) / X.numel()),
    ("NLLLoss", [X[0], PLACES.repeat(2)[:4], torch.ones(6)], {"reduction": "mean", "ignore_index": -100},
     (functional.nll_loss(X[0], PLACES.repeat(2)[:4]), torch.tensor(4.0))),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(CASES)), ids=lambda case: CASES[case][0])
def test_case(case: int) -> None:
    name, inputs, attributes, expected = CASES[case]
    expected = expected if isinstance(expected, tuple) else (expected,)
    outputs = [torch.zeros_like(each, memory_format=torch.contiguous_format) for each in expected]
    run(name, inputs, outputs, **attributes)
    for out, each in zip(outputs, expected, strict=True):
        assert torch.allclose(out, each, rtol=1e-5, atol=1e-6, equal_nan=True)


def test_sized() -> None:
    out = torch.zeros(3, 3 * 4 * 6, dtype=torch.int64)
    places = (X > 0).nonzero()
    assert run("NonZero", [X > 0], [out], transpose=True) == {0: (3, len(places))}
    assert torch.equal(out.view(-1)[: places.numel()].view(3, -1), places.t())
    out = torch.zeros(X.numel())
    assert run("MaskedSelect", [X, X > 0], [out]) == {0: (len(places),)}
    values, inverse, counts = (
        torch.zeros(4),
        torch.zeros(4, dtype=torch.int64),
        torch.zeros(4, dtype=torch.int64),
    )
    sizes = run("UniqueWithCountsAndSorting", [torch.tensor([3.0, 1, 3, 3])], [values, inverse, counts])
    assert sizes == {0: (2,), 2: (2,)} and inverse.tolist() == [1, 0, 1, 1] and counts[:2].tolist() == [1, 3]


def test_view_copy() -> None:
    target, source = torch.zeros(4, 6), torch.arange(24.0).view(4, 6)
    run(
        "ViewCopy",
        [target, shape(2, 3), shape(12, 2), shape(1), source, shape(2, 3), shape(1, 6), shape(0)],
        [target],
    )
    assert torch.equal(target.as_strided((2, 3), (12, 2), 1), source.as_strided((2, 3), (1, 6), 0))


def test_batch_norm_as_the_adapter_composes_it() -> None:
    weight, bias = torch.rand(4) + 0.5, torch.rand(4)
    mean, variance = torch.zeros(4), torch.ones(4)
    total, square = torch.zeros(4), torch.zeros(4)
    run("BNTrainingReduce", [IMAGE], [total, square], epsilon=1e-5)
    y, saved, spread = torch.zeros_like(IMAGE), torch.zeros(4), torch.zeros(4)
    inputs = [IMAGE, total, square, weight, bias, mean, variance]
    run("BNTrainingUpdate", inputs, [y, mean, variance, saved, spread], epsilon=1e-5, factor=0.1)
    running = torch.zeros(4), torch.ones(4)
    expected = functional.batch_norm(IMAGE, *running, weight, bias, True, 0.1, 1e-5)
    assert torch.allclose(y, expected, atol=1e-5)
    assert torch.allclose(mean, running[0], atol=1e-6) and torch.allclose(variance, running[1], atol=1e-5)
    grad, d_weight, d_bias, d_self = (
        torch.randn_like(IMAGE),
        torch.zeros(4),
        torch.zeros(4),
        torch.zeros_like(IMAGE),
    )
    run("BNTrainingUpdateGrad", [grad, IMAGE, saved, spread], [d_weight, d_bias], epsilon=1e-5)
    inputs = [grad, IMAGE, d_weight, d_bias, weight, saved, spread]
    run("BNTrainingReduceGrad", inputs, [d_self], epsilon=1e-5)
    leaf = IMAGE.clone().requires_grad_()
    parameters = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    functional.batch_norm(leaf, None, None, *parameters, True).backward(grad)
    for mine, theirs in zip((d_self, d_weight, d_bias), (leaf, *parameters), strict=True):
        assert torch.allclose(mine, theirs.grad, atol=1e-4)


def test_random() -> None:
    seed, counter = torch.tensor([7], dtype=torch.uint64), torch.tensor([0, 12], dtype=torch.uint64)
    first, again, other = torch.zeros(1000), torch.zeros(1000), torch.zeros(1000)
    for out, place in ((first, counter), (again, counter), (other, torch.tensor([0, 13]))):
        run("StatelessRandomUniformV2", [shape(1000), seed, place, scalar(1, torch.int32)], [out])
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert 0.45 < float(first.mean()) < 0.55
    mask, out = torch.zeros(128, dtype=torch.uint8), torch.zeros(1000)
    inputs = [shape(1000), scalar(0.7), seed.int(), scalar(0, torch.int32), counter]
    run("StatelessDropOutGenMask", inputs, [mask])
    run("DropOutDoMask", [torch.ones(1000), mask, scalar(0.5)], [out])
    assert torch.equal(out, unpack(mask, 1000) * 2.0) and 0.6 < float(out.mean()) / 2 < 0.8


STEPS, BATCH, SIZE, HIDDEN = 5, 3, 4, 6


def parameters(gates: int) -> list[Tensor]:
    torch.manual_seed(0)
    sizes = [(STEPS, BATCH, SIZE), (1, BATCH, HIDDEN), (1, BATCH, HIDDEN), (gates * HIDDEN, SIZE)]
    sizes += [(gates * HIDDEN, HIDDEN), (gates * HIDDEN,), (gates * HIDDEN,)]
    return [torch.randn(*size).mul_(0.5).requires_grad_() for size in sizes]


def blank(count: int) -> list[Tensor]:
    return [torch.zeros(STEPS, BATCH, HIDDEN) for _ in range(count)]


@pytest.mark.parametrize("version", [1, 2])
def test_lstm(version: int) -> None:
    leaves = parameters(4)
    x, h, c, wi, wh, bi, bh = leaves
    expected, last_h, last_c = torch._VF.lstm(x, (h, c), [wi, wh, bi, bh], True, 1, 0.0, True, False, False)
    grads = [torch.randn_like(each) for each in (expected, last_h, last_c)]
    torch.autograd.backward([expected, last_h, last_c], grads)
    x, h, c, wi, wh, bi, bh = (leaf.detach() for leaf in leaves)
    weights = [torch.cat([wi, wh], 1).t()] if version == 1 else [wi.t(), wh.t()]
    suffix, outs = "" if version == 1 else "V2", blank(8)
    run(f"DynamicRNN{suffix}", [x, *weights, bi + bh, None, h, c], outs, direction="UNIDIRECTIONAL")
    assert torch.allclose(outs[0], expected, atol=1e-6) and torch.allclose(outs[2][-1:], last_c, atol=1e-6)
    y, hs, cs, *gates = outs
    middle = [bi + bh] if version == 1 else []
    inputs = [x, *weights, *middle, y, h, c, hs, cs, *grads, *gates, scalar(0), *[scalar(0)] * 4]
    results = [torch.zeros_like(weight) for weight in weights] + [torch.zeros_like(bi)]
    results += [torch.zeros_like(x), torch.zeros_like(h), torch.zeros_like(c)]
    run(f"DynamicRNN{suffix}Grad", inputs, results, direction="UNIDIRECTIONAL")
    wanted = [torch.cat([leaves[3].grad, leaves[4].grad], 1).t()]
    if version == 2:
        wanted = [leaves[3].grad.t(), leaves[4].grad.t()]
    wanted += [leaves[5].grad, leaves[0].grad, leaves[1].grad, leaves[2].grad]
    for result, want in zip(results, wanted, strict=True):
        assert torch.allclose(result, want, atol=1e-5)


def test_lstm_of_sequences_that_end_early_and_backwards() -> None:
    x, h, c, wi, wh, bi, bh = (leaf.detach() for leaf in parameters(4))
    lengths = torch.tensor([5, 3, 1])
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths)
    out, last_h, last_c = torch._VF.lstm(
        packed.data, packed.batch_sizes, (h, c), [wi, wh, bi, bh], True, 1, 0.0, False, False
    )
    mask = (torch.arange(STEPS).view(-1, 1, 1) < lengths.view(1, -1, 1)).expand(STEPS, BATCH, HIDDEN).half()
    outs, weights = blank(8), torch.cat([wi, wh], 1).t()
    run("DynamicRNN", [x, weights, bi + bh, mask, h, c], outs, direction="UNIDIRECTIONAL")
    padded = torch.nn.utils.rnn.pad_packed_sequence(packed._replace(data=out))[0]
    assert torch.allclose(outs[0], padded, atol=1e-6)
    assert torch.allclose(outs[1][-1:], last_h, atol=1e-6) and torch.allclose(outs[2][-1:], last_c, atol=1e-6)
    forward, backward = blank(8), blank(8)
    run("DynamicRNN", [x.flip(0), weights, bi + bh, None, h, c], forward, direction="UNIDIRECTIONAL")
    run("DynamicRNN", [x, weights, bi + bh, None, h, c], backward, direction="REDIRECTIONAL")
    assert torch.allclose(forward[0].flip(0), backward[0])


def test_gru() -> None:
    leaves = parameters(3)
    x, h, _, wi, wh, bi, bh = leaves
    expected, last = torch._VF.gru(x, h, [wi, wh, bi, bh], True, 1, 0.0, True, False, False)
    grads = [torch.randn_like(each) for each in (expected, last)]
    torch.autograd.backward([expected, last], grads)
    x, h, _, wi, wh, bi, bh = (leaf.detach() for leaf in leaves)
    outs = blank(6)
    run("DynamicGRUV2", [x, wi.t(), wh.t(), bi, bh, None, h], outs)
    assert torch.allclose(outs[0], expected, atol=1e-6)
    results = [torch.zeros(*each.shape) for each in (wi.t(), wh.t(), bi, bh, x, h)]
    y, hs, *gates = outs
    run("DynamicGRUV2Grad", [x, wi.t(), wh.t(), y, h, hs, *grads, *gates, scalar(0), scalar(0)], results)
    wanted = [
        leaves[3].grad.t(),
        leaves[4].grad.t(),
        leaves[5].grad,
        leaves[6].grad,
        leaves[0].grad,
        leaves[1].grad,
    ]
    for result, want in zip(results, wanted, strict=True):
        assert torch.allclose(result, want, atol=1e-5)
