"""Libraries with an Ascend path of their own, under the CUDA face: each takes its CUDA path, and works on it."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import jumar.cuda
from jumar import cudamap

pytestmark = pytest.mark.needs_chip


@pytest.fixture(scope="module", autouse=True)
def face() -> Iterator[None]:
    with jumar.cuda():
        yield


def library(name: str) -> Any:
    return pytest.importorskip(name, reason=f"{name} is not installed")


# What a library says about the machine: expression over its modules → what it says on a CUDA machine.
SAYS = [
    ("transformers.utils", "is_torch_npu_available()", False),
    ("transformers.utils", "is_torch_cuda_available()", True),
    ("transformers.utils", "is_torch_bf16_gpu_available()", True),
    ("transformers.integrations.sdpa_attention", "_is_torch_npu_available", False),
    ("accelerate.utils", "is_npu_available()", False),
    ("accelerate.utils", "is_cuda_available()", True),
    ("accelerate.utils", "is_bf16_available()", True),
    ("peft.utils.other", "infer_device()", "cuda"),
    ("diffusers.utils", "is_torch_npu_available()", False),
    ("diffusers.models.attention_dispatch", "_CAN_USE_NPU_ATTN", False),
    ("deepspeed.accelerator", "get_accelerator().device_name()", "cuda"),
    ("deepspeed.accelerator", "get_accelerator().communication_backend_name()", "nccl"),
    ("lightning.fabric.accelerators.cuda", "CUDAAccelerator.is_available()", True),
    ("lightning.fabric.accelerators.cuda", "num_cuda_devices() > 0", True),
    ("mmengine.device", "get_device()", "cuda"),
    ("torchtune.utils", "get_device().type", "cuda"),
]


@pytest.mark.parametrize(("module", "expression", "expected"), SAYS, ids=[f"{row[0]}:{row[1]}" for row in SAYS])
def test_a_library_says_what_it_says_on_a_cuda_machine(module: str, expression: str, expected: Any) -> None:
    library(module.partition(".")[0])
    assert eval(expression, vars(importlib.import_module(module)).copy()) == expected


def test_every_changed_name_is_there() -> None:
    """A name that a new version of a library has moved would only be a warning at run time."""
    from jumar.cuda import registry

    for row in cudamap.names("libraries"):
        with contextlib.suppress(ImportError):
            importlib.import_module(row.cuda.partition(".")[0])
            registry.resolve(row.cuda)


def test_leaving_gives_the_libraries_back_what_they_said() -> None:
    diffusers = library("diffusers")
    during = diffusers.utils.is_torch_npu_available
    jumar.cuda.leave()
    try:
        assert diffusers.utils.import_utils.is_torch_npu_available is not during
        assert os.environ.get("DS_ACCELERATOR") is None
    finally:
        jumar.cuda.enter()
    assert not diffusers.utils.is_torch_npu_available()


def test_an_own_ascend_program_still_finds_the_chip() -> None:
    import torch

    assert torch.npu.is_available()


DEVICES: list[tuple[str, Callable[[], Any]]] = [
    ("cuda", lambda: "cuda"),
    ("cuda:0", lambda: "cuda:0"),
    ("number", lambda: 0),
]


@pytest.mark.parametrize("where", [make for _, make in DEVICES], ids=[name for name, _ in DEVICES])
def test_safetensors_load_onto_the_chip(where: Callable[[], Any], tmp_path: Path) -> None:
    import torch

    library("safetensors")
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    kept = {"a": torch.arange(6.0, device="cuda").view(2, 3), "b": torch.ones(3, dtype=torch.bfloat16, device="cuda")}
    save_file(kept, tmp_path / "weights.safetensors")
    loaded = load_file(tmp_path / "weights.safetensors", device=where())
    assert all(loaded[name].device == torch.device("cuda", 0) for name in kept)
    assert all(torch.equal(loaded[name].cpu(), kept[name].cpu()) for name in kept)
    if not isinstance(where(), torch.device):
        with safe_open(tmp_path / "weights.safetensors", framework="pt", device=where()) as file:
            assert file.get_slice("a")[1:, :2].tolist() == [[3.0, 4.0]]
            assert file.get_tensor("b").is_cuda


def llama(**changed: Any) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64}
    return LlamaForCausalLM(LlamaConfig(**(shape | heads | {"pad_token_id": 0} | changed)))


def test_transformers_save_and_load_with_a_device_map(tmp_path: Path) -> None:
    import torch

    library("accelerate")
    library("transformers")
    torch.manual_seed(0)
    model = llama().eval()
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path, device_map="auto", dtype=torch.float32).eval()
    assert loaded.device == torch.device("cuda", 0)
    ids = torch.arange(1, 9).unsqueeze(0)
    with torch.no_grad():
        expected = model(ids).logits
        got = loaded(ids.cuda()).logits
    assert got.device.type == "cuda"
    torch.testing.assert_close(got.cpu(), expected, atol=2e-4, rtol=2e-4)


@pytest.mark.parametrize("cache", [None, "static"])
def test_transformers_generate(cache: str | None) -> None:
    import torch

    library("transformers")
    torch.manual_seed(0)
    model = llama().eval()
    ids = torch.tensor([[5, 6, 7, 8]])
    how = {"max_new_tokens": 6, "do_sample": False, "cache_implementation": cache, "disable_compile": True}
    expected = model.generate(ids, **how).tolist()
    assert model.cuda().generate(ids.cuda(), **how).tolist() == expected


def test_accelerate_prepares_and_trains() -> None:
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    library("accelerate")
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
    try:
        accelerator = Accelerator(mixed_precision="fp16", gradient_accumulation_steps=2)
        assert accelerator.device.type == "cuda"
        torch.manual_seed(0)
        model = torch.nn.Linear(4, 1)
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
        x = torch.randn(64, 4)
        loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=8)
        model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
        losses = []
        for _ in range(3):
            for a, b in loader:
                assert a.is_cuda
                with accelerator.accumulate(model):
                    loss = torch.nn.functional.mse_loss(model(a), b)
                    accelerator.backward(loss)
                    optimizer.step()
                    optimizer.zero_grad()
                losses.append(loss.item())
        assert losses[-1] < losses[0]
        assert accelerator.gather(loss).is_cuda
    finally:
        AcceleratorState._reset_state(reset_partial_state=True)


def test_accelerate_offloads_what_does_not_fit() -> None:
    import torch

    library("accelerate")
    from accelerate import dispatch_model, infer_auto_device_map

    torch.manual_seed(0)
    model = llama().eval()
    ids = torch.arange(1, 9).unsqueeze(0)
    with torch.no_grad():
        expected = model(ids).logits
        half = sum(p.numel() for p in model.parameters()) * 2
        where = infer_auto_device_map(
            model, max_memory={0: half, "cpu": 10**9}, no_split_module_classes=["LlamaDecoderLayer"]
        )
        assert set(where.values()) == {0, "cpu"}
        dispatched = dispatch_model(model, device_map=where)
        got = dispatched(ids.cuda()).logits
    torch.testing.assert_close(got.cpu(), expected, atol=2e-4, rtol=2e-4)


def test_peft_trains_its_adapters_alone() -> None:
    import torch

    peft = library("peft")
    torch.manual_seed(0)
    model = peft.get_peft_model(llama(), peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj"])).cuda()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.05)
    ids = torch.arange(1, 17, device="cuda").view(2, 8)
    losses = []
    for _ in range(4):
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert {p.device.type for p in model.parameters()} == {"cuda"}


def test_diffusers_layers_are_those_of_cuda() -> None:
    """With the vendor's operators taken, activations and norms would call torch_npu."""
    import torch

    library("diffusers")
    from diffusers.models.activations import GEGLU
    from diffusers.models.normalization import RMSNorm
    from diffusers.utils.torch_utils import randn_tensor

    torch.manual_seed(0)
    x, gate, norm = torch.randn(2, 5, 8), GEGLU(8, 4), RMSNorm(8, eps=1e-6)
    with torch.no_grad():
        expected = gate(norm(x))
        got = gate.cuda()(norm.cuda()(x.cuda()))
    torch.testing.assert_close(got.cpu(), expected, atol=1e-4, rtol=1e-4)
    drawn = randn_tensor((2, 3), generator=torch.Generator("cuda").manual_seed(0), device=torch.device("cuda"))
    assert drawn.is_cuda


