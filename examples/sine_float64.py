"""Learns to continue sine waves in double precision, with LSTM cells and LBFGS.

    python sine_float64.py --steps 3
"""

import argparse

import torch
import torch.nn as nn


class Sequence(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.width = width
        self.cell1, self.cell2 = nn.LSTMCell(1, width), nn.LSTMCell(width, width)
        self.linear = nn.Linear(width, 1)

    def forward(self, waves, future=0):
        zeros = torch.zeros(waves.size(0), self.width, dtype=waves.dtype, device=waves.device)
        (h1, c1), (h2, c2) = (zeros, zeros), (zeros, zeros)
        outputs = []
        for point in waves.split(1, dim=1):
            h1, c1 = self.cell1(point, (h1, c1))
            h2, c2 = self.cell2(h1, (h2, c2))
            output = self.linear(h2)
            outputs.append(output)
        for _ in range(future):
            h1, c1 = self.cell1(output, (h1, c1))
            h2, c2 = self.cell2(h1, (h2, c2))
            output = self.linear(h2)
            outputs.append(output)
        return torch.cat(outputs, dim=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--waves", type=int, default=8)
    parser.add_argument("--length", type=int, default=20)
    parser.add_argument("--width", type=int, default=12)
    args = parser.parse_args()

    torch.manual_seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    shifts = torch.randint(-80, 80, (args.waves, 1)).double()
    waves = torch.sin((torch.arange(args.length).double() + shifts) / 5).to(device)
    x, y = waves[2:, :-1], waves[2:, 1:]
    test_x, test_y = waves[:2, :-1], waves[:2, 1:]

    model = Sequence(args.width).double().to(device)
    criterion = nn.MSELoss()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.8, max_iter=5)
    for step in range(args.steps):

        def closure():
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            return loss

        loss = optimizer.step(closure)
        with torch.no_grad():
            future = 5
            predicted = model(test_x, future=future)
            test_loss = criterion(predicted[:, :-future], test_y)
        print(f"step {step:4d}  loss {loss.item():.10f}  test {test_loss.item():.10f}", flush=True)
    print(predicted.dtype, "on", predicted.device)


if __name__ == "__main__":
    main()
