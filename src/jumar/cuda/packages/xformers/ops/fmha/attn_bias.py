"""The kinds of bias: what each hides, as a dense tensor too (`materialize`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor

from jumar.cuda.attention import How


class AttentionBias:
    """What is added to the scores."""

    HOLDS_DENSE_TENSOR = False

    def how(self, how: How, query: Tensor, key: Tensor) -> How:
        """Attention with this bias; by default with the dense one."""
        shape = (query.shape[0], query.shape[2], query.shape[1], key.shape[1])
        return replace(how, bias=self.materialize(shape, torch.float32, query.device))

    def materialize(
        self, shape: Sequence[int], dtype: torch.dtype = torch.float32, device: Any = "cpu"
    ) -> Tensor:
        raise NotImplementedError


def _distance(shape: Sequence[int], device: Any, from_end: bool) -> Tensor:
    """Of each key from the diagonal of each query: positive to the right."""
    queries, keys = shape[-2:]
    shift = keys - queries if from_end else 0
    return torch.arange(keys, device=device) - (torch.arange(queries, device=device) + shift)[:, None]


def _hiding(hidden: Tensor, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    return torch.zeros(tuple(shape), dtype=dtype, device=hidden.device).masked_fill(hidden, -torch.inf)


@dataclass
class LocalAttentionFromBottomRightMask(AttentionBias):
    """So many keys to the left and right of the diagonal that ends at the last query and key."""

    window_left: int
    window_right: int

    def how(self, how: How, query: Tensor, key: Tensor) -> How:
        return replace(how, window=(self.window_left, self.window_right))

    def materialize(
        self, shape: Sequence[int], dtype: torch.dtype = torch.float32, device: Any = "cpu"
    ) -> Tensor:
        distance = _distance(shape, device, from_end=True)
        return _hiding((distance < -self.window_left) | (distance > self.window_right), shape, dtype)


class LowerTriangularFromBottomRightMask(AttentionBias):
    """No key after the query, the last query standing at the last key."""

    from_end = True

    def how(self, how: How, query: Tensor, key: Tensor) -> How:
        if self.from_end or query.shape[1] == key.shape[1]:
            return replace(how, causal=True)
        return super().how(how, query, key)

    def materialize(
        self, shape: Sequence[int], dtype: torch.dtype = torch.float32, device: Any = "cpu"
    ) -> Tensor:
        return _hiding(_distance(shape, device, self.from_end) > 0, shape, dtype)

    def make_local_attention(self, window_size: int) -> LowerTriangularFromBottomRightLocalAttentionMask:
        return LowerTriangularFromBottomRightLocalAttentionMask(window_size)


class LowerTriangularMask(LowerTriangularFromBottomRightMask):
    """No key after the query, the first query standing at the first key."""

    from_end = False

    def add_bias(self, bias: Tensor) -> LowerTriangularMaskWithTensorBias:
        return LowerTriangularMaskWithTensorBias(bias)


@dataclass
class LowerTriangularFromBottomRightLocalAttentionMask(LowerTriangularFromBottomRightMask):
    window_size: int

    def how(self, how: How, query: Tensor, key: Tensor) -> How:
        return replace(how, causal=True, window=(self.window_size - 1, 0))

    def materialize(
        self, shape: Sequence[int], dtype: torch.dtype = torch.float32, device: Any = "cpu"
    ) -> Tensor:
        distance = _distance(shape, device, from_end=True)
        return _hiding((distance > 0) | (distance <= -self.window_size), shape, dtype)


@dataclass
class LowerTriangularMaskWithTensorBias(LowerTriangularMask):
    """Causal, with a tensor that is added to the scores."""

    bias: Tensor

    HOLDS_DENSE_TENSOR = True

    def how(self, how: How, query: Tensor, key: Tensor) -> How:
        return AttentionBias.how(self, how, query, key)

    def materialize(
        self, shape: Sequence[int], dtype: torch.dtype = torch.float32, device: Any = "cpu"
    ) -> Tensor:
        return super().materialize(shape, dtype, device) + self.bias.to(device)


@dataclass
class _SeqLenInfo:
    """Where sequences begin in a batch of one: `seqstart` (count + 1,) with the first 0."""

    seqstart: Tensor
    max_seqlen: int
    min_seqlen: int
    seqstart_py: list[int]

    @classmethod
    def from_seqlens(cls, seqlens: Iterable[int]) -> _SeqLenInfo:
        lengths = list(seqlens)
        starts = [0, *accumulate(lengths)]
        return cls(
            torch.tensor(starts, dtype=torch.int32), max(lengths, default=0), min(lengths, default=0), starts
        )

    def intervals(self) -> Iterable[tuple[int, int]]:
        return pairwise(self.seqstart_py)

    def split(self, x: Tensor, batch_sizes: Sequence[int] | None = None) -> list[Tensor]:
        if batch_sizes is None:
            return [x[:, start:end] for start, end in self.intervals()]
        bounds, found, at = list(self.intervals()), [], 0
        for count in batch_sizes:
            start, end = bounds[at][0], bounds[at + count - 1][1]
            found.append(torch.unflatten(x[0, start:end], 0, (count, -1)))
            at += count
        return found


@dataclass
class _PaddedSeqLenInfo(_SeqLenInfo):
    """Each sequence has `padding` places, of which the first `seqlen` are taken."""

    seqlen: Tensor
    seqlen_py: list[int]
    padding: int

    @classmethod
    def from_seqlens_padded(cls, seqlens: Sequence[int], padding: int) -> _PaddedSeqLenInfo:
        lengths = list(seqlens)
        starts = list(range(0, len(lengths) * padding + 1, padding))
        seqlen = torch.tensor(lengths, dtype=torch.int32)
        return cls(
            torch.tensor(starts, dtype=torch.int32),
            max(lengths),
            min(lengths),
            starts,
            seqlen,
            lengths,
            padding,
        )


@dataclass
class Blocks(AttentionBias):
    """Each sequence sees itself alone. `causal` and `window` count from its last query and key."""

    q_seqinfo: Any
    k_seqinfo: Any
    _batch_sizes: Sequence[int] | None = field(default=None)

    causal = False
    top_left = False
    window = (-1, -1)

    def ends(self) -> tuple[list[int], list[int]]:
        lengths = getattr(self.k_seqinfo, "seqlen_py", None)
        return self.q_seqinfo.seqstart_py[1:], list(
            accumulate(lengths)
        ) if lengths else self.k_seqinfo.seqstart_py[1:]

    def taken(self, keys: Tensor) -> Tensor:
        """The keys without the places that are not taken."""
        lengths = getattr(self.k_seqinfo, "seqlen_py", None)
        if lengths is None:
            return keys
        starts = self.k_seqinfo.seqstart_py
        return torch.cat(
            [keys[start : start + length] for start, length in zip(starts, lengths, strict=False)]
        )

    def split(self, tensor: Tensor) -> list[Tensor]:
        """Back to one tensor for each that `from_tensor_list` was given."""
        return self.q_seqinfo.split(tensor, self._batch_sizes)  # type: ignore[no-any-return]

    split_queries = split

    def split_kv(self, tensor: Tensor) -> list[Tensor]:
        return self.k_seqinfo.split(tensor, self._batch_sizes)  # type: ignore[no-any-return]

    def materialize(
        self, shape: Sequence[int], dtype: torch.dtype = torch.float32, device: Any = "cpu"
    ) -> Tensor:
        mask = torch.full(tuple(shape[-2:]), -torch.inf, dtype=dtype, device=device)
        lengths = getattr(self.k_seqinfo, "seqlen_py", None)
        for at, ((q0, q1), (k0, k1)) in enumerate(
            zip(self.q_seqinfo.intervals(), self.k_seqinfo.intervals(), strict=True)
        ):
            k1 = k0 + lengths[at] if lengths else k1
            distance = _distance((q1 - q0, k1 - k0), device, from_end=not self.top_left)
            hidden = (distance > 0) if self.causal else torch.zeros_like(distance, dtype=torch.bool)
            if self.window[0] >= 0:
                hidden = hidden | (distance < -self.window[0])
            mask[q0:q1, k0:k1] = _hiding(hidden, hidden.shape, dtype)
        return mask.expand(tuple(shape))


@dataclass
class BlockDiagonalMask(Blocks):
    @classmethod
    def from_seqlens(
        cls, q_seqlen: Sequence[int], kv_seqlen: Sequence[int] | None = None, *, device: Any = None
    ) -> Any:
        assert kv_seqlen is None or len(q_seqlen) == len(kv_seqlen)
        q_info = _SeqLenInfo.from_seqlens(q_seqlen)
        same = kv_seqlen is None or list(q_seqlen) == list(kv_seqlen)
        return cls(q_info, q_info if same or kv_seqlen is None else _SeqLenInfo.from_seqlens(kv_seqlen))

    @classmethod
    def from_tensor_list(cls, tensors: Sequence[Tensor]) -> tuple[Any, Tensor]:
        """The bias, and the tensors (batch, sequence, …) one after the other in a batch of one."""
        sizes = [one.shape[0] for one in tensors]
        bias = cls.from_seqlens([one.shape[1] for one in tensors for _ in range(one.shape[0])])
        bias._batch_sizes = sizes
        return bias, torch.cat([one.reshape(1, -1, *one.shape[2:]) for one in tensors], dim=1)

    @classmethod
    def from_tensor_lists_qkv(
        cls,
        tensors_q: Sequence[Tensor],
        tensors_k: Sequence[Tensor],
        tensors_v: Sequence[Tensor] | None = None,
    ) -> tuple[Any, Tensor, Tensor, Tensor | None]:
        bias, query = cls.from_tensor_list(tensors_q)
        keys, key = cls.from_tensor_list(tensors_k)
        bias.k_seqinfo = keys.q_seqinfo
        return bias, query, key, None if tensors_v is None else cls.from_tensor_list(tensors_v)[1]

    def make_causal(self) -> BlockDiagonalCausalMask:
        return BlockDiagonalCausalMask(self.q_seqinfo, self.k_seqinfo, self._batch_sizes)

    def make_causal_from_bottomright(self) -> BlockDiagonalCausalFromBottomRightMask:
        return BlockDiagonalCausalFromBottomRightMask(self.q_seqinfo, self.k_seqinfo, self._batch_sizes)

    def make_local_attention(self, window_size: int) -> BlockDiagonalCausalLocalAttentionMask:
        return BlockDiagonalCausalLocalAttentionMask(
            self.q_seqinfo, self.k_seqinfo, self._batch_sizes, window_size
        )


@dataclass
class BlockDiagonalCausalMask(BlockDiagonalMask):
    causal = True
    top_left = True


@dataclass
class BlockDiagonalCausalFromBottomRightMask(BlockDiagonalMask):
    causal = True


@dataclass
class BlockDiagonalCausalLocalAttentionMask(BlockDiagonalCausalMask):
    window_size: int = 0

    @property
    def window(self) -> tuple[int, int]:  # type: ignore[override]
        return (self.window_size - 1, 0)


@dataclass
class BlockDiagonalPaddedKeysMask(Blocks):
    """Keys with places for more: those beyond a sequence's length are not seen."""

    @classmethod
    def from_seqlens(
        cls, q_seqlen: Sequence[int], kv_padding: int, kv_seqlen: Any, causal_diagonal: Any = None
    ) -> Any:
        lengths = kv_seqlen.tolist() if isinstance(kv_seqlen, Tensor) else list(kv_seqlen)
        return cls(
            _SeqLenInfo.from_seqlens(q_seqlen), _PaddedSeqLenInfo.from_seqlens_padded(lengths, kv_padding)
        )


@dataclass
class BlockDiagonalCausalWithOffsetPaddedKeysMask(BlockDiagonalPaddedKeysMask):
    causal = True
