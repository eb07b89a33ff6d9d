"""A million operators: the memory of the program and of its executor stays flat."""

from __future__ import annotations

import argparse
import time

import measure

SAMPLES = 10
TARGET_GROWTH_MB = 8.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operators", type=int, default=1_000_000)
    chosen = parser.parse_args()
    measure.on_server()

    import torch

    tensor = torch.zeros(64, device="npu")
    weight = torch.ones(64, 64, device="npu") / 64
    small = torch.zeros(4, device="npu")

    def work(count: int) -> None:
        """Four operators a turn: a sum, a product, a reduction and a change in place."""
        nonlocal tensor
        for turn in range(count // 4):
            tensor = tensor + 1.0
            product = weight @ tensor
            small[:1].copy_(product[:1])
            product.sum()
            if turn % 1000 == 0:
                torch.npu.synchronize()
        torch.npu.synchronize()

    work(20_000)
    held: list[tuple[float, float]] = []
    started = time.perf_counter()
    for _ in range(SAMPLES):
        work(chosen.operators // SAMPLES)
        executor = sum(measure.resident_bytes(pid) for pid in measure.child_processes())
        held.append((measure.resident_bytes() / 1e6, executor / 1e6))
    seconds = time.perf_counter() - started
    growth = [max(values) - values[0] for values in zip(*held, strict=True)]
    assert tensor[0].item() == 20_000 // 4 + SAMPLES * (chosen.operators // SAMPLES // 4)
    measure.tell(
        "soak",
        {
            "operators": measure.operators_so_far(), "seconds": seconds, "program_mb": [one[0] for one in held],
            "executor_mb": [one[1] for one in held], "growth_mb": growth, "target_growth_mb": TARGET_GROWTH_MB,
            "device_peak_bytes": torch.npu.max_memory_allocated(),
        },
        f"{measure.operators_so_far():,} operators in {seconds:.0f} s ({seconds / chosen.operators * 1e6:.1f} µs each); "
        f"the program grew by {growth[0]:.1f} MB, its executor by {growth[1]:.1f} MB (aim {TARGET_GROWTH_MB:.0f})",
    )  # fmt: skip


if __name__ == "__main__":
    main()
