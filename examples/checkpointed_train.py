"""A training run that survives its chips: checkpoints, a loop that starts it again, and a check for silent corruption.

    jumar run --devices 2 --faults examples/faults.toml examples/checkpointed_train.py --attempts 10 --check

Each attempt is a process. One that fails is followed by another from the last checkpoint, on the next chip if the last
attempt came no further. With --check each span of steps is computed twice and kept if both times agree in every bit.
"""

import argparse
import copy
import hashlib
import os
import subprocess
import sys
from pathlib import Path

FAULT = 3  # exit code of an attempt that a chip has ended


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--span", type=int, default=5, help="steps from one checkpoint to the next")
    parser.add_argument("--attempts", type=int, default=1, help="how many processes may be used up")
    parser.add_argument("--check", action="store_true", help="compute each span twice")
    parser.add_argument("--chip", type=int, help="one attempt, on that chip, the only one in sight")
    parser.add_argument("--checkpoint", type=Path, default=Path("checkpoint.pt"))
    return parser.parse_args()


def main() -> None:
    chosen = arguments()
    sys.exit(attempt(chosen) if chosen.chip is not None else supervise(chosen))


def supervise(chosen: argparse.Namespace) -> int:
    """Starts attempts until one comes to the end."""
    chip, reached = 0, b""
    for number in range(1, chosen.attempts + 1):
        alone = {**os.environ, "ASCEND_RT_VISIBLE_DEVICES": str(chip)}  # the adapter opens the first it sees
        command = [sys.executable, *sys.argv, "--chip", str(chip)]
        ended = subprocess.run(command, env=alone, check=False).returncode
        if ended != FAULT:
            return ended
        now = chosen.checkpoint.read_bytes() if chosen.checkpoint.exists() else b""
        if now == reached:
            chip += 1  # this one is of no more use
        reached = now
        print(f"attempt {number} has failed; the next one takes chip {chip}", flush=True)
    print(f"gave up after {chosen.attempts} attempts")
    return 1


def attempt(chosen: argparse.Namespace) -> int:
    """Goes on from the checkpoint to the last step."""
    import torch

    try:
        train(chosen, "cuda")  # as a program for a GPU says; a virtual chip answers to it
    except RuntimeError as error:
        print(f"fault on chip {chosen.chip}: {str(error).splitlines()[0][:160]}", flush=True)
        return FAULT
    final = torch.load(chosen.checkpoint)["model"]
    digest = hashlib.sha256(b"".join(value.numpy().tobytes() for value in final.values()))
    print(f"weights {digest.hexdigest()[:16]} after {chosen.steps} steps", flush=True)
    return 0


def train(chosen: argparse.Namespace, device: str) -> None:
    import torch

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.GELU(), torch.nn.Linear(32, 4)).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    state = {"step": 0, "model": on_host(model.state_dict()), "optimizer": on_host(optimizer.state_dict())}
    if chosen.checkpoint.exists():
        state = torch.load(chosen.checkpoint)

    def span(start: dict) -> dict:
        """The state some steps later; the same bits each time, because the data of a step are its number's."""
        model.load_state_dict(start["model"])
        optimizer.load_state_dict(copy.deepcopy(start["optimizer"]))  # it may keep tensors, and change them
        last = min(start["step"] + chosen.span, chosen.steps)
        for step in range(start["step"], last):
            torch.manual_seed(1000 + step)
            x, y = torch.randn(64, 16).to(device), torch.randint(4, (64,)).to(device)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        return {
            "step": last,
            "model": on_host(model.state_dict()),
            "optimizer": on_host(optimizer.state_dict()),
        }

    while state["step"] < chosen.steps:
        after = span(state)
        while chosen.check and not same(after, again := span(state)):
            print(
                f"steps {state['step']} to {after['step']} came out differently: silent corruption",
                flush=True,
            )
            after = again
        state = after
        beside = chosen.checkpoint.with_suffix(".new")
        torch.save(state, beside)
        beside.replace(chosen.checkpoint)  # never half a checkpoint


def on_host(value):
    """The same, with tensors copied to the CPU."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, dict):
        return {key: on_host(one) for key, one in value.items()}
    return [on_host(one) for one in value] if isinstance(value, list) else value


def same(one, other) -> bool:
    """In every bit."""
    import torch

    if isinstance(one, torch.Tensor):
        return one.numpy().tobytes() == other.numpy().tobytes()
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


if __name__ == "__main__":
    main()
