"""Packages of the CUDA world, and whether their answers are right."""

from __future__ import annotations

import importlib.metadata
import importlib.util

import torch
from torch import nn

from idioms import idiom
from idioms.processes import CHILDREN


def reference(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool = False) -> torch.Tensor:
    """Attention by its definition, of tensors with sizes batch, length, heads, width, in float32."""
    q, k, v = (x.float().transpose(1, 2) for x in (q, k, v))
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    if causal:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).tril()
        scores = scores.masked_fill(~mask, float("-inf"))
    return (scores.softmax(-1) @ v).transpose(1, 2)


def qkv(dtype: torch.dtype = torch.float16) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(2, 16, 4, 32, device="cuda", dtype=dtype, requires_grad=True) for _ in range(3)]


def close(x: torch.Tensor, y: torch.Tensor, tolerance: float = 0.01) -> bool:
    return x.shape == y.shape and (x.float() - y.float()).abs().max().item() < tolerance


@idiom("`find_spec('flash_attn')` and its version", "huggingface/transformers#36383", (True, True))
def flash_attention_found() -> object:
    import flash_attn

    version = importlib.metadata.version("flash_attn")
    return importlib.util.find_spec("flash_attn") is not None, flash_attn.__version__ == version >= "2"


@idiom(
    "`flash_attn_func(q, k, v, causal=True)`, forward and backward",
    "huggingface/transformers#36618",
    (True, True, torch.float16),
)
def flash_attention() -> object:
    from flash_attn import flash_attn_func

    q, k, v = qkv()
    y = flash_attn_func(q, k, v, dropout_p=0.0, causal=True)
    wanted = reference(q, k, v, causal=True)
    (gradient,) = torch.autograd.grad(wanted.square().sum(), q, retain_graph=True)
    (found,) = torch.autograd.grad(y.float().square().sum(), q)
    return close(y, wanted), close(found, gradient, 0.05), y.dtype


@idiom("`flash_attn_qkvpacked_func(qkv)`", "Dao-AILab/flash-attention#1781", True)
def flash_attention_packed() -> object:
    from flash_attn import flash_attn_qkvpacked_func

    q, k, v = qkv(torch.bfloat16)
    return close(flash_attn_qkvpacked_func(torch.stack([q, k, v], dim=2)), reference(q, k, v), 0.03)


@idiom("`flash_attn_varlen_func` with `unpad_input`", "huggingface/transformers#40151", (True, True))
def flash_attention_of_lengths() -> object:
    from flash_attn import flash_attn_varlen_func
    from flash_attn.bert_padding import pad_input, unpad_input

    q, k, v = (x.detach() for x in qkv())
    mask = torch.ones(2, 16, dtype=torch.bool, device="cuda")
    mask[1, 10:] = False
    flat, indices, lengths, longest = unpad_input(q, mask)[:4]
    keys, values = unpad_input(k, mask)[0], unpad_input(v, mask)[0]
    y = flash_attn_varlen_func(flat, keys, values, lengths, lengths, longest, longest, causal=True)
    y = pad_input(y, indices, 2, 16)
    return close(y[:1], reference(q, k, v, True)[:1]), close(
        y[1:, :10], reference(q[1:, :10], k[1:, :10], v[1:, :10], True)
    )


@idiom("`flash_attn_with_kvcache`", "Dao-AILab/flash-attention/flash_attn/flash_attn_interface.py", True)
def flash_attention_with_cache() -> object:
    from flash_attn import flash_attn_with_kvcache

    q, k, v = (x.detach() for x in qkv())
    keys, values = torch.zeros_like(k), torch.zeros_like(v)
    keys[:, :15], values[:, :15] = k[:, :15], v[:, :15]
    y = flash_attn_with_kvcache(q[:, 15:], keys, values, k[:, 15:], v[:, 15:], cache_seqlens=15, causal=True)
    return close(y, reference(q, k, v, causal=True)[:, 15:])


@idiom("`apex.normalization.FusedLayerNorm`", "facebookresearch/esm#62", (True, "cuda:0"))
def fused_layer_norm() -> object:
    from apex.normalization import FusedLayerNorm

    x = torch.randn(4, 16, device="cuda")
    layer = FusedLayerNorm(16).cuda()
    return close(layer(x), nn.functional.layer_norm(x, (16,)), 1e-4), str(layer.weight.device)


