"""Trains an LSTM on letters, carrying its state from one stretch of text to the next.

    python char_rnn.py --steps 60
"""

import argparse
from pathlib import Path

import torch
import torch.nn as nn

TEXT = Path(__file__).parent / "data" / "sonnets.txt"


class Writer(nn.Module):
    def __init__(self, kinds, width, layers):
        super().__init__()
        self.embed = nn.Embedding(kinds, width)
        self.rnn = nn.LSTM(width, width, layers, dropout=0.1 if layers > 1 else 0.0)
        self.head = nn.Linear(width, kinds)

    def forward(self, letters, state=None):
        output, state = self.rnn(self.embed(letters), state)
        return self.head(output), state


def columns(text, batch):
    """The text as `batch` columns, each a stretch of it."""
    length = len(text) // batch
    return text[: length * batch].view(batch, length).t().contiguous()


def detached(state):
    return None if state is None else tuple(part.detach() for part in state)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--length", type=int, default=24, help="letters through which gradients flow")
    parser.add_argument("--width", type=int, default=48)
    parser.add_argument("--layers", type=int, default=1)
    args = parser.parse_args()

    torch.manual_seed(7)
    if torch.cuda.is_available():
        torch.cuda.manual_seed(7)
    device = torch.device("cuda")
    text = TEXT.read_text(encoding="utf-8")
    kinds = sorted(set(text))
    data = columns(torch.tensor([kinds.index(letter) for letter in text]), args.batch).to(device)

    model = Writer(len(kinds), args.width, args.layers).to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    state, place = None, 0
    for step in range(args.steps):
        if place + args.length + 1 > len(data):
            state, place = None, 0
        x, y = data[place : place + args.length], data[place + 1 : place + 1 + args.length]
        place += args.length
        logits, state = model(x, detached(state))
        loss = criterion(logits.view(-1, len(kinds)), y.reshape(-1))
        model.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        if step % 10 == 0 or step == args.steps - 1:
            print(f"step {step:4d}  loss {loss.item():.4f}", flush=True)

    model.eval()
    letter, state, written = torch.zeros(1, 1, dtype=torch.long, device=device), None, []
    with torch.no_grad():
        for _ in range(40):
            logits, state = model(letter, state)
            letter = torch.multinomial(logits.squeeze().div(0.8).exp(), 1).view(1, 1)
            written.append(kinds[letter.item()])
    print("".join(written).strip())


if __name__ == "__main__":
    main()
