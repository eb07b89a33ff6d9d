"""Python that names CUDA: what each idiom becomes, and that a second run leaves it."""

from __future__ import annotations

import ast

import pytest

from jumar.port import porting, scanning
from jumar.port.agnostic import LINE, names
from jumar.port.document import Document

HEAD = "import torch\n"
CHOSEN = f"import torch\n\n{LINE}\n\n"
TYPE = "torch.accelerator.current_accelerator().type"
CHOICE = LINE.partition(" = ")[2]
AVAILABLE = "torch.accelerator.is_available()"

# before, after; both follow `import torch`
PLAIN = {
    'device = "cuda"\n': f"device = {CHOICE}\n",
    'd = "cuda" if torch.cuda.is_available() else "cpu"\n': f'd = {TYPE} if {AVAILABLE} else "cpu"\n',
    "d = 'cuda:0' if torch.cuda.is_available() else 'cpu'\n": f"d = f'{{{TYPE}}}:0' if {AVAILABLE} else 'cpu'\n",
    'b = "nccl" if torch.cuda.is_available() else "gloo"\n': (
        f'b = torch.distributed.get_default_backend_for_device({TYPE}) if {AVAILABLE} else "gloo"\n'
    ),
    "torch.cuda.synchronize()\n": f"if {AVAILABLE}:\n    torch.accelerator.synchronize()\n",
    "a = 1; torch.cuda.synchronize()\n": f"a = 1; torch.accelerator.synchronize() if {AVAILABLE} else None\n",
    "if torch.cuda.is_available():\n    torch.cuda.empty_cache()\n": (
        f"if {AVAILABLE}:\n    torch.accelerator.empty_cache()\n"
    ),
    "if not torch.cuda.is_available():\n    raise SystemExit\ntorch.cuda.synchronize()\n": (
        f"if not {AVAILABLE}:\n    raise SystemExit\ntorch.accelerator.synchronize()\n"
    ),
    "assert torch.cuda.is_available()\nn = torch.cuda.max_memory_allocated()\n": (
        f"assert {AVAILABLE}\nn = torch.accelerator.max_memory_allocated()\n"
    ),
    "n = torch.cuda.max_memory_allocated() / 2**20\n": (
        f"n = (torch.accelerator.max_memory_allocated() if {AVAILABLE} else 0) / 2**20\n"
    ),
    "ok = torch.cuda.is_available() and torch.cuda.is_bf16_supported()\n": (
        f"ok = {AVAILABLE} and torch.get_device_module().is_bf16_supported()\n"
    ),
    "def f(x):\n  torch.cuda.synchronize()  # wait\n": (
        f"def f(x):\n  if {AVAILABLE}:\n    torch.accelerator.synchronize()  # wait\n"
    ),
    "def f():\n\ttorch.cuda.empty_cache()\n": f"def f():\n\tif {AVAILABLE}:\n\t\ttorch.accelerator.empty_cache()\n",
    'if x.device.type == "cuda":\n    pass\n': 'if x.device.type in ("cuda", "npu"):\n    pass\n',
    "if x.device.type != 'cuda':\n    pass\n": "if x.device.type not in ('cuda', 'npu'):\n    pass\n",
    'ok = device in ("cuda", "mps")\n': 'ok = device in ("cuda", "npu", "mps")\n',
    'p.add_argument("--device", choices=["cpu", "cuda"])\n': (
        'p.add_argument("--device", choices=["cpu", "cuda", "npu"])\n'
    ),
    'print(f"{torch.cuda.device_count()} devices")\n': 'print(f"{torch.accelerator.device_count()} devices")\n',
    "assert x.is_cuda\n": 'assert x.device.type in ("cuda", "npu")\n',
    "free, total = torch.cuda.mem_get_info()\n": (
        f"free, total = (torch.accelerator.get_memory_info() if {AVAILABLE} else (0, 0))\n"
    ),
    "if input.ok:\n    n = torch.cuda.device_count()\n": "if input.ok:\n    n = torch.accelerator.device_count()\n",
    "with torch.cuda.stream(side):\n    f()\n": "with side:\n    f()\n",
}  # fmt: skip

# These bring in the constant.
WITH_CONSTANT = {
    "x = x.cuda()\n": "x = x.to(device_type)\n",
    "x = x.cuda(non_blocking=True)\n": "x = x.to(device_type, non_blocking=True)\n",
    "x = x.cuda(0)\n": "x = x.to(torch.device(device_type, 0))\n",
    "x = x.cuda(rank, non_blocking=True)\n": "x = x.to(torch.device(device_type, rank), non_blocking=True)\n",
    "x = x.cuda(device=local_rank)\n": "x = x.to(device=torch.device(device_type, local_rank))\n",
    "x = (\n    x\n    .cuda()\n)\n": "x = (\n    x\n    .to(device_type)\n)\n",
    'x = torch.zeros(3, device="cuda")\n': "x = torch.zeros(3, device=device_type)\n",
    'd = torch.device("cuda", 1)\n': "d = torch.device(device_type, 1)\n",
    'd = torch.device(f"cuda:{i}")\n': 'd = torch.device(f"{device_type}:{i}")\n',
    'd = "cuda:%d" % i\n': 'd = f"{device_type}:%d" % i\n',
    "x = x.to(torch.cuda.current_device())\n": "x = x.to(device_type)\n",
    "with torch.cuda.amp.autocast():\n    pass\n": "with torch.autocast(device_type):\n    pass\n",
    "with torch.cuda.amp.autocast(amp):\n    pass\n": "with torch.autocast(device_type, enabled=amp):\n    pass\n",
    "with torch.cuda.amp.autocast(dtype=t):\n    pass\n": "with torch.autocast(device_type, dtype=t):\n    pass\n",
    'with torch.autocast("cuda"):\n    pass\n': "with torch.autocast(device_type):\n    pass\n",
    "s = torch.cuda.amp.GradScaler(enabled=amp)\n": "s = torch.amp.GradScaler(device_type, enabled=amp)\n",
    "@torch.cuda.amp.custom_fwd\ndef f():\n    pass\n": (
        "@torch.amp.custom_fwd(device_type=device_type)\ndef f():\n    pass\n"
    ),
    "x = torch.cuda.FloatTensor(2, 3)\n": "x = torch.empty(2, 3, dtype=torch.float32, device=device_type)\n",
    "x = x.type(torch.cuda.LongTensor)\n": "x = x.to(device_type, torch.int64)\n",
    'torch.distributed.init_process_group("nccl")\n': (
        "torch.distributed.init_process_group(torch.distributed.get_default_backend_for_device(device_type))\n"
    ),
    'p.add_argument("--device", default="cuda")\n': 'p.add_argument("--device", default=device_type)\n',
}

