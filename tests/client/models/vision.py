"""Vision models: ViT and CLIP of transformers, ResNet-50 and ConvNeXt written out."""

from __future__ import annotations

from typing import Any

import torch
import transformers as hf

from . import Batch, Case, tokens
from .convnext import ConvNeXt
from .resnet import resnet50

CLASSES = 10


def vit() -> torch.nn.Module:
    return hf.ViTForImageClassification(
        hf.ViTConfig(
            hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, image_size=32,
            patch_size=8, num_labels=CLASSES, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        )
    )  # fmt: skip


def clip() -> torch.nn.Module:
    text = {
        "vocab_size": 100, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "max_position_embeddings": 16, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
    }  # fmt: skip
    vision = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "image_size": 32,
        "patch_size": 8,
    }
    return hf.CLIPModel(hf.CLIPConfig(text_config=text, vision_config=vision, projection_dim=16))


def labelled_images() -> Batch:
    return {"pixel_values": torch.randn(4, 3, 32, 32), "labels": torch.randint(0, CLASSES, (4,))}


def captioned_images() -> Batch:
    ids = tokens(100, 4, 12)
    ids[:, -1] = 2
    return {
        "pixel_values": torch.randn(4, 3, 32, 32),
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
    }


def clip_loss(model: Any, batch: Batch) -> torch.Tensor:
    return model(**batch, return_loss=True).loss


def label_loss(model: Any, batch: Batch) -> torch.Tensor:
    scores = model(batch["pixel_values"])
    scores = getattr(scores, "logits", scores)
    return torch.nn.functional.cross_entropy(scores, batch["labels"], label_smoothing=0.1)


CASES = [
    Case("vit", vit, labelled_images, label_loss),
    Case("clip", clip, captioned_images, clip_loss),
    Case("resnet50", lambda: resnet50(width=8, classes=CLASSES), labelled_images, label_loss),
    Case("convnext", lambda: ConvNeXt(widths=(8, 16, 32, 64), classes=CLASSES), labelled_images, label_loss),
]
