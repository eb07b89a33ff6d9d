"""A command of NVIDIA's tools, run from Python."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding, shortened
from jumar.port.reading import python_guards, python_source, python_strings
from jumar.port.rule import Example, Rule

INSTEAD = (
    ("nvidia-smi", "npu-smi info"),
    ("dcgmi", "npu-smi info watch for rates, ascend-dmi for diagnosis"),
    ("nsys", "msprof"),
    ("nvprof", "msprof"),
    ("ncu", "msprof op"),
    ("nvcc", "nothing: kernels are Ascend C, built with bisheng, or Triton"),
    ("cuobjdump", "nothing: there is no CUDA binary to look into"),
    ("cuda-gdb", "msdebug"),
    ("compute-sanitizer", "mssanitizer"),
    ("cuda-memcheck", "mssanitizer"),
)

RULE = Rule(
    code="C023",
    name="nvidia-command",
    kinds=("python",),
    triggers=(
        "nvidia-smi",
        "nvcc",
        "nvprof",
        "nsys",
        "ncu",
        "cuda-",
        "compute-sanitizer",
        "cuobjdump",
        "dcgmi",
    ),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=True,
    why="the command comes with NVIDIA's driver or toolkit",
    replacement="npu-smi for nvidia-smi, msprof for nsys and nvprof; for nvcc nothing: kernels are Ascend C or Triton",
    examples=(
        Example('import subprocess\n\nsubprocess.run(["nvidia-smi", "-L"])\n'),
        Example('import subprocess\n\nsubprocess.check_output([home + "/bin/nvcc", "-V"])\n'),
        Example(
            "from torch.utils.cpp_extension import CUDA_HOME\n\n\ndef version(home):\n    return "
            'subprocess.check_output([home + "/bin/nvcc", "-V"])\n\n\nif CUDA_HOME is not None:\n'
            "    version(CUDA_HOME)\n",
            path="setup.py",
        ),
        Example('os.system("nvidia-smi --query-gpu=memory.used --format=csv")\n'),
    ),
    keep=(
        'run("""\n# nvidia-smi sees it\necho "no nvidia-smi"\n""")\n',
        'os.system("npu-smi info")\n',
        'subprocess.run(["nvidia-smi-like"])\n',
        'rows = [("nvcc", self.nvcc is True, "image")]\n',
        'if v is True and info.data.get("nvcc"):\n    pass\n',
        'if tool in ["npu", "nsys", "torch"]:\n    pass\n',
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for text in python_strings.of_role(document, "command"):
        weight = python_guards.of_value(source, text.node, RULE.severity, RULE.why)
        weight.setdefault("replacement", next((says for name, says in INSTEAD if name in text.value), None))
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"a command of NVIDIA's: {shortened(text.value)}", **weight)
