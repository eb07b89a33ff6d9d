"""The denoiser and the autoencoder of a latent diffusion model, from diffusers, very small."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.models.activations import GEGLU

from . import Batch, Case


def unet() -> torch.nn.Module:
    return UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(16, 32),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=16, attention_head_dim=4, norm_num_groups=8,
    )  # fmt: skip


def vae() -> torch.nn.Module:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(16, 32), latent_channels=4, norm_num_groups=8, sample_size=16,
    )  # fmt: skip


def noisy_latents() -> Batch:
    return {
        "sample": torch.randn(2, 4, 8, 8),
        "timestep": torch.randint(0, 1000, (2,)),
        "encoder_hidden_states": torch.randn(2, 6, 16),
        "target": torch.randn(2, 4, 8, 8),
    }


def noise_loss(model: Any, batch: Batch) -> torch.Tensor:
    inputs = {name: value for name, value in batch.items() if name != "target"}
    return torch.nn.functional.mse_loss(model(**inputs).sample, batch["target"])


def reconstruction_loss(model: Any, batch: Batch) -> torch.Tensor:
    latent = model.encode(batch["image"]).latent_dist
    divergence = latent.kl().mean()
    image = model.decode(latent.mode()).sample
    return torch.nn.functional.mse_loss(image, batch["image"]) + 1e-3 * divergence


def geglu(self: GEGLU, hidden: torch.Tensor) -> torch.Tensor:
    """What the vendor's fused operator computes: gelu by tanh, where diffusers has the exact one on a CPU."""
    value, gate = self.proj(hidden).chunk(2, dim=-1)
    return value * torch.nn.functional.gelu(gate, approximate="tanh")


def without_fused_operators() -> AbstractContextManager[Any]:
    """Once torch_npu is installed, diffusers calls its fused operator on CPU tensors too, where it does not exist."""
    return mock.patch.object(GEGLU, "forward", geglu)


CASES = [
    Case("unet", unet, noisy_latents, noise_loss, on_cpu=without_fused_operators),
    Case("vae", vae, lambda: {"image": torch.randn(2, 3, 16, 16)}, reconstruction_loss),
]