WHOLE = {
    "the constant stands behind the imports at the head": (
        '"""Uses cuda."""\n\nimport os\n\nimport torch\nfrom torch import nn\n\nx = nn.Linear(1, 1).cuda()\n',
        '"""Uses cuda."""\n\nimport os\n\nimport torch\nfrom torch import nn\n\n'
        f"{LINE}\n\nx = nn.Linear(1, 1).to(device_type)\n",
    ),
    "a name that is taken is not used": (
        "import torch\n\n\ndef f(device_type, x):\n    return x.cuda()\n",
        f"import torch\n\naccelerator_type = {CHOICE}\n\n\ndef f(device_type, x):\n    return x.to(accelerator_type)\n",
    ),
    "torch is imported where it was not": (
        "from torch import nn\n\nm = nn.Linear(1, 1).cuda()\n",
        f"import torch\nfrom torch import nn\n\n{LINE}\n\nm = nn.Linear(1, 1).to(device_type)\n",
    ),
    "the future comes first": (
        "from __future__ import annotations\n\nfrom torch import nn\n\nm = nn.Linear(1, 1).cuda()\n",
        "from __future__ import annotations\n\nimport torch\nfrom torch import nn\n\n"
        f"{LINE}\n\nm = nn.Linear(1, 1).to(device_type)\n",
    ),
    "imports of torch.cuda.amp move": (
        "import torch\nfrom torch.cuda.amp import GradScaler, autocast\n\ns = GradScaler()\nwith autocast():\n    pass\n",
        f"import torch\nfrom torch.amp import GradScaler, autocast\n\n{LINE}\n\n"
        "s = GradScaler(device_type)\nwith autocast(device_type):\n    pass\n",
    ),
    "torch imported in a function": (
        "def f(x):\n    import torch\n\n    return x.to(torch.device('cuda'))\n",
        f"def f(x):\n    import torch\n\n    return x.to(torch.device(({CHOICE})))\n",
    ),
    "CR LF stays": (
        "import torch\r\n\r\ntorch.cuda.synchronize()\r\nx = x.cuda()\r\n",
        f"import torch\r\n\r\n{LINE}\r\n\r\nif {AVAILABLE}:\r\n    torch.accelerator.synchronize()\r\n"
        "x = x.to(device_type)\r\n",
    ),
    "the model of a group may stay on the CPU": (
        "import torch\nimport torch.distributed as dist\n\ndist.init_process_group('nccl')\n"
        "m = DistributedDataParallel(m, device_ids=[r])\n",
        f"import torch\nimport torch.distributed as dist\n\n{LINE}\n\n"
        "dist.init_process_group(dist.get_default_backend_for_device(device_type))\n"
        f"m = DistributedDataParallel(m, device_ids=[r] if {AVAILABLE} else None)\n",
    ),
    "an idiom of its own": (
        "import torch\n\nkind = 'cuda' if 'cuda' in device else 'cpu'\n",
        f"import torch\n\nkind = {TYPE} if any(kind in device for kind in ('cuda', 'npu')) else 'cpu'\n",
    ),
}


def ported(before: str, safety: str = "review") -> str:
    document = Document("example.py", before)
    findings, troubles = scanning.check(document)
    assert not troubles
    return porting.rewritten(document, findings, safety)[0]


@pytest.mark.parametrize("before", PLAIN)
def test_plain(before: str) -> None:
    assert ported(f"{HEAD}\n{before}") == f"{HEAD}\n{PLAIN[before]}"


@pytest.mark.parametrize("before", WITH_CONSTANT)
def test_with_constant(before: str) -> None:
    assert ported(f"{HEAD}\n{before}") == CHOSEN + WITH_CONSTANT[before]


@pytest.mark.parametrize("name", WHOLE)
def test_whole_file(name: str) -> None:
    before, after = WHOLE[name]
    assert ported(before) == after


@pytest.mark.parametrize("after", [*PLAIN.values(), *WITH_CONSTANT.values()])
def test_a_second_run_changes_nothing(after: str) -> None:
    whole = CHOSEN + after
    assert ported(whole) == whole


@pytest.mark.parametrize("row", names.rows().values(), ids=lambda row: row.cuda)
def test_every_row_gives_python(row: names.Row) -> None:
    ast.parse(row.becomes, mode="eval")
    if row.form == "guarded":
        ast.parse(row.on_cpu, mode="eval")


@pytest.mark.parametrize(
    "row", [row for row in names.rows().values() if row.form == "guarded"], ids=lambda row: row.cuda
)
def test_a_guarded_call_and_its_second_run(row: names.Row) -> None:
    after = ported(f"import torch\n\nx = {row.cuda}()\n")
    assert row.on_cpu.startswith("contextlib.") or (row.becomes in after and AVAILABLE in after)
    assert ported(after) == after
