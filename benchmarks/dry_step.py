"""A dry training step of GPT-2 124M against the same step under PyTorch's FakeTensorMode, in turns.

Batch 8 × 1024 tokens, bf16 autocast, AdamW. The step on the virtual chip includes its synchronisation.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import measure

TARGET_RATIO = 20.0
TARGET_MICROSECONDS = 40.0


def training_step(device: str, batch: int, length: int) -> Callable[[], Any]:
    """A closure that does one step; builds the model on that device."""
    import torch
    import transformers

    config = transformers.GPT2Config()
    with torch.device(device):
        model = transformers.GPT2LMHeadModel(config)
        ids = torch.randint(0, config.vocab_size, (batch, length))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)

    def step() -> None:
        with torch.autocast(device, torch.bfloat16):
            loss = model(input_ids=ids, labels=ids).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if device == "npu":
            torch.npu.synchronize()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--fake-device", default="cpu", help="the device that FakeTensorMode's tensors claim")
    chosen = parser.parse_args()
    measure.on_server(dry=1)

    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    dry = training_step("npu", chosen.batch, chosen.length)
    mode = FakeTensorMode()
    with mode:
        fake = training_step(chosen.fake_device, chosen.batch, chosen.length)

    def under_fake_mode() -> None:
        with mode:
            fake()

    seconds = measure.interleaved({"dry": dry, "fake": under_fake_mode}, chosen.rounds + 2, warm_up=0)
    first = {side: values[0] for side, values in seconds.items()}
    before = measure.operators_so_far()
    dry()
    operators = measure.operators_so_far() - before
    # From the third step on FakeTensorMode finds every call in its cache.
    middle = measure.medians({side: values[2:] for side, values in seconds.items()})
    ratio = middle["fake"] / middle["dry"]
    per_operator = middle["dry"] / operators * 1e6
    measure.tell(
        "dry_step",
        {
            "dry_s": middle["dry"], "fake_s": middle["fake"], "ratio": ratio, "target_ratio": TARGET_RATIO,
            "first_s": first, "first_ratio": first["fake"] / first["dry"], "operators": operators,
            "us_per_operator": per_operator, "target_us": TARGET_MICROSECONDS,
            "peak_gib": torch.npu.max_memory_allocated() / measure.GIB, "all": seconds,
        },
        f"GPT-2 124M, {chosen.batch} × {chosen.length}: {middle['dry'] * 1e3:.0f} ms a dry step, FakeTensorMode "
        f"{middle['fake']:.2f} s: {ratio:.1f} times faster (aim {TARGET_RATIO:.0f}); first step "
        f"{first['dry'] * 1e3:.0f} ms and {first['fake']:.2f} s; {operators} operators, "
        f"{per_operator:.0f} µs each (aim {TARGET_MICROSECONDS:.0f})",
    )  # fmt: skip


if __name__ == "__main__":
    main()