def test_torchmetrics_count_on_the_chip() -> None:
    import torch

    metrics = library("torchmetrics")
    accuracy = metrics.Accuracy(task="multiclass", num_classes=3).to("cuda")
    guesses = torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1]], device="cuda")
    accuracy.update(guesses, torch.tensor([0, 2], device="cuda"))
    assert accuracy.compute().item() == pytest.approx(0.5)
    assert accuracy.device.type == "cuda"


def test_timm_models_train() -> None:
    import torch

    timm = library("timm")
    model = timm.create_model("test_vit", num_classes=3, img_size=32).cuda()
    loss = model(torch.randn(2, 3, 32, 32, device="cuda")).square().mean()
    loss.backward()
    assert torch.isfinite(loss) and all(p.grad is not None for p in model.parameters())


def test_lightning_fits(tmp_path: Path) -> None:
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    lightning = library("lightning")

    class Line(lightning.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.losses = torch.nn.Linear(4, 1), []

        def training_step(self, batch: Any, index: int) -> Any:
            loss = torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1])
            self.losses.append(loss.detach())
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    x = torch.randn(64, 4)
    model = Line()
    trainer = lightning.Trainer(
        accelerator="gpu", devices=1, precision="bf16-mixed", max_epochs=1, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(model, DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=8))
    assert trainer.strategy.root_device.type == "cuda"
    assert model.losses[-1] < model.losses[0]
