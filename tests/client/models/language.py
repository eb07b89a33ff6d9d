"""Language and speech models of transformers, with the smallest shapes that still take every branch."""

from __future__ import annotations

from typing import Any

import torch
import transformers as hf

from . import Batch, Case, tokens

VOCABULARY = 128
TOKENS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


def gpt2() -> torch.nn.Module:
    return hf.GPT2LMHeadModel(
        hf.GPT2Config(
            vocab_size=VOCABULARY, n_positions=64, n_embd=32, n_layer=2, n_head=4,
            resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, **TOKENS,
        )
    )  # fmt: skip


def bert() -> torch.nn.Module:
    return hf.BertForMaskedLM(
        hf.BertConfig(
            vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
            max_position_embeddings=64, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        )
    )  # fmt: skip


def t5() -> torch.nn.Module:
    return hf.T5ForConditionalGeneration(
        hf.T5Config(
            vocab_size=VOCABULARY, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, dropout_rate=0.0,
            feed_forward_proj="gated-gelu", decoder_start_token_id=0, eos_token_id=2, pad_token_id=0,
        )
    )  # fmt: skip


def llama() -> torch.nn.Module:
    return hf.LlamaForCausalLM(
        hf.LlamaConfig(
            vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=64, **TOKENS,
        )
    )  # fmt: skip


def mixtral() -> torch.nn.Module:
    return hf.MixtralForCausalLM(
        hf.MixtralConfig(
            vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, num_local_experts=4, num_experts_per_tok=2, max_position_embeddings=64,
            output_router_logits=True, **TOKENS,
        )
    )  # fmt: skip


def whisper() -> torch.nn.Module:
    return hf.WhisperForConditionalGeneration(
        hf.WhisperConfig(
            vocab_size=VOCABULARY, num_mel_bins=16, d_model=32, encoder_layers=2, decoder_layers=2,
            encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=64, decoder_ffn_dim=64,
            max_source_positions=32, max_target_positions=48, dropout=0.0, decoder_start_token_id=1,
            suppress_tokens=None, begin_suppress_tokens=None, **TOKENS,
        )
    )  # fmt: skip


def causal_batch() -> Batch:
    ids = tokens(VOCABULARY, 3, 20)
    mask = torch.ones_like(ids)
    mask[0, 15:] = 0
    return {"input_ids": ids, "attention_mask": mask, "labels": ids.masked_fill(mask == 0, -100)}


def pair_batch() -> Batch:
    return {"input_ids": tokens(VOCABULARY, 3, 20), "labels": tokens(VOCABULARY, 3, 12)}


def speech_batch() -> Batch:
    return {"input_features": torch.randn(2, 16, 64), "labels": tokens(VOCABULARY, 2, 12)}


def loss(model: Any, batch: Batch) -> torch.Tensor:
    return model(**batch).loss


def causal_prompt() -> Batch:
    ids = tokens(VOCABULARY, 2, 7)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


CASES = [
    Case("gpt2", gpt2, causal_batch, loss, causal_prompt),
    Case("bert", bert, causal_batch, loss),
    Case("t5", t5, pair_batch, loss, causal_prompt),
    Case("llama", llama, causal_batch, loss, causal_prompt),
    Case("mixtral", mixtral, causal_batch, loss, causal_prompt),
    Case("whisper", whisper, speech_batch, loss, lambda: {"input_features": torch.randn(2, 16, 64)}),
]
