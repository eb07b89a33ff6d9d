"""BERT-large, masked language modelling: bf16 autocast, AdamW."""

from __future__ import annotations

import argparse

import torch
from torch import nn
from torch.nn import functional

from jumar.shelf.encoder import Layer
from jumar.shelf.telling import handles

HIDDEN, HEADS, LAYERS, WORDS, LONGEST = 1024, 16, 24, 30522, 512
MASKED = 0.15
IGNORED = -100


class Bert(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, HIDDEN, device="cuda")
        self.positions = nn.Embedding(LONGEST, HIDDEN, device="cuda")
        self.norm = nn.LayerNorm(HIDDEN, device="cuda")
        self.layers = nn.ModuleList(Layer(HIDDEN, HEADS, first=False, dropout=0.1) for _ in range(LAYERS))
        self.transform = nn.Linear(HIDDEN, HIDDEN, device="cuda")
        self.head = nn.Linear(HIDDEN, WORDS, device="cuda")

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.words(tokens) + self.positions(torch.arange(tokens.shape[1], device="cuda"))
        x = self.norm(x)
        for layer in self.layers:
            x = layer(x)
        logits: torch.Tensor = self.head(functional.gelu(self.transform(x)))
        return logits


def main(name: str, words: list[str]) -> None:
    parser = argparse.ArgumentParser(prog=f"jumar run --example {name} --")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--sequence", type=int, default=512)
    parser.add_argument("--steps", type=int, default=3)
    chosen = parser.parse_args(words)
    handles(chosen.batch * chosen.sequence, "tokens")
    model = Bert()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    for _ in range(chosen.steps):
        tokens = torch.randint(0, WORDS, (chosen.batch, chosen.sequence))
        labels = tokens.masked_fill(torch.rand(tokens.shape) > MASKED, IGNORED).cuda(non_blocking=True)
        with torch.autocast("cuda", dtype=torch.bfloat16):
            logits = model(tokens.cuda(non_blocking=True))
            loss = functional.cross_entropy(
                logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORED
            )
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    torch.cuda.synchronize()
