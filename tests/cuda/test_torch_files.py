"""Files under the CUDA face: every map_location, old and new format, and they load where no chip and no jumar is."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
import torch_npu  # noqa: F401

pytestmark = [pytest.mark.usefixtures("face_for_module"), pytest.mark.filterwarnings("ignore")]

MAPS: dict[str, tuple[Any, str]] = {
    "none": (None, "cuda:1"),
    "cpu": ("cpu", "cpu"),
    "cuda": ("cuda", "cuda:0"),
    "cuda:0": ("cuda:0", "cuda:0"),
    "dictionary": ({"cuda:1": "cuda:0"}, "cuda:0"),
    "dictionary to cpu": ({"cuda:1": "cpu"}, "cpu"),
    "function that keeps": (lambda storage, tag: storage, "cpu"),
    "function that moves": (lambda storage, tag: storage.cuda(0), "cuda:0"),
    "restore": (
        lambda storage, tag: torch.serialization.default_restore_location(storage, "cuda:0"),
        "cuda:0",
    ),
    "meta": ("meta", "meta"),
}


def saved(value: Any, **chosen: Any) -> io.BytesIO:
    file = io.BytesIO()
    torch.save(value, file, **chosen)
    file.seek(0)
    return file


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old"])
@pytest.mark.parametrize("name", MAPS)
def test_map_location(name: str, zipped: bool) -> None:
    where, wanted = MAPS[name]
    file = saved({"x": torch.arange(3.0, device="cuda:1")}, _use_new_zipfile_serialization=zipped)
    x = torch.load(file, map_location=where)["x"]
    assert x.device == torch.device(wanted)
    if wanted != "meta":
        assert x.tolist() == [0, 1, 2]


def test_map_location_as_a_device_and_under_a_default_device() -> None:
    file = saved(torch.ones(2, device="cuda:1"))
    assert torch.load(file, map_location=torch.device("cuda")).device == torch.device("cuda:0")
    file.seek(0)
    assert torch.load(file, weights_only=False).device == torch.device("cuda:1")


def test_a_function_sees_the_tag_of_cuda() -> None:
    tags: list[str] = []

    def look(storage: Any, tag: str) -> Any:
        tags.append(tag)
        return storage

    torch.load(saved(torch.ones(2, device="cuda")), map_location=look)
    assert tags == ["cuda:0"]


def test_a_chip_that_is_not_there() -> None:
    with pytest.raises(
        RuntimeError, match=r"Attempting to deserialize object on CUDA device 7 but torch.cuda.device_co"
    ):
        torch.load(saved(torch.ones(2, device="cuda")), map_location="cuda:7")


def test_mmap(tmp_path: Path) -> None:
    torch.save(torch.ones(3, device="cuda"), tmp_path / "x.pt")
    assert torch.load(tmp_path / "x.pt", mmap=True, map_location="cpu").tolist() == [1, 1, 1]
    assert torch.load(tmp_path / "x.pt", mmap=True, map_location="cuda").is_cuda


def test_nothing_of_the_adapter_is_in_a_file() -> None:
    with zipfile.ZipFile(saved({"x": torch.ones(2, device="cuda"), "p": torch.nn.Parameter(HALF())})) as file:
        parts = b"".join(file.read(name) for name in file.namelist() if name.endswith("data.pkl"))
    assert b"cuda:0" in parts and b"npu" not in parts
    assert b"npu" not in pickle.dumps(torch.ones(2, device="cuda"))


def HALF() -> torch.Tensor:
    return torch.ones(2, device="cuda", dtype=torch.half)


def test_a_file_saved_under_the_chips_own_name_loads() -> None:
    raw = saved({"x": torch.arange(3.0, device="cuda")}).getvalue()
    plain = saved({"x": torch.arange(3.0)}, _use_new_zipfile_serialization=False).getvalue()
    assert b"cuda:0" in raw
    old = plain.replace(b"X\x03\x00\x00\x00cpu", b"X\x05\x00\x00\x00npu:0")
    assert torch.load(io.BytesIO(old)).popitem()[1].device == torch.device("cuda:0")
    assert torch.load(io.BytesIO(old), map_location="cpu")["x"].tolist() == [0, 1, 2]


def test_files_load_where_neither_chip_nor_jumar_is(tmp_path: Path) -> None:
    model = torch.nn.Linear(2, 2).cuda()
    torch.save(
        {"model": model.state_dict(), "whole": model, "x": torch.ones(2, device="cuda")}, tmp_path / "new.pt"
    )
    torch.save(model.state_dict(), tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    (tmp_path / "optimizer.pkl").write_bytes(pickle.dumps(torch.ones(2, device="cuda").cpu()))
    program = (
        "import pickle, sys, torch\n"
        "found = torch.load('new.pt', map_location='cpu', weights_only=False)\n"
        "assert found['x'].device.type == 'cpu' and found['whole'](found['x']).shape == (2,)\n"
        "assert torch.load('old.pt', map_location='cpu')['weight'].shape == (2, 2)\n"
        "pickle.load(open('optimizer.pkl', 'rb'))\n"
        "try: torch.load('new.pt', weights_only=False)\n"
        "except RuntimeError as error: assert 'Attempting to deserialize object on a CUDA device' in str(error), error\n"
        "else: raise AssertionError('loaded on a device that is not there')\n"
        "assert 'torch_npu' not in sys.modules and 'jumar.cuda' not in sys.modules\n"
    )
    inside = {name: value for name, value in os.environ.items() if not name.startswith(("JUMAR", "LD_"))}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True,
                   env=inside | {"TORCH_DEVICE_BACKEND_AUTOLOAD": "0"})  # fmt: skip


@pytest.mark.parametrize("where", [None, "cuda", "cuda:0", torch.device("cpu"), "cpu"])
def test_torchscript_files(where: Any) -> None:
    file = io.BytesIO()
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2).cuda(), torch.ones(1, 2, device="cuda")), file)
    file.seek(0)
    loaded = torch.jit.load(file, map_location=where)
    assert next(loaded.parameters()).device.type == ("cpu" if "cpu" in str(where) else "cuda")


@pytest.mark.parametrize("kind", [torch.Tensor, torch.nn.Parameter])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64])
def test_tensors_go_to_another_process(kind: type, dtype: torch.dtype) -> None:
    from multiprocessing.reduction import ForkingPickler

    x = torch.arange(6, device="cuda", dtype=dtype).view(2, 3)[:, 1:]
    sent = torch.nn.Parameter(x, requires_grad=False) if kind is torch.nn.Parameter else x
    found = pickle.loads(bytes(ForkingPickler.dumps(sent)))
    assert type(found) is kind and found.is_cuda and found.dtype == dtype and torch.equal(found, x)


def test_a_tensor_that_hangs_on_others_is_not_sent() -> None:
    from multiprocessing.reduction import ForkingPickler

    with pytest.raises(RuntimeError, match="Cowardly refusing to serialize non-leaf tensor"):
        ForkingPickler.dumps(torch.ones(1, device="cuda", requires_grad=True) * 2)


@pytest.mark.parametrize("workers", [0, 2])
def test_loaders_pin_memory(workers: int) -> None:
    data = torch.utils.data.TensorDataset(torch.arange(8.0))
    loader = torch.utils.data.DataLoader(data, batch_size=4, num_workers=workers, pin_memory=True, pin_memory_device="cuda",
                                         multiprocessing_context="fork" if workers else None)  # fmt: skip
    batches = [batch for (batch,) in loader]
    assert all(batch.is_pinned() for batch in batches)
    assert torch.cat([batch.cuda(non_blocking=True) for batch in batches]).tolist() == list(range(8))
