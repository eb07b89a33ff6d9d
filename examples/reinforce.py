"""Learns to keep a pole upright by policy gradient; the cart with its pole is simulated here.

    python reinforce.py --steps 30
"""

import argparse
import math

import torch
import torch.nn as nn
from torch.distributions import Categorical

MASS_CART, MASS_POLE, HALF_LENGTH, FORCE, GRAVITY, TICK = 1.0, 0.1, 0.5, 10.0, 9.8, 0.02
LIMIT_X, LIMIT_ANGLE = 2.4, 12 * math.pi / 180


class Cart:
    """The classic balancing task: push the cart left or right so that its pole does not fall."""

    def reset(self):
        self.state = [float(value) for value in torch.empty(4).uniform_(-0.05, 0.05)]
        return self.state

    def step(self, action):
        x, speed, angle, turning = self.state
        push = FORCE if action == 1 else -FORCE
        mass = MASS_CART + MASS_POLE
        swing = (push + MASS_POLE * HALF_LENGTH * turning**2 * math.sin(angle)) / mass
        inertia = HALF_LENGTH * (4 / 3 - MASS_POLE * math.cos(angle) ** 2 / mass)
        bend = (GRAVITY * math.sin(angle) - math.cos(angle) * swing) / inertia
        pull = swing - MASS_POLE * HALF_LENGTH * bend * math.cos(angle) / mass
        self.state = [x + TICK * speed, speed + TICK * pull, angle + TICK * turning, turning + TICK * bend]
        fallen = abs(self.state[0]) > LIMIT_X or abs(self.state[2]) > LIMIT_ANGLE
        return self.state, 1.0, fallen


def returns_of(rewards, discount):
    total, returns = 0.0, []
    for reward in reversed(rewards):
        total = reward + discount * total
        returns.insert(0, total)
    return returns


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=30, help="episodes")
    parser.add_argument("--longest", type=int, default=60, help="pushes in an episode")
    parser.add_argument("--discount", type=float, default=0.99)
    args = parser.parse_args()

    torch.manual_seed(543)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    policy = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 2)).to(device)
    optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
    tiny = torch.finfo(torch.float32).eps
    cart, running = Cart(), 10.0
    for episode in range(args.steps):
        state, chances, rewards = cart.reset(), [], []
        for _ in range(args.longest):
            logits = policy(torch.tensor(state, device=device).unsqueeze(0))
            choice = Categorical(logits=logits)
            action = choice.sample()
            chances.append(choice.log_prob(action))
            state, reward, fallen = cart.step(action.item())
            rewards.append(reward)
            if fallen:
                break
        returns = torch.tensor(returns_of(rewards, args.discount), device=device)
        returns = (returns - returns.mean()) / (returns.std() + tiny)
        loss = -(torch.cat(chances) * returns).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running = 0.9 * running + 0.1 * len(rewards)
        if episode % 5 == 0 or episode == args.steps - 1:
            print(f"step {episode:4d}  loss {loss.item():.4f}  pushes {len(rewards)}  running {running:.2f}", flush=True)


if __name__ == "__main__":
    main()
