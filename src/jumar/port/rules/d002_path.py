"""Places of CUDA on disk: `/usr/local/cuda`, libcuda, NVIDIA's driver."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles, tasks
from jumar.port.reading.comments import without_comments
from jumar.port.reading.scripts import in_code, is_told
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
    replacement="its counterpart of CANN or of Ascend's driver below /usr/local/Ascend, if there is one",
    examples=(
        Example("export PATH=/usr/local/cuda/bin:$PATH\n", path="env.sh"),
        Example("ENV LD_LIBRARY_PATH=/usr/local/nvidia/lib64:$LD_LIBRARY_PATH\n"),
        Example("ls /dev/nvidia0\n", path="a.sh"),
        Example("ENV LD_LIBRARY_PATH=/usr/lib/python3/dist-packages/nvidia/cudnn/lib\n"),
        Example('command: ["/usr/bin/nvidia-gpu-device-plugin", "-logtostderr"]\n', path="ds.yaml"),
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
    r"|\b(?:site|dist)-packages/(?:nvidia|cupy|tensorrt)[\w./\-${}*]*"
    r"|\blib(?:cuda|cudart|cudnn\w*|nccl|cublas\w*|nvidia-\w+|nvrtc|nvinfer\w*|"
    r"cusparse\w*|cusolver\w*|cufft|curand|nvToolsExt)(?:-\w+)?\.(?:so|a)[.\d]*",
    re.IGNORECASE,
)

GIVEN_UP = re.compile(r"(?:\b(?:rm|rmdir|unlink)\b[^;|&\n]*[ \t]|\bs[|#,@!])[\"']?$")
"""Before a place that is removed, or replaced in a text: nothing needs it."""


TRIED = re.compile(r"(^|/)(?:e2e|[\w\-]*tests?)/")
MADE = re.compile(r"\b(?:touch|mkdir|mknod)\b[^;|&\n]*[ \t][\"']?$")
"""In a test: a place that it makes for itself."""
DEVICE = "the device is of NVIDIA's driver"
TOOLKIT = (
    "/usr/local/Ascend/ascend-toolkit/latest for CANN, /usr/local/Ascend/driver for the driver; `source "
    "…/set_env.sh` sets the paths"
)
KINDS: tuple[tuple[str, str | None, str], ...] = (
    (
        r"/etc/nccl|nccl[\w.\-]*\.conf",
        "the file holds NCCL's settings",
        "variables of the environment: HCCL has settings there, and no such file",
    ),
    (r"nccl[_\-]tests", "the place is of nccl-tests", "hccl_test, which comes with CANN's toolkit"),
    (
        r"nccl[\w\-]*plugin|fastrak|tcpx",
        "the place is of a plug-in of NCCL's for the network",
        "nothing: the chips have network ports of their own",
    ),
    (r"/dev/nvidia\d*$", DEVICE, "/dev/davinci and the chip's number, with the devices of its manager"),
    (r"/dev/(?:nvidia|gdrdrv)", DEVICE, "/dev/davinci_manager, /dev/devmm_svm and /dev/hisi_hdc"),
    (r"device-plugin", "the program is NVIDIA's device plug-in", "Ascend Device Plugin of MindCluster"),
    (
        r"hpc_sdk",
        "the place is of NVIDIA's HPC SDK, whose compilers also build for CUDA",
        "GCC, or the compilers of the system; for code on the chips CANN's",
    ),
    (r"bin/nvidia-smi", "the program comes with NVIDIA's driver", "npu-smi: /usr/local/bin/npu-smi"),
    (
        r"nvidia-(?:container|ctk|docker)|/toolkit|/cdi",
        "the file is of NVIDIA's container toolkit",
        "Ascend Docker Runtime, which its installer sets up",
    ),
    (
        r"persistence|fabricmanager|mps|imex|modprobe|gridd|vgpu|xorg",
        "the place is of NVIDIA's software",
        "nothing",
    ),
    (
        r"/proc/driver",
        "the place is of NVIDIA's driver",
        "npu-smi info; /usr/local/Ascend/driver/version.info",
    ),
    (r"bin/nvidia-", "the program comes with NVIDIA's software", "npu-smi, if it is to ask or set something"),
    (
        r"nccl|^libnccl",
        "the place is NCCL's",
        "HCCL, which comes with CANN and is found through its set_env.sh",
    ),
    (
        r"^(?:site|dist)-packages/",
        "the place is of a package of CUDA's libraries",
        "nothing: CANN's libraries are found through its set_env.sh",
    ),
    (r"cudnn|cublas|cusparse|cusolver|cufft|curand", "the library is CUDA's", "the operators of CANN"),
    (r"tensorrt|nvinfer", "the place is TensorRT's", "CANN, whose ATC converts ONNX"),
    (
        r"^libcuda\.|^libnvidia|/libcuda\.|/libnvidia",
        "the library is of NVIDIA's driver",
        "/usr/local/Ascend/driver/lib64",
    ),
    (r"/usr/local/nvidia", "the place is of NVIDIA's driver", "/usr/local/Ascend/driver"),
    (r"cuda", "the place is CUDA's", TOOLKIT),
)
"""By what is matched, the first that fits: why it ties, and what stands there on Ascend."""


def _about(place: str) -> tuple[str | None, str | None]:
    for words, why, says in KINDS:
        if re.search(words, place, re.IGNORECASE):
            return why, says
    return None, None


def check(document: Document) -> Iterator[Finding]:
    lines: set[int] = set()
    prose = document.kind == "markdown"
    for match in PATH.finditer(without_comments(document)):
        line, _ = document.position(match.start())
        if GIVEN_UP.search(document.text, document.starts[line - 1], match.start()):
            continue
        if TRIED.search(document.path) and MADE.search(
            document.text, document.starts[line - 1], match.start()
        ):
            continue
        if line in lines or (prose and not in_code(document, match.start())):
            continue
        lines.add(line)
        place = match[0] if "${" in match[0] else match[0].split("}")[0]
        end = match.start() + len(place)
        why, says = _about(place)
        yield RULE.found(
            document,
            match.start(),
            end,
            place,
            layer=roles.layer_of(document),
            severity=_weight(document, match.start(), place),
            why=why,
            replacement=says,
        )


ASKED = re.compile(r"(?:\[\[?|\btest)[ \t]+-[a-z][ \t]+[\"']?$")
"""Before a place whose being there is only asked: the answer is no."""


def _weight(document: Document, start: int, place: str) -> str | None:
    if is_told(document, start) or (
        roles.is_ansible(document) and tasks.weight(document, start) == "cosmetic"
    ):
        return "cosmetic"
    line = document.position(start)[0]
    if ASKED.search(document.text, document.starts[line - 1], start):
        return "silent"
    return "blocks" if "device-plugin" in place and not place.startswith(("/etc", "/var", "/run")) else None
