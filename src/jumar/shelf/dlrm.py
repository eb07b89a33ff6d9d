"""DLRM, recommendation: tables of the sizes of Criteo's Kaggle set, features crossed with each other, SGD."""

from __future__ import annotations

import argparse

import torch
from torch import nn
from torch.nn import functional

from jumar.shelf.telling import handles

# Distinct values of the 26 categorical features of the Kaggle display advertising challenge.
# fmt: off
ROWS = (
    1460, 583, 10131227, 2202608, 305, 24, 12517, 633, 3, 93145, 5683, 8351593, 3194,
    27, 14992, 5461306, 10, 5652, 2173, 4, 7046547, 18, 15, 286181, 105, 142572,
)
# fmt: on
DENSE, WIDTH = 13, 16
BELOW, ABOVE = (512, 256, 64, WIDTH), (512, 256, 1)


def layers(inside: int, widths: tuple[int, ...]) -> nn.Sequential:
    found: list[nn.Module] = []
    for width in widths:
        found += [nn.Linear(inside, width, device="cuda"), nn.ReLU()]
        inside = width
    return nn.Sequential(*found[:-1])


class Dlrm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(rows, WIDTH, device="cuda") for rows in ROWS)
        self.below = layers(DENSE, BELOW)
        many = len(ROWS) + 1
        self.above = layers(WIDTH + many * (many - 1) // 2, ABOVE)
        self.pairs = torch.tril_indices(many, many, -1, device="cuda")

    def forward(self, dense: torch.Tensor, categories: torch.Tensor) -> torch.Tensor:
        first = self.below(dense)
        looked_up = [table(categories[at]) for at, table in enumerate(self.tables)]
        rows = torch.stack([first, *looked_up], dim=1)
        crossed = torch.bmm(rows, rows.transpose(1, 2))[:, self.pairs[0], self.pairs[1]]
        result: torch.Tensor = self.above(torch.cat((first, crossed), dim=1))
        return result


def main(name: str, words: list[str]) -> None:
    parser = argparse.ArgumentParser(prog=f"jumar run --example {name} --")
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=3)
    chosen = parser.parse_args(words)
    handles(chosen.batch, "samples")
    model = Dlrm()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(chosen.steps):
        dense = torch.rand(chosen.batch, DENSE).cuda(non_blocking=True)
        categories = torch.stack([torch.randint(0, rows, (chosen.batch,)) for rows in ROWS]).cuda(
            non_blocking=True
        )
        clicked = torch.randint(0, 2, (chosen.batch, 1)).float().cuda(non_blocking=True)
        loss = functional.binary_cross_entropy_with_logits(model(dense, categories), clicked)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    torch.cuda.synchronize()
