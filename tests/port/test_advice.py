"""What a finding advises, and why it says it ties, by what the line holds: words that must stand there."""

from __future__ import annotations

import pytest

from jumar.port import scanning
from jumar.port.document import Document

TORCH = "import torch\n"
DIST = "import torch.distributed as dist\n"
ROWS = [
    ("C014", "from torch.cuda.amp import custom_fwd\n", "custom_fwd"),
    ("C021", DIST + "dist.init_process_group(backend=dist.Backend.NCCL)\n", "hccl"),
    ("C034", "from torch.utils.cpp_extension import CUDA_HOME\n", "ASCEND_HOME_PATH"),
    ("C022", "import os\nhome = os.environ['CUDA_HOME']\n", "ASCEND_HOME_PATH"),
    ("C022", "import os\nos.environ['NCCL_DEBUG'] = 'INFO'\n", "nothing: ASCEND_GLOBAL_LOG_LEVEL"),
    ("C038", "import paddle\np = paddle.CUDAPlace(0)\n", "CustomPlace"),
    ("C052", "t = Trainer(gpus=1)\n", "the trainer has"),
    ("C001", "model = WhisperModel(size, device='cuda')\n", "as the called library knows it"),
    ("C001", TORCH + "x.to('cuda')\n", "current_accelerator"),
    ("C031", "from cuda import cudart\n", "acl, CANN's Python interface"),
    ("C006", "resources = {'GPU': 1}\n", '"NPU"'),
    ("C006", "import paddle\npaddle.set_device('gpu')\n", "paddle-custom-npu"),
    ("C006", "import jax\nif jax.default_backend() == 'gpu':\n    pass\n", "JAX has no released backend"),
    ("C010", TORCH + "ok = torch.cuda.get_device_capability()[0] >= 9\n", "answers None"),
    ("C010", TORCH + "torch.cuda.nvtx.range_pop()\n", "mstx"),
    ("C010", TORCH + "torch.cuda.cudart().cudaProfilerStart()\n", "torch_npu.profiler"),
    (
        "C013",
        TORCH + "ok = isinstance(x, (torch.LongTensor, torch.cuda.LongTensor))\n",
        "comparison with x.dtype",
    ),
    ("C015", TORCH + "torch.backends.cudnn.enabled = True\n", "may stay or fall away"),
    ("C015", TORCH + "torch.backends.cuda.matmul.allow_tf32 = True\n", "allow_hf32"),
    ("C015", TORCH + "torch.backends.cudnn.deterministic = True\n", "use_deterministic_algorithms"),
    ("C015", TORCH + "torch.backends.cuda.enable_flash_sdp(True)\n", "fused operator"),
    ("C016", TORCH + "tag = torch.version.cuda.replace('.', '')\n", "a branch for builds without CUDA"),
    ("C023", "subprocess.run(['dcgmi', 'dmon'])\n", "npu-smi info watch"),
    ("C023", "subprocess.run(['nvidia-smi'])\n", "npu-smi info"),
    ("C030", "import flash_attn\n", "npu_fusion_attention"),
    ("C030", "import triton\n", "triton-ascend"),
    ("C031", "import pycuda.gl\n", "OpenGL"),
    ("C044", "c = BitsAndBytesConfig(load_in_4bit=True)\n", "bfloat16 weights"),
    ("C044", "args = TrainingArguments(optim='paged_adamw_8bit')\n", "adamw_torch"),
    ("C054", "from tests.e2e.utils import requires_cuda_ge_8_9\n", "behind its own name"),
]
ELSEWHERE = [
    ("K012", "a.cu", "__device__ int f(int *n) { int x = atomicAdd(n, 1); return x; }\n", "no old value"),
    ("K012", "a.cu", "__device__ void f(int *n) { atomicAdd(n, 1); }\n", "SetAtomicAdd"),
    ("D006", "a.yaml", "limits:\n  aliyun.com/gpu-core.percentage: 30\n", "no number of chips"),
    (
        "D001",
        "cr.yaml",
        "cni:\n  repository: nvcr.io/nvstaging/mellanox\n",
        "where the nodes have such cards",
    ),
    ("D011", "a.sh", "helm install nvidia-network-operator nvidia/network-operator\n", "ports of their own"),
    (
        "B006",
        "a.sh",
        "pip install flashinfer -i https://flashinfer.ai/whl/cu124/torch2.4\n",
        "build for Ascend",
    ),
    ("B006", "install.sh", "pip install vllm-0.9.1+cu124-cp312-cp312-linux_x86_64.whl\n", "vllm-ascend"),
    ("B006", "install.sh", "pip install torch==2.4+cu124\n", "whl/cpu"),
    ("K010", "a.cu", "auto x = thrust::get<0>(grads);\n", "plain operators"),
    ("K010", "a.cpp", "void f(cuda::stream_ref s);\n", "aclrtStream"),
    ("K010", "a.cpp", "rmm::cuda_stream s;\n", "aclrtMalloc"),
    ("K010", "a.cu", "template struct F<cutlass::half_t>;\n", "half and bfloat16_t"),
    ("K019", "a.cu", "status = CUBLAS_STATUS_NOT_SUPPORTED;\n", "falls away with the call"),
    ("K010", "a.cu", "void f() { thrust::sort(a, b); }\n", "aclnnSort"),
    ("K010", "a.cu", "nvcuda::wmma::fragment<nvcuda::wmma::matrix_a> a;\n", "Mmad"),
    ("B009", "CMakeLists.txt", "find_package(NCCL REQUIRED)\n", "HCCL"),
    ("B005", "requirements.txt", "kaolin\n", "torch operators"),
]
REASONS = [
    ("C060", "ext = load(name='own_cuda_ext')\n", "of one's own"),
    ("C060", "settings = {'clean_cuda_cache': False}\n", "of one's own"),
    ("C060", "kind = {'name': 'cudnn'}\n", "a name of CUDA's"),
    ("C016", TORCH + "major = float(torch.version.cuda)\n", "fails on None"),
    ("C016", TORCH + "has = torch.version.cuda is not None\n", "says None or False"),
    ("C060", "skipped = {'NVIDIA DGX Display'}\n", "one of NVIDIA's GPUs"),
    ("C060", "os.environ['SPEC'] = f'- cuda-version={major}'\n", "for another program"),
]


@pytest.mark.parametrize(("code", "text", "words"), ROWS)
def test_advice(code: str, text: str, words: str) -> None:
    assert words in _found(code, text)[1]


@pytest.mark.parametrize(("code", "path", "text", "words"), ELSEWHERE)
def test_advice_elsewhere(code: str, path: str, text: str, words: str) -> None:
    assert words in _found(code, text, path)[1]


@pytest.mark.parametrize(("code", "text", "words"), REASONS)
def test_reason(code: str, text: str, words: str) -> None:
    assert words in _found(code, text)[0]


def _found(code: str, text: str, path: str = "example.py") -> tuple[str, str]:
    found, troubles = scanning.check(Document(path, text), frozenset({code}))
    assert not troubles
    return found[-1].why, found[-1].replacement
