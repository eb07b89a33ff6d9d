"""Work on several GPUs in one process."""

from __future__ import annotations

import torch
from torch import nn

from idioms import DEVICES, idiom, raised


@idiom("`torch.cuda.device_count() > 1`", "pytorch/examples/imagenet/main.py", (DEVICES, True))
def more_than_one() -> object:
    return torch.cuda.device_count(), torch.cuda.device_count() > 1


@idiom("a copy from one GPU to the other", "Project-MONAI/GenerativeModels#371", ("cuda:1", [1.0, 2.0], True))
def copy_between() -> object:
    x = torch.tensor([1.0, 2.0], device="cuda:0")
    y = x.to("cuda:1", non_blocking=True)
    return str(y.device), y.tolist(), torch.equal(y.to(x.device), x)


@idiom("tensors of two GPUs in one operation", "kkirchheim/pytorch-ood#27",
       "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cuda:1!")  # fmt: skip
def two_in_one_operation() -> object:
    return raised(lambda: torch.ones(2, device="cuda:0") + torch.ones(2, device="cuda:1"))


@idiom(
    "`with torch.cuda.device(1):` and `x.cuda()`, `device='cuda'`",
    "pytorch/pytorch/docs/source/notes/cuda.rst",
    ["cuda:1", "cuda:1", "cuda:1"],
)
def current_device() -> object:
    with torch.cuda.device(1):
        x = torch.ones(1)
        return [str(y.device) for y in (x.cuda(), torch.ones(1, device="cuda"), torch.cuda.FloatTensor(1))]


@idiom(
    "layers on two GPUs, backward across",
    "pytorch/tutorials/intermediate_source/model_parallel_tutorial.py",
    ("cuda:1", "cuda:0", "cuda:1"),
)
def model_parallel() -> object:
    first, second = nn.Linear(4, 8).to("cuda:0"), nn.Linear(8, 2).to("cuda:1")
    y = second(first(torch.ones(3, 4, device="cuda:0")).to("cuda:1"))
    y.sum().backward()
    return str(y.device), str(first.weight.grad.device), str(second.weight.grad.device)


@idiom("`nn.DataParallel(model).cuda()`", "pytorch/pytorch#17363", ([0, 1], (6, 2), "cuda:0", True))
def data_parallel() -> object:
    torch.manual_seed(0)
    model = nn.DataParallel(nn.Linear(4, 2).cuda())
    x = torch.randn(6, 4, device="cuda")
    y = model(x)
    y.sum().backward()
    same = torch.allclose(y, model.module(x), atol=1e-6) and model.module.weight.grad is not None
    return model.device_ids, tuple(y.shape), str(y.device), same


@idiom(
    "`nn.DataParallel(model, device_ids=[0])`",
    "NTMC-Community/MatchZoo-py#90",
    ((3, 2), ["module.weight", "module.bias"]),
)
def data_parallel_on_one() -> object:
    model = nn.DataParallel(nn.Linear(4, 2), device_ids=[0]).cuda()
    return tuple(model(torch.ones(3, 4)).shape), list(model.state_dict())


@idiom("`DataParallel` of a module that is elsewhere", "ethnhe/FFB6D#4", True)
def data_parallel_elsewhere() -> object:
    model = nn.DataParallel(nn.Linear(4, 2).to("cuda:1"), device_ids=[0, 1])
    text = raised(lambda: model(torch.ones(2, 4)))
    return text == (
        "module must have its parameters and buffers on device cuda:0 (device_ids[0]) "
        "but found one of them on device: cuda:1"
    )


@idiom(
    "`nn.parallel.scatter` and `gather`",
    "zhanghang1989/PyTorch-Encoding/encoding/parallel.py",
    (["cuda:0", "cuda:1"], "cuda:0", True),
)
def scatter_and_gather() -> object:
    x = torch.arange(4.0)
    parts = nn.parallel.scatter(x, [0, 1])
    whole = nn.parallel.gather(parts, 0)
    return [str(part.device) for part in parts], str(whole.device), torch.equal(whole.cpu(), x)


@idiom(
    "`nn.parallel.replicate` and `parallel_apply`",
    "zhanghang1989/PyTorch-Encoding/encoding/parallel.py",
    ["cuda:0", "cuda:1"],
)
def replicate() -> object:
    replicas = nn.parallel.replicate(nn.Linear(2, 2).cuda(), [0, 1])
    inputs = [(torch.ones(1, 2, device=f"cuda:{i}"),) for i in (0, 1)]
    return [str(y.device) for y in nn.parallel.parallel_apply(replicas, inputs)]


@idiom(
    "`torch.cuda.comm.broadcast`, `reduce_add`",
    "pytorch/pytorch/torch/cuda/comm.py",
    (["cuda:0", "cuda:1"], [2.0, 2.0], "cuda:0"),
)
def broadcast_and_add() -> object:
    from torch.cuda import comm

    copies = comm.broadcast(torch.ones(2, device="cuda:0"), devices=[0, 1])
    total = comm.reduce_add(copies, destination=0)
    return [str(x.device) for x in copies], total.tolist(), str(total.device)


@idiom(
    "`torch.cuda.comm.scatter(x, devices, chunk_sizes)`",
    "pytorch/pytorch/torch/cuda/comm.py",
    ([1, 3], "cuda:1", 4),
)
def comm_scatter() -> object:
    from torch.cuda import comm

    parts = comm.scatter(torch.arange(4.0), [0, 1], chunk_sizes=[1, 3])
    return [len(part) for part in parts], str(parts[1].device), len(comm.gather(parts, destination=0))


@idiom("random numbers of each GPU are its own", "pytorch/pytorch/torch/cuda/random.py", (True, True))
def random_of_each() -> object:
    torch.cuda.manual_seed_all(1)
    x = torch.rand(4, device="cuda:0")
    torch.rand(4, device="cuda:0")
    y = torch.rand(4, device="cuda:1")
    return torch.equal(x.cpu(), y.cpu()), not torch.equal(x, torch.rand(4, device="cuda:0"))


@idiom("streams and events across GPUs", "pytorch/pytorch/torch/cuda/streams.py", [3.0])
def event_across() -> object:
    with torch.cuda.device(1):
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            x = torch.ones(1, device="cuda:1") + 1
            event = stream.record_event()
    torch.cuda.current_stream("cuda:0").wait_event(event)
    y = x.to("cuda:0") + 1
    torch.cuda.synchronize("cuda:0")
    return y.tolist()


@idiom(
    "`for i in range(n): f'cuda:{i}'` round robin",
    "huggingface/transformers#38468",
    ["cuda:0", "cuda:1", "cuda:0"],
)
def round_robin() -> object:
    return [str(torch.nn.Linear(1, 1).to(i % torch.cuda.device_count()).weight.device) for i in range(3)]
