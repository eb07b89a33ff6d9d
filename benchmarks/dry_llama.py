"""A dry training step of a model of Llama-2-7B's shape on a chip of 128 GiB: seconds, and memory of this machine.

bf16 parameters and AdamW states, batch 1 × 2048: about 63 GiB on the chip before activations.
"""

from __future__ import annotations

import argparse
import time

import measure

TARGET_SECONDS = 10.0
TARGET_RESIDENT_GB = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=32)
    parser.add_argument("--length", type=int, default=2048)
    chosen = parser.parse_args()
    measure.on_server(dry=1, memory_bytes=128 * measure.GIB)

    import torch
    import transformers

    config = transformers.LlamaConfig(num_hidden_layers=chosen.layers, dtype=torch.bfloat16)
    started = time.perf_counter()
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("npu"):
        model = transformers.LlamaForCausalLM(config)
        ids = torch.randint(0, config.vocab_size, (1, chosen.length))
    torch.npu.synchronize()
    built = time.perf_counter()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)

    def step() -> float:
        begin = time.perf_counter()
        model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        torch.npu.synchronize()
        return time.perf_counter() - begin

    first, second = step(), step()
    executors = sum(measure.resident_bytes(pid) for pid in measure.child_processes())
    resident = measure.peak_resident_bytes()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    measure.tell(
        "dry_llama",
        {
            "parameters": parameters, "build_s": built - started, "first_step_s": first, "second_step_s": second,
            "target_s": TARGET_SECONDS, "peak_resident_gb": resident / 1e9, "executor_resident_gb": executors / 1e9,
            "target_resident_gb": TARGET_RESIDENT_GB, "chip_peak_gib": torch.npu.max_memory_allocated() / measure.GIB,
        },
        f"{parameters / 1e9:.2f} billion parameters on a chip of 128 GiB: built in {built - started:.1f} s, first step "
        f"{first:.2f} s, second {second:.2f} s (aim {TARGET_SECONDS:.0f}); resident {resident / 1e9:.2f} GB and "
        f"executor {executors / 1e9:.2f} GB (aim {TARGET_RESIDENT_GB:.0f} GB); peak on the chip "
        f"{torch.npu.max_memory_allocated() / measure.GIB:.1f} GiB",
    )  # fmt: skip


if __name__ == "__main__":
    main()
