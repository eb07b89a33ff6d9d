"""Places of CUDA on disk: `/usr/local/cuda`, libcuda, NVIDIA's driver."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles
from jumar.port.reading.comments import without_comments
from jumar.port.reading.scripts import in_code
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D002",
    name="path",
    kinds=(
        "shell",
        "slurm",
        "dockerfile",
        "apptainer",
        "yaml",
        "json",
        "make",
        "ini",
        "ci",
        "terraform",
        "toml",
        "cmake",
        "markdown",
    ),
    triggers=("cuda", "nvidia", "nccl", "cudnn"),
    layer="data centre",
    severity="degrades",
    safety="report",
    runs_unchanged=False,
    why="the place is CUDA's or of NVIDIA's driver",
    replacement="/usr/local/Ascend/ascend-toolkit/latest and /usr/local/Ascend/driver; `source "
    "…/set_env.sh` sets the paths",
    examples=(
        Example("export PATH=/usr/local/cuda/bin:$PATH\n", path="env.sh"),
        Example("ENV LD_LIBRARY_PATH=/usr/local/nvidia/lib64:$LD_LIBRARY_PATH\n"),
        Example("ls /dev/nvidia0\n", path="a.sh"),
    ),
    keep=(
        Example("# /usr/local/cuda\nexport PATH=/usr/local/bin:$PATH\n", path="env.sh"),
        "COPY docs/cuda.md /app/\n",
        "COPY nvidia_gpu_exporter /usr/bin/nvidia_gpu_exporter\n",
        "RUN rm -rf /usr/local/cuda-13.3/compat/libcuda.so*\n",
        Example('sed "s|/usr/bin/nvidia-smi|$FAKE/absent|g" a.sh\n', path="test.sh"),
    ),
)

PATH = re.compile(
    r"(?:/usr/local|/opt|/usr/lib(?:64)?(?:/x86_64-linux-gnu)?|/usr/share|/usr/bin|/dev|"
    r"/etc|/proc/driver|/run|/var/run|/home/kubernetes/bin)"
    r"/(?!nvidia[\w\-]*exporter)(?:nvidia|cuda|nccl|lib(?:cuda|cudart|cudnn|nccl|cublas|nvidia|nvinfer|nvrtc)|"
    r"gdrdrv|tensorrt)[\w./\-${}*]*"
    r"|\blib(?:cuda|cudart|cudnn\w*|nccl|cublas\w*|nvidia-\w+|nvrtc|nvinfer\w*|"
    r"cusparse\w*|cusolver\w*|cufft|curand|nvToolsExt)(?:-\w+)?\.(?:so|a)[.\d]*",
    re.IGNORECASE,
)

GIVEN_UP = re.compile(r"(?:\b(?:rm|rmdir|unlink)\b[^;|&\n]*[ \t]|\bs[|#,@!])[\"']?$")
"""Before a place that is removed, or replaced in a text: nothing needs it."""


def check(document: Document) -> Iterator[Finding]:
    lines: set[int] = set()
    prose = document.kind == "markdown"
    for match in PATH.finditer(without_comments(document)):
        line, _ = document.position(match.start())
        if GIVEN_UP.search(document.text, document.starts[line - 1], match.start()):
            continue
        if line in lines or (prose and not in_code(document, match.start())):
            continue
        lines.add(line)
        place = match[0] if "${" in match[0] else match[0].split("}")[0]
        end = match.start() + len(place)
        yield RULE.found(document, match.start(), end, place, layer=roles.layer_of(document))
