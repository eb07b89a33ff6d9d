"""Checkpoints: written and read here, and fit for machines with other devices."""

from __future__ import annotations

import copy
import io
import pickle
import tempfile
import zipfile
from pathlib import Path

import torch
from torch import nn

from idioms import idiom


def saved(value: object, **options: object) -> io.BytesIO:
    file = io.BytesIO()
    torch.save(value, file, **options)
    file.seek(0)
    return file


def loaded(device: str = "cuda:1", **options: object) -> str:
    return str(torch.load(saved({"w": torch.ones(2, device=device)}), **options)["w"].device)


@idiom(
    "`torch.load(file)` puts things where they were",
    "pytorch/examples/imagenet/main.py",
    ["cuda:0", "cuda:1", "cpu"],
)
def load_where_it_was() -> object:
    return [loaded(device) for device in ("cuda", "cuda:1", "cpu")]


@idiom(
    "`map_location` by name, device, number-like name",
    "resemble-ai/chatterbox#418",
    ["cpu", "cuda:0", "cuda:0", "cuda:1"],
)
def map_location() -> object:
    return [loaded(map_location=where) for where in ("cpu", "cuda:0", torch.device("cuda"), f"cuda:{1}")]


@idiom(
    "`map_location={'cuda:1': 'cuda:0'}`",
    "pytorch/tutorials/intermediate_source/ddp_tutorial.rst",
    ("cuda:0", "cuda:1"),
)
def map_location_by_dict() -> object:
    return loaded(map_location={"cuda:1": "cuda:0"}), loaded(map_location={"cuda:0": "cpu"})


@idiom(
    "`map_location=lambda storage, loc: storage.cuda(0)`",
    "lcswillems/rl-starter-files#57",
    ["cuda:0", "cuda:0", "cpu"],
)
def map_location_by_function() -> object:
    places = (
        lambda storage, loc: storage.cuda(0),
        lambda storage, loc: storage.cuda(),
        lambda storage, loc: storage,
    )
    return [loaded(map_location=place) for place in places]


@idiom("`map_location=lambda storage, loc: …`: what `loc` says", "thunlp/OpenNRE#207", ["cuda:1"])
def location_tag() -> object:
    seen: list[str] = []
    loaded(map_location=lambda storage, loc: (seen.append(loc), storage)[1])
    return seen


@idiom("a CPU checkpoint with `map_location='cuda'`", "xinntao/facexlib#37", "cuda:0")
def from_cpu() -> object:
    return loaded("cpu", map_location="cuda")


@idiom(
    "the file names cuda, so that a CUDA machine can read it",
    "pytorch/pytorch/torch/serialization.py",
    (True, False),
)
def file_names_cuda() -> object:
    with zipfile.ZipFile(saved({"w": torch.ones(2, device="cuda")})) as archive:
        data = archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))
    return b"cuda:0" in data, b"npu" in data


@idiom(
    "`_use_new_zipfile_serialization=False`", "pytorch/pytorch/torch/serialization.py", ("cuda:0", [1.0, 1.0])
)
def old_format() -> object:
    x = torch.load(saved(torch.ones(2, device="cuda"), _use_new_zipfile_serialization=False))
    return str(x.device), x.tolist()


@idiom("`pickle.dumps(x)` of a GPU tensor", "pytorch/pytorch/torch/_tensor.py", ("cuda:0", [2.0], False))
def pickled_tensor() -> object:
    data = pickle.dumps(torch.full((1,), 2.0, device="cuda"))
    x = pickle.loads(data)
    return str(x.device), x.tolist(), b"npu" in data


@idiom(
    "`pickle.dumps` of a module and of a parameter",
    "pytorch/pytorch/torch/nn/parameter.py",
    ("cuda:0", "cuda:1", True),
)
def pickled_module() -> object:
    model = pickle.loads(pickle.dumps(nn.Linear(2, 2).cuda()))
    parameter = pickle.loads(pickle.dumps(nn.Parameter(torch.ones(1, device="cuda:1"))))
    return str(model.weight.device), str(parameter.device), isinstance(parameter, nn.Parameter)


@idiom("a checkpoint of model, optimizer and scaler", "karpathy/nanoGPT/train.py", ("cuda:0", "cuda:0", True))
def checkpoint() -> object:
    model = nn.Linear(4, 2).cuda()
    optimizer = torch.optim.AdamW(model.parameters())
    scaler = torch.amp.GradScaler("cuda")
    scaler.scale(model(torch.ones(2, 4).cuda()).sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    file = saved(
        {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "scaler": scaler.state_dict(),
            "step": 1,
        }
    )
    found = torch.load(file, map_location="cuda")
    other = nn.Linear(4, 2).cuda()
    other.load_state_dict(found["model"])
    again = torch.optim.AdamW(other.parameters())
    again.load_state_dict(found["optimizer"])
    moment = again.state[other.weight]["exp_avg"]
    return str(found["model"]["weight"].device), str(moment.device), torch.equal(other.weight, model.weight)


@idiom(
    "`torch.save(model)` and `weights_only=False`",
    "ultralytics/yolov5/models/experimental.py",
    ("cuda:0", torch.float32),
)
def whole_model() -> object:
    model = torch.load(saved(nn.Sequential(nn.Linear(2, 2)).half().cuda()), weights_only=False).float()
    return str(model[0].weight.device), model[0].weight.dtype


@idiom("`storage.cuda()`, `storage.cpu()`", "pytorch/pytorch/torch/storage.py", ("cuda:1", "cpu", True))
def moved_storage() -> object:
    storage = torch.ones(2).untyped_storage()
    there = storage.cuda(1)
    return str(there.device), str(there.cpu().device), there.is_cuda


@idiom("`torch.load(…, mmap=True, map_location='cuda')`", "pytorch/pytorch/torch/serialization.py", "cuda:0")
def mapped_file() -> object:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "w.pt"
        torch.save({"w": torch.ones(4)}, file)
        return str(torch.load(file, mmap=True, map_location="cuda")["w"].device)


@idiom(
    "`torch.serialization.default_restore_location(storage, 'cuda:0')`",
    "facebookresearch/fairseq/fairseq/checkpoint_utils.py",
    "cuda:0",
)
def restore_location() -> object:
    from torch.serialization import default_restore_location

    return str(default_restore_location(torch.ones(1).untyped_storage(), "cuda:0").device)


@idiom(
    "`copy.deepcopy(model.state_dict())`", "pytorch/examples/imagenet/main.py", (["cuda:0", "cuda:0"], True)
)
def copied_state() -> object:
    model = nn.Linear(2, 2).cuda()
    state = copy.deepcopy(model.state_dict())
    return [str(x.device) for x in state.values()], state["weight"].data_ptr() != model.weight.data_ptr()


@idiom("`model.load_state_dict(state, assign=True)`", "pytorch/pytorch/torch/nn/modules/module.py", "cuda:0")
def assigned_state() -> object:
    with torch.device("meta"):
        model = nn.Linear(2, 2)
    model.load_state_dict({name: x.cuda() for name, x in nn.Linear(2, 2).state_dict().items()}, assign=True)
    return str(model.weight.device)