@idiom("`apex.optimizers.FusedAdam`", "NVIDIA/apex#228", True)
def fused_adam() -> object:
    from apex.optimizers import FusedAdam

    torch.manual_seed(0)
    first = torch.randn(8, device="cuda", requires_grad=True)
    second = first.detach().clone().requires_grad_()
    for weight, make in ((first, FusedAdam), (second, torch.optim.AdamW)):
        optimizer = make([weight], lr=0.1, weight_decay=0.01)
        for _ in range(2):
            optimizer.zero_grad()
            weight.square().sum().backward()
            optimizer.step()
    return close(first, second, 1e-4)


@idiom(
    "`apex.amp.initialize(model, optimizer, opt_level='O1')`",
    "NVIDIA/apex/examples/imagenet/main_amp.py",
    True,
)
def apex_amp() -> object:
    from apex import amp

    model = nn.Linear(4, 2).cuda()
    before = model.weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model, optimizer = amp.initialize(model, optimizer, opt_level="O1", verbosity=0)
    with amp.scale_loss(model(torch.ones(3, 4).cuda()).float().mean(), optimizer) as scaled:
        scaled.backward()
    optimizer.step()
    return not torch.equal(before, model.weight)


@idiom(
    "`apex.parallel`, `apex.multi_tensor_apply` are importable",
    "NVIDIA/DeepLearningExamples/PyTorch/LanguageModeling/BERT/run_pretraining.py",
    (True, True),
)
def apex_modules() -> object:
    from apex.multi_tensor_apply import multi_tensor_applier
    from apex.parallel import DistributedDataParallel

    return isinstance(multi_tensor_applier.available, bool), issubclass(DistributedDataParallel, nn.Module)


@idiom("`bitsandbytes.optim.AdamW8bit`", "bitsandbytes-foundation/bitsandbytes#1635", True)
def adam_of_8_bits() -> object:
    import bitsandbytes

    weight = torch.ones(4096, device="cuda", requires_grad=True)
    optimizer = bitsandbytes.optim.AdamW8bit([weight], lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        weight.square().sum().backward()
        optimizer.step()
    return 0.5 < weight.mean().item() < 0.9


@idiom("`bitsandbytes.nn.Linear8bitLt`", "bitsandbytes-foundation/bitsandbytes#961", (True, torch.int8))
def linear_of_8_bits() -> object:
    import bitsandbytes

    torch.manual_seed(0)
    plain = nn.Linear(64, 32).half().cuda()
    layer = bitsandbytes.nn.Linear8bitLt(64, 32, has_fp16_weights=False, threshold=6.0)
    layer.load_state_dict({name: x.cpu() for name, x in plain.state_dict().items()})
    layer = layer.cuda()
    x = torch.randn(4, 64, device="cuda", dtype=torch.float16)
    return close(layer(x), plain(x), 0.1), layer.weight.dtype


@idiom(
    "`bitsandbytes.functional.quantize_4bit` and back",
    "bitsandbytes-foundation/bitsandbytes#1695",
    (True, torch.uint8),
)
def nf4() -> object:
    from bitsandbytes import functional

    x = torch.randn(64, 64, device="cuda", dtype=torch.float16)
    packed, state = functional.quantize_4bit(x, quant_type="nf4")
    return close(functional.dequantize_4bit(packed, state), x, 0.6), packed.dtype


@idiom(
    "`xformers.ops.memory_efficient_attention`", "AUTOMATIC1111/stable-diffusion-webui#10429", (True, True)
)
def xformers_attention() -> object:
    import xformers.ops

    q, k, v = (x.detach() for x in qkv())
    plain = xformers.ops.memory_efficient_attention(q, k, v)
    causal = xformers.ops.memory_efficient_attention(q, k, v, attn_bias=xformers.ops.LowerTriangularMask())
    return close(plain, reference(q, k, v)), close(causal, reference(q, k, v, causal=True))


@idiom("a Triton kernel: adding two vectors", "triton-lang/triton/python/tutorials/01-vector-add.py", True, CHILDREN)
def triton_kernel() -> object:
    from idioms import kernels

    x, y = torch.rand(1000, device="cuda"), torch.rand(1000, device="cuda")
    return close(kernels.add(x, y), x + y, 1e-6)


@idiom(
    "a Triton kernel: softmax by rows, tuned", "triton-lang/triton/python/tutorials/02-fused-softmax.py", True, CHILDREN
)
def triton_softmax() -> object:
    from idioms import kernels

    x = torch.randn(5, 100, device="cuda")
    return close(kernels.softmax(x), x.softmax(-1), 1e-5)
