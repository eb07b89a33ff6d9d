"""Serving of Llama-2: prompts taken in at once, or one token written for each of many requests, with a cache."""

from __future__ import annotations

import argparse
import os

import torch

from jumar.shelf.decoder import SHAPES, TYPE, Decoder
from jumar.shelf.groups import grid
from jumar.shelf.telling import handles

MODELS = {"prefill-7b": "llama-2-7b", "decode-7b": "llama-2-7b", "decode-70b": "llama-2-70b"}


@torch.inference_mode()
def main(name: str, words: list[str]) -> None:
    decode = name.startswith("decode")
    parser = argparse.ArgumentParser(prog=f"jumar run --example {name} --")
    parser.add_argument("--batch", type=int, default=32 if decode else 8, help="requests at once")
    parser.add_argument(
        "--context", type=int, default=2048 if decode else 0, help="tokens in the cache before"
    )
    parser.add_argument("--prompt", type=int, default=1 if decode else 1024, help="tokens taken in at once")
    parser.add_argument("--passes", type=int, default=4)
    chosen = parser.parse_args(words)
    shape = SHAPES[MODELS[name]]
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    place = grid(tensor=ranks)
    longest = chosen.context + chosen.prompt * (chosen.passes if decode else 1)
    handles(chosen.batch * chosen.prompt, "tokens")
    model = Decoder(shape, place, longest)
    heads = max(1, shape.kv_heads // ranks)
    caches = [
        torch.zeros(2, chosen.batch, heads, longest, shape.width, dtype=TYPE, device="cuda")
        for _ in range(shape.layers)
    ]
    past = chosen.context
    for _ in range(chosen.passes):
        tokens = torch.randint(0, shape.vocabulary, (chosen.batch, chosen.prompt)).cuda(non_blocking=True)
        logits = model(tokens, caches, past)
        logits[:, -1].argmax(dim=-1).cpu()
        past += chosen.prompt if decode else 0
