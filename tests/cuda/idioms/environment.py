"""Environment variables of CUDA, and processes that a program starts."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys

import torch

from idioms import DEVICES, idiom, raised
from idioms.processes import CHILDREN, CHOSEN_INSIDE, NONE_VISIBLE, ONE_VISIBLE, TURNED

ASK = "import torch; print(torch.cuda.is_available(), torch.cuda.device_count(), torch.zeros(1, device='cuda').device)"


def child(*command: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], env={**os.environ, **variables}, capture_output=True, text=True
    )
    return (
        done.stdout.strip()
        if done.returncode == 0
        else f"exit {done.returncode}: {done.stderr.strip()[-300:]}"
    )


@idiom("`CUDA_VISIBLE_DEVICES=1`", "pytorch/pytorch#20606", (1, "cuda:0", "1", True), ONE_VISIBLE)
def one_device_visible() -> object:
    x = torch.ones(1, device="cuda")
    return (torch.cuda.device_count(), str(x.device), os.environ["CUDA_VISIBLE_DEVICES"],
            "invalid device ordinal" in raised(lambda: torch.ones(1, device="cuda:1")))  # fmt: skip


@idiom("… and `nn.DataParallel` uses that one", "open-mmlab/mmdetection3d#1020", ([0], "cuda:0"), ONE_VISIBLE)
def data_parallel_of_visible() -> object:
    model = torch.nn.DataParallel(torch.nn.Linear(2, 2)).cuda()
    return model.device_ids, str(model(torch.ones(2, 2)).device)


@idiom("… and it is the second GPU that works", "pytorch/pytorch#9158", (True, True), ONE_VISIBLE)
def second_works() -> object:
    import pynvml

    pynvml.nvmlInit()
    x = torch.empty(2**30, dtype=torch.uint8, device="cuda")
    used = [pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByIndex(i)).used for i in range(DEVICES)]
    return x.is_cuda, used[1] - used[0] >= 2**29


@idiom(
    "`CUDA_VISIBLE_DEVICES=''`",
    "pytorch/pytorch#40618",
    (False, 0, "No CUDA GPUs are available"),
    NONE_VISIBLE,
)
def no_device_visible() -> object:
    return torch.cuda.is_available(), torch.cuda.device_count(), raised(lambda: torch.ones(1).cuda())


@idiom(
    "… and the program goes on with the CPU",
    "pytorch/examples/mnist/main.py",
    ("cpu", [2.0], False),
    NONE_VISIBLE,
)
def on_the_cpu() -> object:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    x = torch.ones(1).to(device) * 2
    return x.device.type, x.tolist(), torch.cuda.is_initialized()


@idiom(
    "… and `torch.load` of a GPU checkpoint", "ourownstory/neural_prophet#1473", ("cpu", None), NONE_VISIBLE
)
def loaded_without_a_device() -> object:
    import io

    file = io.BytesIO()
    torch.save(torch.ones(1), file)
    file.seek(0)
    return torch.load(
        file, map_location=None if torch.cuda.is_available() else "cpu"
    ).device.type, torch.cuda.manual_seed_all(0)


@idiom(
    "`os.environ['CUDA_VISIBLE_DEVICES'] = '1'` after `import torch`",
    "pytorch/pytorch#122815",
    (1, 1, "cuda:0"),
    CHOSEN_INSIDE,
)
def chosen_inside() -> object:
    os.environ["CUDA_VISIBLE_DEVICES"] = "1"
    count = torch.cuda.device_count()
    x = torch.ones(1, device="cuda")
    return count, torch.cuda.device_count(), str(x.device)


@idiom("… again after CUDA was used: nothing changes", "pytorch/pytorch#23544", (1, "0,1"), CHOSEN_INSIDE)
def chosen_too_late() -> object:
    torch.ones(1, device="cuda")
    os.environ["CUDA_VISIBLE_DEVICES"] = "0,1"
    return torch.cuda.device_count(), os.environ["CUDA_VISIBLE_DEVICES"]


@idiom("`CUDA_VISIBLE_DEVICES=1,0` turns them round", "pytorch/pytorch#80876", (2, True), TURNED)
def turned_round() -> object:
    import pynvml

    pynvml.nvmlInit()
    ids = [pynvml.nvmlDeviceGetUUID(pynvml.nvmlDeviceGetHandleByIndex(i)) for i in range(DEVICES)]
    seen = [f"GPU-{torch.cuda.get_device_properties(i).uuid}" for i in range(2)]
    return torch.cuda.device_count(), seen == ids[::-1]


@idiom(
    "a process started with `subprocess` sees the GPUs",
    "facebookresearch/detectron2/detectron2/utils/collect_env.py",
    f"True {DEVICES} cuda:0",
    CHILDREN,
)
def subprocess_sees_devices() -> object:
    return child("-c", ASK)


@idiom(
    "… one of them with `CUDA_VISIBLE_DEVICES=1`", "GeeeekExplorer/nano-vllm#22", "True 1 cuda:0", CHILDREN
)
def subprocess_sees_one() -> object:
    return child("-c", ASK, CUDA_VISIBLE_DEVICES="1")


def ask_devices(answers: multiprocessing.SimpleQueue) -> None:
    answers.put((torch.cuda.device_count(), str(torch.ones(1).cuda().device)))


@idiom(
    "a process of `multiprocessing` by `spawn`",
    "IDEA-CCNL/Fengshenbang-LM#259",
    (DEVICES, "cuda:0"),
    CHILDREN,
)
def spawned() -> object:
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    process = context.Process(target=ask_devices, args=(answers,))
    process.start()
    process.join(120)
    return answers.get() if process.exitcode == 0 else f"exit {process.exitcode}"


@idiom("a process that forks uses CUDA", "facebookresearch/pycls#183", True, CHILDREN)
def forked() -> object:
    torch.ones(1, device="cuda")
    read, write = os.pipe()
    process = os.fork()
    if not process:
        text = "Cannot re-initialize CUDA in forked subprocess"
        os.write(
            write,
            b"1" if text in raised(lambda: torch.ones(1).cuda(), RuntimeError, AssertionError) else b"0",
        )
        os._exit(0)
    os.waitpid(process, 0)
    return os.read(read, 1) == b"1"


@idiom("`python -m torch.utils.collect_env`", "pytorch/pytorch#91302", [True, True, True], CHILDREN)
def collect_env() -> object:
    text = child("-m", "torch.utils.collect_env")
    wanted = ("CUDA used to build PyTorch: 12.8", "Is CUDA available: True", "GPU 0: NVIDIA A100")
    return [line in text for line in wanted]


@idiom(
    "`PYTORCH_CUDA_ALLOC_CONF` and `CUDA_LAUNCH_BLOCKING` are taken",
    "unslothai/unsloth/unsloth/__init__.py",
    [2.0],
    CHILDREN,
)
def settings_are_taken() -> object:
    return (torch.ones(1, device="cuda") * 2).tolist()
