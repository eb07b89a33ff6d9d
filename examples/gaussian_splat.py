"""Draws 2-D Gaussians with a CUDA kernel of its own, built when the program starts.

    python gaussian_splat.py --count 64
"""

import argparse
from pathlib import Path

import torch
from torch.utils.cpp_extension import load

KERNEL = Path(__file__).parent / "csrc" / "splat.cu"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--side", type=int, default=32)
    args = parser.parse_args()

    extension = load(name="splat", sources=[str(KERNEL)], extra_cuda_cflags=["--use_fast_math"], verbose=False)
    torch.manual_seed(0)
    centre = torch.rand(args.count, 2, device="cuda") * args.side
    width = 1 + 2 * torch.rand(args.count, device="cuda")
    colour = torch.rand(args.count, device="cuda")
    picture = extension.splat(centre, width, colour, args.side)
    print("drew", tuple(picture.shape), "brightest", picture.max().item())


if __name__ == "__main__":
    main()
