"""Writes text with a model that train_gpt.py saved, or with untrained weights.

    python train_gpt.py --save gpt.pt && python sample_gpt.py --checkpoint gpt.pt --steps 200
"""

import argparse
from contextlib import nullcontext
from pathlib import Path

import torch
import torch.nn.functional as F
from train_gpt import GPT

LETTERS = "\n !',-.:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
UNTRAINED = {"context": 64, "width": 64, "heads": 2, "layers": 2, "dropout": 0.0}


@torch.no_grad()
def generate(model, tokens, count, temperature, top_k):
    for _ in range(count):
        logits, _ = model(tokens[:, -model.context :])
        logits = logits[:, -1, :].float() / temperature
        if top_k:
            smallest = torch.topk(logits, min(top_k, logits.size(-1))).values[:, [-1]]
            logits[logits < smallest] = -float("inf")
        tokens = torch.cat((tokens, torch.multinomial(F.softmax(logits, dim=-1), num_samples=1)), dim=1)
    return tokens


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--start", default="\n")
    parser.add_argument("--steps", type=int, default=200, help="letters to write")
    parser.add_argument("--samples", type=int, default=2)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--top-k", type=int, default=20)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--dtype", default="bfloat16", choices=("float32", "bfloat16", "float16"))
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--seed", type=int, default=1337)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    torch.cuda.manual_seed(args.seed)
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    device_type = "cuda" if "cuda" in args.device else "cpu"
    dtype = getattr(torch, args.dtype)
    context = nullcontext() if device_type == "cpu" else torch.amp.autocast(device_type=device_type, dtype=dtype)

    saved = {"letters": LETTERS, "shape": UNTRAINED, "model": None}
    if args.checkpoint:
        saved = torch.load(args.checkpoint, map_location=args.device)
    letters = saved["letters"]
    model = GPT(len(letters), **saved["shape"])
    if saved["model"]:
        model.load_state_dict(saved["model"])
    model.eval().to(args.device)
    if args.compile:
        model.forward = torch.compile(model.forward)

    start = torch.tensor([letters.index(letter) for letter in args.start], device=args.device)[None, ...]
    with torch.no_grad(), context:
        for _ in range(args.samples):
            written = generate(model, start, args.steps, args.temperature, args.top_k)
            print("".join(letters[number] for number in written[0].tolist()))
            print("---------------")


if __name__ == "__main__":
    main()
