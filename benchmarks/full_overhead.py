"""Full arithmetic on the virtual chip against plain CPU PyTorch, the same script on both, in turns.

Two loads: a training step through layers of GPT-2's size, where the arithmetic should dominate, and a chain of small
additions, which shows what one operator costs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import measure

TARGET_RATIO = 1.2
TARGET_MICROSECONDS = 20.0
ELEMENTS = 64


def layers_step(device: str, layers: int, batch: int, length: int) -> Callable[[], None]:
    """Forward, backward and SGD of decoder layers as wide as GPT-2 small (768)."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.GPT2Config(
        n_layer=layers,
        vocab_size=1024,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        attn_implementation="eager",
    )
    model = transformers.GPT2LMHeadModel(config).to(device)
    ids = torch.randint(0, config.vocab_size, (batch, length)).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)

    def step() -> None:
        loss = model(input_ids=ids, labels=ids).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()

    return step


def additions(device: str, count: int) -> Callable[[], None]:
    import torch

    start = torch.zeros(ELEMENTS, device=device)

    def chain() -> None:
        tensor = start
        for _ in range(count):
            tensor = tensor + 1.0
        assert tensor[0].item() == count

    return chain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--additions", type=int, default=10_000)
    chosen = parser.parse_args()
    measure.on_server()

    shape = (chosen.layers, chosen.batch, chosen.length)
    steps = {device: layers_step(device, *shape) for device in ("npu", "cpu")}
    step_seconds = measure.interleaved(steps, chosen.rounds)
    chains = {device: additions(device, chosen.additions) for device in ("npu", "cpu")}
    chain_seconds = measure.interleaved(chains, chosen.rounds)
    step, chain = measure.medians(step_seconds), measure.medians(chain_seconds)
    ratio = step["npu"] / step["cpu"]
    added = (chain["npu"] - chain["cpu"]) / chosen.additions * 1e6
    measure.tell(
        "full_overhead",
        {
            "step_s": step, "ratio": ratio, "target_ratio": TARGET_RATIO, "chain_s": chain,
            "added_us_per_operator": added, "target_us": TARGET_MICROSECONDS,
            "all": {"step": step_seconds, "chain": chain_seconds},
        },
        f"{chosen.layers} GPT-2 layers, {chosen.batch} × {chosen.length}: {step['npu']:.3f} s a step, plain CPU "
        f"{step['cpu']:.3f} s: {ratio:.2f} times (aim {TARGET_RATIO}); {chosen.additions} additions of {ELEMENTS} "
        f"elements: {added:.1f} µs added each (aim {TARGET_MICROSECONDS:.0f})",
    )  # fmt: skip


if __name__ == "__main__":
    main()
