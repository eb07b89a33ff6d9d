"""Trains a small generative adversarial network: two networks, two optimizers, transposed convolutions.

    python dcgan.py --steps 30
"""

import argparse

import torch
import torch.nn as nn

NOISE, WIDTH = 16, 8
REAL, FAKE = 1.0, 0.0


def pictures(count, device):
    """Discs of 16×16 in random places, values from -1 to 1."""
    row, column = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    centre = torch.randint(4, 12, (2, count, 1, 1)).float()
    inside = ((row - centre[0]) ** 2 + (column - centre[1]) ** 2 < 12).float()
    return (inside * 2 - 1).unsqueeze(1).to(device)


def initialise(module):
    name = module.__class__.__name__
    if "Conv" in name:
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif "BatchNorm" in name:
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def up(inside, outside, stride, padding):
    convolution = nn.ConvTranspose2d(inside, outside, 4, stride, padding, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outside), nn.ReLU(True))


def generator():
    last = nn.ConvTranspose2d(WIDTH, 1, 4, 2, 1, bias=False)
    return nn.Sequential(up(NOISE, 2 * WIDTH, 1, 0), up(2 * WIDTH, WIDTH, 2, 1), last, nn.Tanh())


def discriminator():
    return nn.Sequential(
        nn.Conv2d(1, WIDTH, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(WIDTH, 2 * WIDTH, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * WIDTH), nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(2 * WIDTH, 1, 4, 1, 0, bias=False), nn.Sigmoid(), nn.Flatten(0),
    )  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--batch", type=int, default=16)
    args = parser.parse_args()

    torch.manual_seed(4)
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    net_g, net_d = generator().apply(initialise).to(device), discriminator().apply(initialise).to(device)
    criterion = nn.BCELoss()
    steps_d = torch.optim.Adam(net_d.parameters(), lr=2e-3, betas=(0.5, 0.999))
    steps_g = torch.optim.Adam(net_g.parameters(), lr=2e-3, betas=(0.5, 0.999))

    for step in range(args.steps):
        real = pictures(args.batch, device)
        label = torch.full((args.batch,), REAL, device=device)
        net_d.zero_grad()
        loss_real = criterion(net_d(real), label)
        loss_real.backward()
        fake = net_g(torch.randn(args.batch, NOISE, 1, 1, device=device))
        loss_fake = criterion(net_d(fake.detach()), label.fill_(FAKE))
        loss_fake.backward()
        steps_d.step()

        net_g.zero_grad()
        loss_g = criterion(net_d(fake), label.fill_(REAL))
        loss_g.backward()
        steps_g.step()
        if step % 10 == 0 or step == args.steps - 1:
            loss_d = (loss_real + loss_fake).item()
            print(f"step {step:4d}  loss {loss_d:.4f}  generator {loss_g.item():.4f}", flush=True)
    print("made", tuple(fake.shape), "on", fake.device)


if __name__ == "__main__":
    main()
