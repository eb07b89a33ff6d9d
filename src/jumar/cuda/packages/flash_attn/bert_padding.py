"""Taking the padding out of a batch and putting it back."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def index_first_axis(tensor: Tensor, indices: Tensor) -> Tensor:
    return tensor.index_select(0, indices.reshape(-1)).view(*indices.shape, *tensor.shape[1:])


def index_put_first_axis(values: Tensor, indices: Tensor, first_axis_dim: int) -> Tensor:
    out = values.new_zeros((first_axis_dim, *values.shape[1:]))
    return out.index_copy(0, indices, values)


def index_first_axis_residual(tensor: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    return index_first_axis(tensor, indices), tensor.detach()


def _bounds(lengths: Tensor) -> Tensor:
    return F.pad(torch.cumsum(lengths, 0, dtype=torch.int32), (1, 0))


def unpad_input(
    hidden_states: Tensor, attention_mask: Tensor, unused_mask: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor, int, Tensor]:
    """(tokens, …), their places, cumulative lengths (batch + 1,), the longest, and the lengths without the unused."""
    everything = attention_mask if unused_mask is None else attention_mask + unused_mask
    lengths = everything.sum(-1, dtype=torch.int32)
    used = attention_mask.sum(-1, dtype=torch.int32)
    indices = torch.nonzero(everything.flatten(), as_tuple=False).flatten()
    flat = hidden_states.flatten(0, 1)
    return index_first_axis(flat, indices), indices, _bounds(lengths), int(lengths.max().item()), used


def unpad_input_for_concatenated_sequences(
    hidden_states: Tensor, attention_mask_in_length: Tensor
) -> tuple[Tensor, Tensor, Tensor, int]:
    """As `unpad_input`, each row holding several sequences whose lengths stand in the mask's row."""
    total = attention_mask_in_length.sum(-1)
    room = hidden_states.shape[1]
    taken = torch.arange(room, device=total.device)[None] < total[:, None]
    indices = torch.nonzero(taken.flatten(), as_tuple=False).flatten()
    lengths = attention_mask_in_length.flatten()
    lengths = lengths[torch.nonzero(lengths, as_tuple=False).flatten()]
    flat = hidden_states.flatten(0, 1)
    return index_first_axis(flat, indices), indices, _bounds(lengths), int(lengths.max().item())


def pad_input(hidden_states: Tensor, indices: Tensor, batch: int, seqlen: int) -> Tensor:
    return torch.unflatten(index_put_first_axis(hidden_states, indices, batch * seqlen), 0, (batch, seqlen))
