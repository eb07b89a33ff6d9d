"""What strings about CUDA look like, and the words around them that tell what part they play: patterns and lists only."""

from __future__ import annotations

import re

HOLE = "{}"
DEVICE = re.compile(r"cuda(:(\d+|\{\}|%[ds]|\{\w*\}|\*)?)?")
IMPLEMENTATION = re.compile(
    r"impl(?:ementation)?|_?(?:kernel|attn|attention|fft|conv|op)_impl|algo(?:rithm)?|kernel_type"
)
"""Parameters that choose between implementations: cuda is the name of one, not of a device."""
NUMBERED = re.compile(r"cuda:(?:\d+|\{\})")
OTHER_DEVICE = re.compile(
    r"(?:cpu|gpu|xpu|mps|mlu|npu|hpu|tpu|xla|musa|gcu|sdaa|hip|rocm|opencl|vulkan|metal|openvino|auto|meta|ipu|dml|directml"
    r"|mkldnn|privateuse|neuron|mtia|dcu|corex|qaic|host|any|all|ascend|none|default|onnx|disk|same|balanced|sequential|inductor|triton|nccl|gloo|supa|maca|ppu)",
    re.IGNORECASE,
)
"""What stands beside CUDA in a list of devices."""
BACKEND = re.compile(r"(cpu:gloo,)?(cuda:)?nccl(,cpu:gloo)?")
ENVIRONMENT = re.compile(
    r"(CUDA|CUDNN|CUBLAS|CUBLASLT|NCCL|TORCH_NCCL|TORCH_CUDA|TORCH_CUDNN|NVIDIA|NVCC|NVTE|NVSHMEM|"
    r"PYTORCH_CUDA|PYTORCH_NVML|PYTORCH_NO_CUDA|BNB_CUDA|TRITON_CUDA|TRITON_PTXAS)_[A-Z0-9_]+|CUDACXX|CUDAHOSTCXX"
)
VARIABLE = re.compile(rf"(?<![\w])(?:{ENVIRONMENT.pattern})")
SETTING = re.compile(rf"(?<![\w$])(?:{ENVIRONMENT.pattern})=")
DOTTED = re.compile(r"([\w.]+\.)?torch\.(cuda|backends\.(cuda|cudnn)|version\.cuda)(\.\w+)*")
COMMAND = re.compile(
    r"(?<![\w-])(nvidia-smi|nvcc|nvprof|nsys|ncu|cuda-memcheck|cuda-gdb|compute-sanitizer|cuobjdump|dcgmi)(?![\w-])"
)
PROVIDER = re.compile(r"(CUDA|Tensorrt|NvTensorRTRTX)ExecutionProvider")
LIBRARY = re.compile(
    r"(-l|(.*/)?lib)?(\w*_cuda\d*|cuda|cudart|cudart_static|cudadevrt|nvrtc|nvidia-ml|nvToolsExt|nccl|cublas|cublasLt|cudnn|cufft|"
    r"curand|cusolver|cusparse|cufile|nvml|cupti)(-?\d+(_\d+)*)?(\.(so|dll|dylib)[.\d]*)?"
)
TOOLKIT = re.compile(
    r"(/usr/local|/opt|Program Files.*)[/\\](nvidia|cuda)|\.cuh?$|cuda\w*\.(cpp|cc|cxx|h|hpp)$|cuda_runtime"
    r"|\$\{?CUDA_(HOME|PATH|ROOT|BIN|LIB|INC|DIR|TOOLKIT)|[/\\]cuda_(?:fp\d|bf\d|runtime|device|gl|profiler)\w*\*$"
)
DOWNLOAD = re.compile(r"\S+\.(zip|whl|tar\.\w+|tgz|deb|rpm|run|exe|msi)")
"""A file of the kind that is downloaded, unpacked or installed."""
FILE = re.compile(r"\S*\w\.(dll|so(\.\d+)*|dylib|lib|a|o|pyd|json|ya?ml|toml|txt|md|py|sh|ps1|log|csv|html)")
NAME = re.compile(r"[A-Za-z_][\w.]*")
SYSTEM = re.compile(r"linux|windows|win32|win64|macos|darwin|osx", re.IGNORECASE)
ERROR = re.compile(
    r"CUDA (?:driver |runtime )?(?:error|out of memory|initialization)|out of memory|device-side assert|illegal memory"
    r"|(?:CUBLAS|CUDNN|CUSOLVER|CUFFT|CUSPARSE)_STATUS|ncclUnhandled|ncclSystem"
    r"|(?:NCCL|cuDNN|cuBLAS|NVML|NVRTC)\w* ?(?:error|failure|warn)"
    r"|compiled with CUDA|No CUDA GPUs|Found no NVIDIA|NVIDIA driver|CUDA[- ]capable|CUDA kernel|same device|Devices cpu and"
    r"|no kernel image|NVIDIA-SMI has failed|NCCL operations have|libcuda|invalid device",
    re.IGNORECASE,
)
"""What CUDA, its libraries and PyTorch say when something fails; a program's own words are none of it."""
CODE = re.compile(
    r"torch\.cuda\.|\.cuda\(|device\s*[=:]\s*[\\\"']*cuda|\.to\([\\\"']+cuda|\bdevice[= ]cuda|[=\s,]cuda:\d|import cupy"
)
CONFIGURATION = re.compile(r"[\"']?device[\"']?\s*[:=]\s*[\"']?cuda(:\d+)?[\"']?\s*([,}\n]|$)")
"""A device in JSON, YAML or the like."""
RUN = re.compile(
    r"exec|eval|run|call|system|popen|spawn|write|send|dedent|command|cmd|script|code|source", re.IGNORECASE
)
PROSE = re.compile(
    r"doc|example|usage|description|help|readme|message|msg|reason|text|title|comment", re.IGNORECASE
)
OWN_NAME = re.compile(r"--?[\w-]+|\w+_\w+")
"""A flag, or a name with underscores: the program's own words in a text."""
FLAG = re.compile(r"--?[\w-]+")
TEST_FILE = re.compile(r"(^|/)(tests?|testing)/|(^|/)test_[^/]*$|_test\.py$")
ADDED = frozenset(
    {"add_argument", "option", "add_option", "Option", "DEFINE_bool", "DEFINE_string", "DEFINE_boolean"}
)
SPOKEN = frozenset(
    [
        "print",
        "debug",
        "info",
        "warning",
        "warn",
        "error",
        "critical",
        "exception",
        "log",
        "fatal",
        "write",
        "echo",
        "secho",
        "fail",
        "skip",
        "xfail",
        "skipIf",
        "skipUnless",
        "skipif",
        "SkipTest",
        "deprecated",
    ]
)
LOOKED_FOR = frozenset("startswith endswith find index count rfind match search fullmatch".split())  # noqa: SIM905
TEXTUAL = frozenset("replace split join strip lstrip rstrip removeprefix removesuffix sub".split())  # noqa: SIM905
LOADERS = frozenset("find_library CDLL LoadLibrary cdll check_lib".split())  # noqa: SIM905
PLACES = frozenset({"join", "Path", "PurePath", "glob", "rglob", "exists", "joinpath"})
SAID = frozenset("help msg message reason description title label metavar doc name text desc tooltip".split())  # noqa: SIM905
