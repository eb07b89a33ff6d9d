"""Commands of NVIDIA: nvidia-smi, nvcc, nsys, dcgmi and their kin."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port import dictionary
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles
from jumar.port.reading.scripts import script_commands
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D016",
    name="command",
    kinds=("shell", "slurm", "dockerfile", "apptainer", "yaml", "make", "ci", "markdown", "json"),
    triggers=(
        "nv",
        "dcgm",
        "cuda",
        "nsys",
        "ncu",
        "ptxas",
        "compute-sanitizer",
        "trt",
        "tritonserver",
        "gpustat",
        "_perf",
        "bandwidthtest",
        "devicequery",
    ),
    layer="data centre",
    severity="degrades",
    safety="report",
    runs_unchanged=False,
    why="the command comes with NVIDIA's driver or toolkit",
    replacement="npu-smi, bisheng, msprof and their kin of CANN",
    examples=(
        Example("nvidia-smi --query-gpu=name --format=csv\n", path="a.sh"),
        Example("steps:\n- run: |\n    nvidia-smi\n    nvcc --version\n", path=".github/workflows/a.yml"),
        Example("RUN nvcc -V\n", path="Dockerfile"),
        Example("```bash\nnsys profile python x.py\n```\n", path="README.md"),
        Example("n=$(nvidia-smi -L | wc -l)\n", path="a.sh"),
    ),
    keep=(
        Example("echo nvidia-smi\n# nvidia-smi\nnvidia_smi_like\n", path="a.sh"),
        Example("the nvidia-smi command\n", path="README.md"),
    ),
)


def check(document: Document) -> Iterator[Finding]:
    layer = roles.layer_of(document)
    for command in script_commands(document):
        word, name = command.name_word, command.name
        row = dictionary.find("datacentre/commands", name) if word else None
        if row is None and name in ASKS:
            word = next(
                (one for one in command.words if dictionary.find("datacentre/commands", one.plain)), None
            )
            row = dictionary.find("datacentre/commands", word.plain) if word else None
        if row is None and name in WRAPPERS:
            word = next(
                (
                    one
                    for one in command.words[1:]
                    if dictionary.find("datacentre/commands", one.plain.rsplit("/", 1)[-1])
                ),
                None,
            )
            row = dictionary.find("datacentre/commands", word.plain.rsplit("/", 1)[-1]) if word else None
        if row is not None and word is not None:
            says = dictionary.says(row, RULE.replacement)
            why = OF_TESTS if row.cuda.endswith("_perf") else WHY.get(row.cuda)
            yield RULE.found(document, word.start, word.end, row.cuda, replacement=says, layer=layer, why=why)


WHY = {
    "tritonserver": "the program is NVIDIA's server for models",
    "trtexec": "the program comes with TensorRT",
    "trtllm-build": "the program comes with TensorRT-LLM",
    "gpustat": "the program shows NVIDIA's GPUs",
    "nvitop": "the program shows NVIDIA's GPUs",
    "nvtop": "the program shows GPUs, here NVIDIA's",
}
OF_TESTS = "the program is of nccl-tests, which measure NCCL between NVIDIA's GPUs"
ASKS = frozenset(
    ("which", "command", "type", "-v", "hash", "pgrep", "pkill", "killall", "systemctl", "service")
)
WRAPPERS = frozenset(
    (
        "docker",
        "kubectl",
        "ssh",
        "watch",
        "timeout",
        "podman",
        "numactl",
        "mpirun",
        "bash",
        "chroot",
        "if",
        "while",
        "until",
        "srun",
        "-c",
        "mpiexec",
        "sudo",
    )
)
