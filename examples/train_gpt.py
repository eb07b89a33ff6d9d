"""Trains a small character-level GPT on a text file, on one CUDA device, in mixed precision.

    python train_gpt.py --steps 200 --data data/sonnets.txt
"""

import argparse
import math
import time
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, width, heads, dropout):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(dropout)
        )

    def forward(self, x):
        batch, time_, width = x.shape
        q, k, v = (
            part.view(batch, time_, self.heads, width // self.heads).transpose(1, 2)
            for part in self.qkv(self.norm1(x)).split(width, dim=2)
        )
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=dropout)
        x = x + self.proj(y.transpose(1, 2).reshape(batch, time_, width))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    def __init__(self, vocabulary, context, width, heads, layers, dropout):
        super().__init__()
        self.context = context
        self.token, self.position = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
        self.apply(self._init)
        self.head.weight = self.token.weight

    def _init(self, module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, tokens, targets=None):
        x = self.token(tokens) + self.position(torch.arange(tokens.shape[1], device=tokens.device))
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    @torch.no_grad()
    def generate(self, tokens, count, temperature):
        for _ in range(count):
            logits, _ = self(tokens[:, -self.context :])
            chances = F.softmax(logits[:, -1].float() / temperature, dim=-1)
            tokens = torch.cat([tokens, torch.multinomial(chances, 1)], dim=1)
        return tokens


def batch_of(data, context, size, device):
    starts = torch.randint(len(data) - context - 1, (size,))
    x = torch.stack([data[i : i + context] for i in starts])
    y = torch.stack([data[i + 1 : i + 1 + context] for i in starts])
    return x.pin_memory().to(device, non_blocking=True), y.pin_memory().to(device, non_blocking=True)


def learning_rate(step, steps, peak, warmup):
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (0.1 + 0.45 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup))))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).parent / "data" / "sonnets.txt")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--context", type=int, default=64)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--log-every", type=int, default=20)
    parser.add_argument("--sample", type=int, default=120, help="characters to generate at the end")
    parser.add_argument("--save", type=Path, help="where to leave the model for sample_gpt.py")
    parser.add_argument("--seed", type=int, default=1337)
    args = parser.parse_args()

    if not torch.cuda.is_available():
        raise SystemExit("this script needs a CUDA device")
    device = "cuda"
    torch.manual_seed(args.seed)
    torch.cuda.manual_seed_all(args.seed)

    text = args.data.read_text(encoding="utf-8")
    letters = sorted(set(text))
    index = {letter: number for number, letter in enumerate(letters)}
    data = torch.tensor([index[letter] for letter in text], dtype=torch.long)
    model = GPT(len(letters), args.context, args.width, args.heads, args.layers, args.dropout).to(device)
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{torch.cuda.get_device_name()}: {count:,} parameters, {len(text):,} characters, {len(letters)} kinds")

    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, betas=(0.9, 0.95), weight_decay=0.1)
    scaler = torch.amp.GradScaler("cuda")
    model.train()
    began, tokens = time.perf_counter(), 0
    for step in range(args.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, args.steps, args.lr, warmup=10)
        x, y = batch_of(data, args.context, args.batch, device)
        with torch.autocast("cuda", dtype=torch.float16):
            _, loss = model(x, y)
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        tokens += x.numel()
        if step % args.log_every == 0 or step == args.steps - 1:
            value = loss.item()
            pace = tokens / (time.perf_counter() - began)
            print(f"step {step:5d}  loss {value:.4f}  {pace:,.0f} tokens/s", flush=True)

    if args.save:
        shape = {name: getattr(args, name) for name in ("context", "width", "heads", "layers", "dropout")}
        torch.save({"letters": letters, "shape": shape, "model": model.state_dict()}, args.save)
    print(f"peak memory {torch.cuda.max_memory_allocated() / 2**20:.1f} MiB")
    model.eval()
    start = torch.tensor([[index["\n"]]], device=device)
    with torch.autocast("cuda", dtype=torch.float16):
        written = model.generate(start, args.sample, temperature=0.8)[0].tolist()
    print("".join(letters[number] for number in written))


if __name__ == "__main__":
    main()
