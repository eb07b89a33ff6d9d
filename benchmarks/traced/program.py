"""The programs whose steps were published: `python program.py MODEL MODE SEQUENCE BATCH [PRECISION]`, for CUDA.

`bert_large`, `gpt2_large`, `gpt3_xl`, `gpt3_27`, `opt_13` are models of transformers as the published rows ran them: without
fused attention, in float32. `gpt2` is a GPT-2 of 124 M weights as in the course that its rows come from.
"""

from __future__ import annotations

import sys

import torch
import transformers

STEPS = 3


def gpt2(layers: int, width: int, heads: int, positions: int) -> transformers.GPT2LMHeadModel:
    sizes = {"n_layer": layers, "n_embd": width, "n_head": heads, "n_positions": positions}
    drop = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    config = transformers.GPT2Config(**sizes, **drop, use_cache=False, attn_implementation="eager")
    return transformers.GPT2LMHeadModel(config)


def bert() -> transformers.BertForMaskedLM:
    sizes = {
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "intermediate_size": 4096,
    }
    return transformers.BertForMaskedLM(transformers.BertConfig(**sizes, attn_implementation="eager"))


def opt() -> transformers.OPTForCausalLM:
    sizes = {"hidden_size": 2048, "num_hidden_layers": 24, "num_attention_heads": 32, "ffn_dim": 8192}
    config = transformers.OPTConfig(
        **sizes, word_embed_proj_dim=2048, use_cache=False, attn_implementation="eager"
    )
    return transformers.OPTForCausalLM(config)


MODELS = {
    "bert_large": bert,
    "gpt2_large": lambda: gpt2(36, 1280, 20, 1024),
    "gpt3_xl": lambda: gpt2(24, 3072, 24, 2048),  # sizes: benchmarks/accuracy/model_sizes.py
    "gpt3_27": lambda: gpt2(32, 2560, 32, 2048),
    "opt_13": opt,
    "gpt2": lambda: gpt2(12, 768, 12, 1024),
}


def main(name: str, mode: str, sequence: str, batch: str, precision: str = "fp32") -> None:
    torch.set_float32_matmul_precision("highest" if precision == "fp32" else "high")
    with torch.device("cuda"):
        model = MODELS[name]()
        tokens = torch.randint(0, model.config.vocab_size, (int(batch), int(sequence)))
    optimizer = torch.optim.AdamW(model.parameters()) if mode == "train" else None
    for _ in range(STEPS):
        with (
            torch.autocast("cuda", torch.bfloat16, enabled=precision == "bf16"),
            torch.set_grad_enabled(optimizer is not None),
        ):
            result = model(tokens, labels=tokens if optimizer else None)
        if optimizer:
            result.loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        torch.cuda.synchronize()


if __name__ == "__main__":
    main(*sys.argv[1:])
