"""Programs to begin with: training and serving of well-known models in plain CUDA PyTorch, for `jumar run --example`.

Models that are too big for one chip run as one rank of a layout that is stated here; the other ranks are imagined.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """A program of the shelf: `module` beside this file has `main(name, words)`; `ranks` 1: one chip, nobody else."""

    name: str
    module: str
    about: str
    ranks: int = 1


EXAMPLES = {
    one.name: one
    for one in (
        Example("gpt2", "models", "pre-training in the sizes of GPT-2 124M, 8 × 1024 tokens"),
        Example("llama-2-7b", "models", "pre-training step, ZeRO over 8 ranks, 4096 tokens a sequence", 8),
        Example("llama-2-13b", "models", "pre-training step, tensor 8, 4096 tokens a sequence", 8),
        Example(
            "llama-2-70b", "models", "pre-training step, tensor 8 × pipeline 4 × data 2, 16 micro-batches", 64
        ),
        Example(
            "mixtral-8x7b", "models", "pre-training step, experts over 8 × pipeline 4, 8 micro-batches", 32
        ),
        Example("bert-large", "bert", "masked language modelling, 32 × 512 tokens"),
        Example("vit-b16", "vit", "image classification, 256 images of 224 × 224"),
        Example(
            "unet", "unet", "diffusion: denoising step of Stable Diffusion 1.5's UNet, 4 latents of 64 × 64"
        ),
        Example("dlrm", "dlrm", "recommendation: 26 embedding tables of Criteo's sizes, 2048 samples"),
        Example("prefill-7b", "serving", "Llama-2-7B takes in 8 prompts of 1024 tokens"),
        Example("decode-7b", "serving", "Llama-2-7B writes for 32 requests with 2048 tokens in the cache"),
        Example(
            "decode-70b",
            "serving",
            "Llama-2-70B writes for 32 requests, tensor 8, 2048 tokens in the cache",
            8,
        ),
    )
}
