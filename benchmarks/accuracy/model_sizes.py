"""Sizes of the models that the measured rows name, as far as the rows do not say them. Source: the models' own published
configuration, from memory unless the line says otherwise."""

from __future__ import annotations

from jumar.physics.transformer import Experts, Latent, Model

# Rows of MindSpeed-LLM give layers, hidden, ffn, heads, kv and mostly the vocabulary. What they leave open, by a word
# in the workload: vocabulary, width of a head (0 = hidden / heads), tied tables.
OPEN_SIZES: dict[str, tuple[int, int, bool]] = {
    "baichuan2": (125696, 0, False),
    "codellama": (32016, 0, False),
    "llama3": (128256, 0, False),
    "llama-": (32000, 0, False),
    "llama2": (32000, 0, False),
    "mistral": (32000, 0, False),
    "gemma2": (256000, 256, True),
    "gemma-": (256000, 256, True),
    "minicpm": (122753, 0, True),
    "qwen1.5-0.5b": (151936, 0, True),
    "qwen1.5": (151936, 0, False),
    "qwen2-0.5b": (151936, 0, True),
    "qwen3_8b": (151936, 128, False),
    "qwen3_30b": (151936, 128, False),
    "chatglm3": (65024, 128, False),
    "glm4": (151552, 128, False),
    "internlm3": (128512, 128, False),
    "huyuan3": (120832, 128, True),
}
WINDOWS = {"mistral": 4096}
EXPERT_FFN = {"qwen3_30b": (768, 0)}


def mpt(layers: int, hidden: int, heads: int) -> Model:
    """MPT: no gate, no rotation, tied tables, learned positions."""
    return Model(layers, hidden, 4 * hidden, heads, vocabulary=50368, gated=False, rotary=False, tied=True)


# github:mosaicml/llm-foundry scripts/train/yamls; the number of weights in each row agrees with these.
MPT = {
    "125m": mpt(12, 768, 12),
    "350m": mpt(24, 1024, 16),
    "760m": mpt(24, 1536, 12),
    "1b": mpt(24, 2048, 16),
    "3b": mpt(32, 2560, 20),
    "7b": mpt(32, 4096, 32),
    "13b": mpt(40, 5120, 40),
    "30b": mpt(48, 7168, 56),
    "70b": mpt(80, 8192, 64),
}


def gpt(layers: int, hidden: int, heads: int, vocabulary: int = 50257, causal: float = 0.5) -> Model:
    """A plain GPT or BERT."""
    return Model(
        layers,
        hidden,
        4 * hidden,
        heads,
        vocabulary=vocabulary,
        gated=False,
        rotary=False,
        tied=True,
        causal_share=causal,
    )


NAMED = {
    "bert_large": gpt(24, 1024, 16, 30522, 1.0),
    "gpt2_large": gpt(36, 1280, 20),
    "gpt3_xl": gpt(24, 3072, 24),  # 24 heads of 128; with 2048 wide the rows would exceed the chips' peaks
    "gpt3_27": gpt(32, 2560, 32),
    "opt_13": gpt(24, 2048, 32, 50272),
    "GPT-5B": gpt(24, 4096, 32, 51200),  # github:NVIDIA/NeMo-Megatron-Launcher conf/training/gpt3/5b.yaml
    "GPT 22B": gpt(48, 6144, 64, 51200),  # arXiv:2205.05198
    "LLAMA2-7B": Model(32, 4096, 11008, 32),
    "LLAMA2-13B": Model(40, 5120, 13824, 40),
    "LLAMA2-70B": Model(80, 8192, 28672, 64, 8),
    "LLAMA3_8B": Model(32, 4096, 14336, 32, 8, 128256),
    "LLAMA3_70B": Model(80, 8192, 28672, 64, 8, 128256),
    "Qwen3_30B_a3B": Model(48, 2048, 6144, 32, 4, 151936, 128, experts=Experts(128, 8, 768)),
    "Qwen3-8B": Model(36, 4096, 12288, 32, 8, 151936, 128),
    "qwen3.5-27b": Model(64, 5120, 17408, 24, 4, 248320, 256, linear_share=0.75),
    "GLM-4.7": Model(92, 5120, 12288, 96, 8, 151552, 128, experts=Experts(160, 8, 1536, 1, 3)),
    "Kimi-K2": Model(
        61,
        7168,
        18432,
        64,
        vocabulary=163840,
        head_width=128,
        experts=Experts(384, 8, 2048, 1, 1),
        latent=Latent(1536, 512, 128, 64, 128),
    ),
    # 720 × 1280 × 81 frames are 21 × 45 × 80 tokens.
    "wan2.2": Model(40, 5120, 13824, 40, vocabulary=64, gated=False, causal_share=1.0, cross_tokens=512),
}
WAN_TOKENS = 21 * 45 * 80
