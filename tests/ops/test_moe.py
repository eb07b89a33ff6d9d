"""Mixture-of-experts operators against their definitions, and products by group."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from .compare import FLOATS, assert_near, assert_same, blank, call, gradients

TOKENS, EXPERTS, K, H = 6, 5, 2, 8


def _ints(*sizes: int) -> Tensor:
    return torch.zeros(sizes, dtype=torch.int32)


def test_gating() -> None:
    self = torch.randn(TOKENS, EXPERTS)
    weights, chosen = self.softmax(-1).topk(K)
    out, experts, rows = torch.empty(TOKENS, K), _ints(TOKENS, K), _ints(TOKENS, K)
    call("aclnnMoeGatingTopKSoftmax", self, None, K, out, experts, rows)
    assert_near(out, weights)
    assert_same(experts, chosen.int())
    assert_same(rows, torch.arange(TOKENS * K).view(K, TOKENS).T.int())
    finished = torch.arange(TOKENS) == 2
    softmax = torch.empty(TOKENS, EXPERTS)
    call("aclnnMoeGatingTopKSoftmaxV2", self, finished, K, 0, True, out, experts, softmax)
    assert_near(softmax, self.softmax(-1))
    assert experts[2].tolist() == [EXPERTS] * K
    call("aclnnMoeGatingTopKSoftmaxV2", self, None, K, 1, False, out, experts, softmax)
    assert_near(out, self.topk(K).values.softmax(-1))


@pytest.mark.parametrize("norm_type", (0, 1))
def test_gating_in_groups(norm_type: int) -> None:
    self, bias = torch.randn(TOKENS, 8), torch.randn(8)

    def reference(x: Tensor, chosen: Tensor) -> Tensor:
        weights = x.sigmoid() if norm_type else x.softmax(-1)
        taken = weights.gather(-1, chosen)
        return 2.5 * (taken / (taken.sum(-1, True) + 1e-20) if norm_type else taken)

    ranked = (self.sigmoid() if norm_type else self.softmax(-1)) + bias
    grouped = ranked.view(TOKENS, 4, 2)
    best = grouped.sum(-1).topk(2).indices
    mask = torch.zeros(TOKENS, 4).scatter_(1, best, 1).bool()
    chosen = grouped.masked_fill(~mask[..., None], -torch.inf).flatten(1).topk(3).indices
    wanted, grad, (to_self,) = gradients(lambda x: reference(x, chosen), [self])
    out, experts, normal = torch.empty(TOKENS, 3), _ints(TOKENS, 3), torch.empty(TOKENS, 8)
    call("aclnnMoeGatingTopK", self, bias, 3, 2, 4, 1, 0, norm_type, True, 2.5, 1e-20, out, experts, normal)
    assert_same(experts, chosen.int())
    assert_near(out, wanted)
    grad_self = blank(self)
    call("aclnnMoeGatingTopKBackward", normal, grad, experts, 0, norm_type, 2.5, 1e-20, grad_self)
    assert_near(grad_self, to_self)


def _experts() -> Tensor:
    return torch.stack([torch.randperm(EXPERTS)[:K] for _ in range(TOKENS)]).int()


def test_routing_there_and_back() -> None:
    """What every expert leaves as it is comes back as the weighted sum of the token with itself."""
    self, experts, scales = torch.randn(TOKENS, H), _experts(), torch.rand(TOKENS, K)
    rows = torch.arange(TOKENS * K).view(K, TOKENS).T.contiguous().int()
    out, places, sorted_experts = torch.empty(TOKENS * K, H), _ints(TOKENS * K), _ints(TOKENS * K)
    call("aclnnMoeInitRouting", self, rows, experts, TOKENS, out, places, sorted_experts)
    assert_same(sorted_experts, experts.flatten().sort().values)
    counts = _ints(EXPERTS)
    call("aclnnMoeComputeExpertTokens", sorted_experts, EXPERTS, counts)
    assert_same(counts, torch.bincount(experts.flatten(), minlength=EXPERTS).cumsum(0).int())
    back = torch.empty(TOKENS, H)
    call("aclnnMoeFinalizeRouting", out, None, None, None, scales, places, experts, back)
    assert_near(back, self * scales.sum(1, True))

    totals = _ints(EXPERTS)
    call("aclnnMoeInitRoutingV2", self, experts, 0, 0, EXPERTS, 0, 1, False, out, places, totals, None)
    assert_same(totals, counts)
    call("aclnnMoeFinalizeRoutingV2", out, places, self, None, None, scales, experts, 2, back)
    assert_near(back, self * (1 + scales.sum(1, True)))

    inside = _ints(TOKENS * K)
    numbers = torch.zeros(2, dtype=torch.int64)
    call(
        "aclnnMoeInitRoutingV3", self, experts, None, None, -1, 0, EXPERTS, 0, 1, True, -1, [1, 3], 0,
        out, inside, numbers, None,
    )  # fmt: skip
    assert numbers.tolist() == [(experts == 1).sum(), (experts == 2).sum()]
    assert ((inside.view(TOKENS, K) < 0) == ((experts < 1) | (experts > 2))).all()


def test_capacity() -> None:
    self, experts = torch.randn(4, H), torch.tensor([[0], [0], [0], [1]], dtype=torch.int32)
    out, places, before = torch.empty(3, 2, H), _ints(4), _ints(3)
    call("aclnnMoeInitRoutingV2", self, experts, 0, 2, 3, 1, 0, True, out, places, None, before)
    assert places.tolist() == [0, 1, -1, 2]
    assert before.tolist() == [3, 1, 0]
    assert_same(out, torch.stack((self[:2], torch.stack((self[3], torch.zeros(H))), torch.zeros(2, H))))


@pytest.mark.parametrize("dtype", FLOATS)
def test_permute_and_unpermute(dtype: torch.dtype) -> None:
    self, experts, weights = torch.randn(TOKENS, H).to(dtype), _experts(), torch.rand(TOKENS, K).to(dtype)
    order = experts.flatten().argsort(stable=True)
    out, places = torch.empty(TOKENS * K, H, dtype=dtype), _ints(TOKENS * K)
    call("aclnnMoeTokenPermute", self, experts, TOKENS * K, False, out, places)
    assert_same(out, self[order // K])
    assert_same(places, order.argsort().int())
    grad = torch.randn(out.shape).to(dtype)
    grad_self = blank(self)
    call("aclnnMoeTokenPermuteGrad", grad, places, K, False, grad_self)
    assert_near(grad_self, torch.zeros(TOKENS, H).index_add_(0, order // K, grad.float()))

    wanted, grad, (to_rows, to_weights) = gradients(
        lambda rows, w: (rows[places.long()].view(TOKENS, K, H) * w[..., None]).sum(1),
        [out.float(), weights.float()],
    )
    back = blank(self)
    call("aclnnMoeTokenUnpermute", out, places, weights, False, None, back)
    assert_near(back, wanted)
    grads = blank(out), blank(weights)
    call("aclnnMoeTokenUnpermuteGrad", out, grad, places, weights, False, None, *grads)
    assert_near(grads[0], to_rows)
    assert_near(grads[1], to_weights)


def test_grouped_matmul() -> None:
    self, weight, counts = torch.randn(10, 4), torch.randn(3, 4, 6), torch.tensor([4, 0, 6])
    ends = counts.cumsum(0)
    wanted = torch.cat((self[:4] @ weight[0], self[4:] @ weight[2]))
    nothing: list[None] = [None] * 7
    for groups, kind in ((ends, 0), (counts, 1), (torch.tensor([[0, 4], [2, 6]]), 2)):
        out = torch.empty(10, 6)
        call(
            "aclnnGroupedMatmulV4",
            [self],
            [weight],
            *nothing[:6],
            groups,
            *nothing[:3],
            3,
            0,
            kind,
            0,
            [out],
            [],
            [],
        )
        assert_near(out, wanted)
    activated = torch.empty(10, 6)
    arguments = ([self], [weight], *nothing[:6], ends, *nothing[:3], 3, 0, 0, 5, None)
    call("aclnnGroupedMatmulV5", *arguments, [activated], [], [])
    assert_near(activated, F.silu(wanted))
    outs = [torch.empty(4, 6), torch.empty(6, 6)]
    call("aclnnGroupedMatmul", [self[:4], self[4:]], [weight[0], weight[2]], *nothing[:5], None, 0, outs)
    assert_near(torch.cat(outs), wanted)
    other, total = torch.randn(10, 6), torch.ones(3, 4, 6)
    call("aclnnGroupedMatmulAdd", self, other, ends, total, True, False, 2)
    assert_near(total, 1 + torch.stack((self[:4].T @ other[:4], torch.zeros(4, 6), self[4:].T @ other[4:])))
