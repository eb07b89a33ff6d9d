"""Trains a denoising diffusion model with diffusers: a small UNet learns to predict noise, then draws.

    python diffusion_train.py --steps 10
"""

import argparse

import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel
from diffusers.optimization import get_cosine_schedule_with_warmup
from diffusers.training_utils import EMAModel


def pictures(count):
    """Squares of 16×16 in random places, values from -1 to 1."""
    images = -torch.ones(count, 1, 16, 16)
    for image, (row, column) in zip(images, torch.randint(2, 8, (count, 2)).tolist(), strict=True):
        image[:, row : row + 6, column : column + 6] = 1.0
    return images


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--draw", type=int, default=3, help="denoising steps of the picture at the end")
    args = parser.parse_args()

    torch.manual_seed(0)
    device = torch.device("cuda")
    model = UNet2DModel(
        sample_size=16, in_channels=1, out_channels=1, layers_per_block=1, block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4, attention_head_dim=4,
    ).to(device)  # fmt: skip
    schedule = DDPMScheduler(num_train_timesteps=100)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    rate = get_cosine_schedule_with_warmup(optimizer, 2, args.steps)
    average = EMAModel(model.parameters(), decay=0.95)
    average.to(device)

    for step in range(args.steps):
        clean = pictures(args.batch).to(device)
        noise = torch.randn_like(clean)
        times = torch.randint(0, schedule.config.num_train_timesteps, (args.batch,), device=device)
        with torch.autocast("cuda", dtype=torch.bfloat16):
            predicted = model(schedule.add_noise(clean, noise, times), times).sample
        loss = F.mse_loss(predicted.float(), noise)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rate.step()
        optimizer.zero_grad()
        average.step(model.parameters())
        if step % 5 == 0 or step == args.steps - 1:
            print(f"step {step:4d}  loss {loss.item():.4f}", flush=True)

    average.copy_to(model.parameters())
    pipeline = DDPMPipeline(unet=model.eval(), scheduler=DDIMScheduler.from_config(schedule.config)).to("cuda")
    pipeline.set_progress_bar_config(disable=True)
    random = torch.Generator(device="cuda").manual_seed(1)
    drawn = pipeline(batch_size=2, generator=random, num_inference_steps=args.draw, output_type="np").images
    print("drew", drawn.shape, "on", pipeline.device)


if __name__ == "__main__":
    main()
