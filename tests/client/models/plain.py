"""A recommender (DLRM) and recurrent language models in plain PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import Batch, Case, tokens

TABLES = (50, 30, 70)


class Recommender(nn.Module):
    """DLRM (Naumov et al. 2019): embedding bags and a dense network, interacting by dot products."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.bags = nn.ModuleList(nn.EmbeddingBag(rows, width, mode="sum") for rows in TABLES)
        self.bottom = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, width), nn.ReLU())
        pairs = (len(TABLES) + 1) * len(TABLES) // 2
        self.top = nn.Sequential(nn.Linear(width + pairs, 16), nn.ReLU(), nn.Linear(16, 1))
        rows, columns = torch.tril_indices(len(TABLES) + 1, len(TABLES) + 1, -1)
        self.register_buffer("rows", rows)
        self.register_buffer("columns", columns)

    def forward(self, dense: Tensor, ids: list[Tensor], offsets: Tensor) -> Tensor:
        bottom = self.bottom(dense)
        features = [bottom, *(bag(index, offsets) for bag, index in zip(self.bags, ids, strict=True))]
        stacked = torch.stack(features, 1)
        products = torch.bmm(stacked, stacked.transpose(1, 2))[:, self.rows, self.columns]
        return self.top(torch.cat([bottom, products], 1)).squeeze(1)


class RecurrentLanguageModel(nn.Module):
    def __init__(self, kind: type[nn.LSTM] | type[nn.GRU], vocabulary: int = 60, width: int = 24) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.recurrent = kind(width, width, num_layers=2, batch_first=True)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.recurrent(self.embedding(ids))[0])


def clicks() -> Batch:
    batch = {f"ids{table}": torch.randint(0, rows, (20,)) for table, rows in enumerate(TABLES)}
    offsets = torch.tensor([0, 2, 5, 9, 9, 12, 15, 18])
    return {
        **batch,
        "offsets": offsets,
        "dense": torch.randn(8, 13),
        "clicked": torch.randint(0, 2, (8,)).float(),
    }


def click_loss(model: nn.Module, batch: Batch) -> Tensor:
    ids = [batch[f"ids{table}"] for table in range(len(TABLES))]
    score = model(batch["dense"], ids, batch["offsets"])
    return nn.functional.binary_cross_entropy_with_logits(score, batch["clicked"])


def next_token_loss(model: nn.Module, batch: Batch) -> Tensor:
    scores = model(batch["ids"][:, :-1])
    return nn.functional.cross_entropy(scores.flatten(0, 1), batch["ids"][:, 1:].flatten())


CASES = [
    Case("dlrm", Recommender, clicks, click_loss),
    Case(
        "lstm", lambda: RecurrentLanguageModel(nn.LSTM), lambda: {"ids": tokens(60, 4, 12)}, next_token_loss
    ),
    Case("gru", lambda: RecurrentLanguageModel(nn.GRU), lambda: {"ids": tokens(60, 4, 12)}, next_token_loss),
]
