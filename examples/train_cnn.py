"""Trains a small convolutional network on pictures of strokes, with the parts a CUDA program has: pinned memory,
a loader with workers, mixed precision with a gradient scaler, channels-last weights, a falling learning rate.

    python train_cnn.py --steps 60
"""

import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Strokes(Dataset):
    """Pictures of 16×16 with one noisy stroke; the class is its direction, one of four."""

    def __init__(self, count, seed):
        self.count, self.seed = count, seed

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        random = torch.Generator().manual_seed(self.seed * 1_000_003 + index)
        kind = index % 4
        shift = int(torch.randint(-4, 5, (1,), generator=random))
        row, column = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
        distance = (row - 8, column - 8, row - column, row + column - 15)[kind] - shift
        picture = (distance.abs() <= 1).float() + 0.3 * torch.randn(16, 16, generator=random)
        return picture.unsqueeze(0), kind


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
        self.norm, self.drop = nn.BatchNorm2d(16), nn.Dropout(0.1)
        self.head = nn.Linear(16 * 4 * 4, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.norm(self.conv2(x))), 2)
        return self.head(self.drop(torch.flatten(x, 1)))


@torch.no_grad()
def accuracy(model, loader, device):
    model.eval()
    right = sum((model(x.to(device)).argmax(1) == y.to(device)).sum().item() for x, y in loader)
    model.train()
    return right / len(loader.dataset)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--workers", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(1)
    torch.backends.cudnn.benchmark = True
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    how = {"num_workers": args.workers, "pin_memory": True, "persistent_workers": args.workers > 0}
    train = DataLoader(Strokes(args.steps * args.batch, 1), args.batch, shuffle=True, drop_last=True, **how)
    test = DataLoader(Strokes(64, 2), 64, **how)

    model = Net().to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=20, gamma=0.7)
    scaler = torch.amp.GradScaler(device.type)
    for step, (x, y) in enumerate(train):
        x = x.to(device, non_blocking=True, memory_format=torch.channels_last)
        y = y.to(device, non_blocking=True)
        with torch.autocast(device.type, dtype=torch.float16 if device.type == "cuda" else torch.bfloat16):
            loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        schedule.step()
        if step % 10 == 0 or step == args.steps - 1:
            print(f"step {step:4d}  loss {loss.item():.4f}  lr {schedule.get_last_lr()[0]:.5f}", flush=True)
    print(f"accuracy {accuracy(model, test, device):.3f} on {device}")


if __name__ == "__main__":
    main()
