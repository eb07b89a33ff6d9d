"""Tensors of the device in files, pickles and copies between processes of the same program."""

from __future__ import annotations

import copy
import io
import pickle
from pathlib import Path

import pytest
import torch

DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int8, torch.bool)


def sample(dtype: torch.dtype) -> torch.Tensor:
    return torch.arange(24).reshape(4, 6).remainder(5).to(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_save_and_load(device: str, dtype: torch.dtype, tmp_path: Path) -> None:
    tensor = sample(dtype).to(device)
    torch.save({"whole": tensor, "part": tensor[1:3]}, tmp_path / "tensors.pt")
    loaded = torch.load(tmp_path / "tensors.pt")
    assert loaded["whole"].device.type == device
    assert torch.equal(loaded["whole"].cpu(), sample(dtype))
    assert torch.equal(loaded["part"].cpu(), sample(dtype)[1:3])


def test_load_onto_the_cpu_and_back(device: str, tmp_path: Path) -> None:
    file = tmp_path / "tensor.pt"
    torch.save(sample(torch.float32).to(device), file)
    assert torch.load(file, map_location="cpu").device.type == "cpu"
    torch.save(sample(torch.float32), file)
    loaded = torch.load(file, map_location=device)
    assert loaded.device.type == device and torch.equal(loaded.cpu(), sample(torch.float32))


def test_save_and_load_a_transposed_view(device: str) -> None:
    file = io.BytesIO()
    torch.save(sample(torch.float32).to(device).t(), file)
    file.seek(0)
    assert torch.equal(torch.load(file).cpu(), sample(torch.float32).t())


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_pickle(device: str, dtype: torch.dtype) -> None:
    loaded = pickle.loads(pickle.dumps(sample(dtype).to(device)))
    assert loaded.device.type == device and torch.equal(loaded.cpu(), sample(dtype))


def test_pickle_keeps_parameters(device: str) -> None:
    model = torch.nn.Linear(3, 2).to(device)
    loaded = pickle.loads(pickle.dumps(model))
    assert isinstance(loaded.weight, torch.nn.Parameter) and loaded.weight.device.type == device
    assert torch.equal(loaded.weight.cpu(), model.weight.cpu())


def test_deep_copy_is_independent(device: str) -> None:
    tensor = sample(torch.float32).to(device)
    other = copy.deepcopy(tensor)
    tensor.zero_()
    assert torch.equal(other.cpu(), sample(torch.float32))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_copies_between_strides_and_dtypes(device: str, dtype: torch.dtype) -> None:
    source = sample(dtype)
    assert torch.equal(source.to(device).t().cpu(), source.t())
    assert torch.equal(source.t().to(device).cpu(), source.t())
    into = torch.zeros(6, 4, dtype=torch.float32, device=device)
    into.t().copy_(source.to(device))
    assert torch.equal(into.cpu(), source.t().float())
    part = torch.zeros(4, 12, dtype=dtype)
    part[:, ::2].copy_(source.to(device))
    assert torch.equal(part[:, ::2], source) and not part[:, 1::2].any()


def test_numpy_round_trip(device: str) -> None:
    array = sample(torch.float32).to(device).cpu().numpy()
    assert torch.equal(torch.from_numpy(array).to(device).cpu(), sample(torch.float32))
