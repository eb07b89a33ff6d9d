"""ViT-B/16, image classification: bf16 autocast, AdamW."""

from __future__ import annotations

import argparse

import torch
from torch import nn
from torch.nn import functional

from jumar.shelf.encoder import Layer
from jumar.shelf.telling import handles

HIDDEN, HEADS, LAYERS, PATCH, CLASSES = 768, 12, 12, 16, 1000


class Vit(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, HIDDEN, PATCH, PATCH, device="cuda")
        self.summary = nn.Parameter(torch.zeros(1, 1, HIDDEN, device="cuda"))
        self.positions = nn.Parameter(torch.zeros(1, (size // PATCH) ** 2 + 1, HIDDEN, device="cuda"))
        self.layers = nn.ModuleList(Layer(HIDDEN, HEADS, first=True) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(HIDDEN, device="cuda")
        self.head = nn.Linear(HIDDEN, CLASSES, device="cuda")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat((self.summary.expand(len(x), -1, -1), x), dim=1) + self.positions
        for layer in self.layers:
            x = layer(x)
        logits: torch.Tensor = self.head(self.norm(x)[:, 0])
        return logits


def main(name: str, words: list[str]) -> None:
    parser = argparse.ArgumentParser(prog=f"jumar run --example {name} --")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--size", type=int, default=224, help="of an image, in pixels")
    parser.add_argument("--steps", type=int, default=3)
    chosen = parser.parse_args(words)
    handles(chosen.batch, "images")
    model = Vit(chosen.size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(chosen.steps):
        images = torch.zeros(chosen.batch, 3, chosen.size, chosen.size, dtype=torch.bfloat16).cuda(
            non_blocking=True
        )
        labels = torch.randint(0, CLASSES, (chosen.batch,)).cuda(non_blocking=True)
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = functional.cross_entropy(model(images).float(), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    torch.cuda.synchronize()
