"""The command nvidia-smi, as monitoring tools call it."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import xml.etree.ElementTree

import torch

from idioms import DEVICES, idiom


def smi(*arguments: str) -> str:
    done = subprocess.run(["nvidia-smi", *arguments], capture_output=True, text=True, timeout=60)
    return done.stdout if done.returncode == 0 else f"exit {done.returncode}: {done.stdout}{done.stderr}"


@idiom("`shutil.which('nvidia-smi')`", "anderskm/gputil/GPUtil/GPUtil.py", True)
def found() -> object:
    return shutil.which("nvidia-smi") is not None


@idiom("`nvidia-smi`", "pytorch/examples#115", (True, True, True, DEVICES))
def screen() -> object:
    text = smi()
    versions = re.search(r"NVIDIA-SMI (\S+)\s+Driver Version: (\S+)\s+CUDA Version: (\S+)", text)
    return (versions is not None, versions is not None and versions[3].startswith("12."), "Processes:" in text,
            len(re.findall(r"\d+MiB */ *\d+MiB", text)))  # fmt: skip


@idiom("`nvidia-smi -L`", "pytorch/pytorch#80876", [True] * DEVICES)
def listed() -> object:
    lines = smi("-L").splitlines()
    return [re.fullmatch(rf"GPU {i}: NVIDIA [^(]+ \(UUID: GPU-[0-9a-f-]{{36}}\)", line) is not None
            for i, line in enumerate(lines)]  # fmt: skip


@idiom(
    "`--query-gpu=memory.total,memory.used,memory.free`", "pyg-team/pytorch_geometric#10475", (DEVICES, True)
)
def memory() -> object:
    rows = [[int(word) for word in line.split(",")]
            for line in smi("--query-gpu=memory.total,memory.used,memory.free", "--format=csv,noheader,nounits").split("\n")
            if line.strip()]  # fmt: skip
    return len(rows), all(
        used >= 0 and free > 0 and used + free <= total * 1.01 for total, used, free in rows
    )


@idiom("the query of GPUtil", "anderskm/gputil/GPUtil/GPUtil.py", (DEVICES, True, True))
def gputil() -> object:
    fields = ("index,uuid,utilization.gpu,memory.total,memory.used,memory.free,driver_version,name,gpu_serial,"
              "display_active,display_mode,temperature.gpu")  # fmt: skip
    lines = smi(f"--query-gpu={fields}", "--format=csv,noheader,nounits").strip().split("\n")
    rows = [line.split(", ") for line in lines]
    return (len(rows), all(len(row) == 12 and row[7].startswith("NVIDIA") for row in rows),
            all(float(row[2]) >= 0 and float(row[11]) > 0 for row in rows))  # fmt: skip


@idiom("the query of gpustat", "wookayin/gpustat#5", [str(i) for i in range(DEVICES)])
def gpustat() -> object:
    text = smi("--query-gpu=index,uuid,name,temperature.gpu,utilization.gpu,memory.used,memory.total",
               "--format=csv,noheader,nounits")  # fmt: skip
    rows = list(csv.reader(io.StringIO(text), skipinitialspace=True))
    return [row[0] for row in rows if row[1].startswith("GPU-") and all(word.isdigit() for word in row[3:])]


@idiom(
    "`--query-gpu=… --format=csv` with header and units",
    "HSF/prmon#318",
    ("name, memory.total [MiB], clocks.max.sm [MHz]", True),
)
def with_units() -> object:
    lines = smi("--query-gpu=name,memory.total,clocks.max.sm", "--format=csv").strip().splitlines()
    return lines[0], re.fullmatch(r"NVIDIA [^,]+, \d+ MiB, \d+ MHz", lines[1]) is not None


@idiom("`nvidia-smi -q -d Memory` and `grep Free`", "tingofurro/keep_it_simple#4", (True, True))
def freer_gpu() -> object:
    blocks = re.findall(r"FB Memory Usage.*?Free\s+: (\d+) MiB", smi("-q", "-d", "Memory"), re.DOTALL)
    free = [int(one) for one in blocks]
    return len(free) == DEVICES, free.index(max(free)) in range(DEVICES)


@idiom("`nvidia-smi -q -x`", "1Panel-dev/1Panel#11910", (str(DEVICES), DEVICES, True))
def as_xml() -> object:
    root = xml.etree.ElementTree.fromstring(smi("-q", "-x"))
    gpus = root.findall("gpu")
    total = gpus[0].findtext("fb_memory_usage/total", "")
    return root.findtext("attached_gpus"), len(gpus), re.fullmatch(r"\d+ MiB", total) is not None


@idiom("`nvidia-smi -i 1 --query-gpu=index`", "ultralytics/ultralytics/ultralytics/utils/torch_utils.py", "1")
def one_gpu() -> object:
    return smi("-i", "1", "--query-gpu=index", "--format=csv,noheader").strip()


@idiom(
    "`--query-gpu=driver_version`, `compute_cap`", "pytorch/pytorch/torch/utils/collect_env.py", (True, "8.0")
)
def driver() -> object:
    line = smi("--query-gpu=driver_version,compute_cap", "--format=csv,noheader").splitlines()[0]
    version, capability = line.split(", ")
    return re.fullmatch(r"\d+\.\d+(\.\d+)?", version) is not None, capability


@idiom("`--query-compute-apps=pid,used_memory`", "wookayin/gpustat/gpustat/core.py", True)
def process_memory() -> object:
    x = torch.empty(2**20, device="cuda")
    text = smi("--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits")
    return x.is_cuda and all(re.fullmatch(r"\d+, \d+", line) for line in text.strip().splitlines())


@idiom("memory taken by torch is seen there", "awslabs/sockeye#520", True)
def taken_is_seen() -> object:
    def used() -> int:
        return int(smi("-i", "0", "--query-gpu=memory.used", "--format=csv,noheader,nounits"))

    torch.cuda.empty_cache()
    before = used()
    x = torch.empty(2**29, dtype=torch.uint8, device="cuda:0")
    seen = used() - before
    del x
    torch.cuda.empty_cache()
    return 400 <= seen <= 700


@idiom(
    "a field that there is not",
    "leptonai/gpud#128",
    'exit 2: Field "nonsense" is not a valid field to query.',
)
def no_such_field() -> object:
    return smi("--query-gpu=nonsense", "--format=csv").strip()
