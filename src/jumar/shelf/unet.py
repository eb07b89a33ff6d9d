"""A denoising UNet in the sizes of Stable Diffusion 1.5: residual blocks, and transformers that look at a text."""

from __future__ import annotations

import argparse

import torch
from torch import nn
from torch.nn import functional

from jumar.shelf.telling import handles

WIDTHS = (320, 640, 1280, 1280)
HEADS, GROUPS, TEXT_TOKENS, TEXT_WIDTH, TIME_WIDTH = 8, 32, 77, 768, 1280
LATENT = 4  # channels


class Residual(nn.Module):
    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.GroupNorm(GROUPS, width, device="cuda") for width in (inside, outside))
        self.first = nn.Conv2d(inside, outside, 3, padding=1, device="cuda")
        self.second = nn.Conv2d(outside, outside, 3, padding=1, device="cuda")
        self.time = nn.Linear(TIME_WIDTH, outside, device="cuda")
        same = inside == outside
        self.beside: nn.Module = nn.Identity() if same else nn.Conv2d(inside, outside, 1, device="cuda")

    def forward(self, x: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        inner = self.first(functional.silu(self.norms[0](x)))
        inner = inner + self.time(functional.silu(time))[:, :, None, None]
        result: torch.Tensor = self.beside(x) + self.second(functional.silu(self.norms[1](inner)))
        return result


class Attention(nn.Module):
    def __init__(self, width: int, other: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width, bias=False, device="cuda")
        self.key_value = nn.Linear(other, 2 * width, bias=False, device="cuda")
        self.out = nn.Linear(width, width, device="cuda")

    def forward(self, x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        query = self.query(x).view(batch, length, HEADS, -1).transpose(1, 2)
        key, value = self.key_value(other).view(batch, other.shape[1], 2, HEADS, -1).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        out: torch.Tensor = self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return out


class Transformer(nn.Module):
    """Attention over the picture, attention to the text, a gated block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, width, device="cuda")
        self.norms = nn.ModuleList(nn.LayerNorm(width, device="cuda") for _ in range(3))
        self.inside, self.outside = (nn.Conv2d(width, width, 1, device="cuda") for _ in range(2))
        self.own, self.text = Attention(width, width), Attention(width, TEXT_WIDTH)
        self.up = nn.Linear(width, 8 * width, device="cuda")
        self.down = nn.Linear(4 * width, width, device="cuda")

    def forward(self, image: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        batch, width, rows, columns = image.shape
        x = self.inside(self.norm(image)).flatten(2).transpose(1, 2)
        normal = self.norms[0](x)
        x = x + self.own(normal, normal)
        x = x + self.text(self.norms[1](x), text)
        gate, inner = self.up(self.norms[2](x)).chunk(2, dim=-1)
        x = x + self.down(functional.gelu(gate) * inner)
        result: torch.Tensor = image + self.outside(x.transpose(1, 2).reshape(batch, width, rows, columns))
        return result


class Stage(nn.Module):
    """Residual blocks of one resolution, with transformers behind them except at the smallest."""

    def __init__(self, inside: list[int], outside: int, attends: bool) -> None:
        super().__init__()
        self.residuals = nn.ModuleList(Residual(width, outside) for width in inside)
        self.transformers = nn.ModuleList(Transformer(outside) for _ in inside if attends)

    def one(self, number: int, x: torch.Tensor, time: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        x = self.residuals[number](x, time)
        return self.transformers[number](x, text) if len(self.transformers) else x


class Unet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Sequential(
            nn.Linear(WIDTHS[0], TIME_WIDTH, device="cuda"),
            nn.SiLU(),
            nn.Linear(TIME_WIDTH, TIME_WIDTH, device="cuda"),
        )
        self.begin = nn.Conv2d(LATENT, WIDTHS[0], 3, padding=1, device="cuda")
        last = len(WIDTHS) - 1
        before = (WIDTHS[0], *WIDTHS)
        self.down = nn.ModuleList(
            Stage([before[at], width], width, at < last) for at, width in enumerate(WIDTHS)
        )
        self.smaller = nn.ModuleList(
            nn.Conv2d(width, width, 3, stride=2, padding=1, device="cuda") for width in WIDTHS[:-1]
        )
        self.middle = nn.ModuleList(Residual(WIDTHS[-1], WIDTHS[-1]) for _ in range(2))
        self.between = Transformer(WIDTHS[-1])
        kept = [WIDTHS[0]]  # widths of what the way down keeps for the way up
        for at, width in enumerate(WIDTHS):
            kept += [width, width] + ([width] if at < last else [])
        stages, now = [], WIDTHS[-1]
        for at in reversed(range(len(WIDTHS))):
            inside = []
            for _ in range(3):
                inside.append(now + kept.pop())
                now = WIDTHS[at]
            stages.append(Stage(inside, WIDTHS[at], at < last))
        self.up = nn.ModuleList(stages)
        self.larger = nn.ModuleList(
            nn.Conv2d(width, width, 3, padding=1, device="cuda") for width in reversed(WIDTHS[1:])
        )
        self.norm = nn.GroupNorm(GROUPS, WIDTHS[0], device="cuda")
        self.end = nn.Conv2d(WIDTHS[0], LATENT, 3, padding=1, device="cuda")

    def forward(self, image: torch.Tensor, when: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        time = self.time(waves(when))
        x = self.begin(image)
        kept = [x]
        for at, stage in enumerate(self.down):
            for number in range(2):
                x = stage.one(number, x, time, text)  # type: ignore[operator]
                kept.append(x)
            if at < len(self.smaller):
                x = self.smaller[at](x)
                kept.append(x)
        x = self.middle[1](self.between(self.middle[0](x, time), text), time)
        for at, stage in enumerate(self.up):
            for number in range(3):
                x = stage.one(number, torch.cat((x, kept.pop()), dim=1), time, text)  # type: ignore[operator]
            if at < len(self.larger):
                x = self.larger[at](functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        result: torch.Tensor = self.end(functional.silu(self.norm(x)))
        return result


def waves(when: torch.Tensor) -> torch.Tensor:
    """A step of the diffusion as sines and cosines."""
    half = WIDTHS[0] // 2
    speeds = 10000 ** (-torch.arange(half, device=when.device) / half)
    angles = when[:, None].float() * speeds
    return torch.cat((angles.cos(), angles.sin()), dim=-1)


def main(name: str, words: list[str]) -> None:
    parser = argparse.ArgumentParser(prog=f"jumar run --example {name} --")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--size", type=int, default=64, help="of a latent; a picture is 8 times as wide")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--train", action="store_true", help="a training step instead of a denoising step")
    chosen = parser.parse_args(words)
    handles(chosen.batch, "images" if chosen.train else "latents")
    model = Unet()
    text = torch.zeros(chosen.batch, TEXT_TOKENS, TEXT_WIDTH, device="cuda")
    x = torch.zeros(chosen.batch, LATENT, chosen.size, chosen.size, device="cuda")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    for step in range(chosen.steps):
        when = torch.full((chosen.batch,), step, device="cuda")
        with torch.set_grad_enabled(chosen.train), torch.autocast("cuda", dtype=torch.bfloat16):
            noise = model(x, when, text)
        if chosen.train:
            functional.mse_loss(noise.float(), x).backward()
            optimizer.step()
            optimizer.zero_grad()
        else:
            x = x - 0.1 * noise.float()
    torch.cuda.synchronize()
