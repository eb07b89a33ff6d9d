"""What a finding weighs by where it stands: under a question for CUDA, in a try, in an assertion, in a test's imitation."""

from __future__ import annotations

import pytest

from jumar.port import scanning
from jumar.port.document import Document
from jumar.port.finding import Finding

TORCH = "import torch\n"
DIST = "import torch.distributed as dist\n"
ROWS = [
    # only where there is CUDA
    ("C010", "silent", TORCH + "torch.cuda.empty_cache()\n"),
    ("C010", "blocks", TORCH + "r = rank % torch.cuda.device_count()\n"),
    ("C010", "silent", TORCH + "@skip_if_not_gpu\ndef test_a():\n    torch.cuda.synchronize()\n"),
    (
        "C010",
        "silent",
        TORCH
        + "@pytest.mark.skipif(not torch.cuda.is_available(), reason='')\ndef test_a():\n    torch.cuda.init()\n",
    ),
    (
        "C010",
        "blocks",
        TORCH + "@pytest.mark.skipif(not has_disk(), reason='')\ndef test_a():\n    torch.cuda.init()\n",
    ),
    (
        "C010",
        "silent",
        TORCH + "def _f():\n    torch.cuda.init()\ndef g(x):\n    if x.is_cuda:\n        _f()\n",
    ),
    (
        "C010",
        "blocks",
        TORCH + "def _f():\n    torch.cuda.init()\ndef g(x):\n    if x.is_cuda:\n        _f()\n    _f()\n",
    ),
    ("C043", "silent", TORCH + "def g(x):\n    if x.is_cuda:\n        x = x.to(torch.float8_e4m3fn)\n"),
    (
        "C034",
        "silent",
        "from torch.utils.cpp_extension import CUDAExtension, CppExtension\n"
        "E = CUDAExtension\nif CPU_ONLY:\n    E = CppExtension\n",
    ),
    ("C010", "blocks", TORCH + "torch.cuda.synchronize()\n"),
    ("C010", "silent", TORCH + "if torch.cuda.is_available():\n    torch.cuda.synchronize()\n"),
    ("C010", "silent", TORCH + "if kind == 'cuda':\n    torch.cuda.synchronize()\n"),
    ("C010", "blocks", TORCH + "if kind == 'cuda':\n    pass\nelse:\n    torch.cuda.synchronize()\n"),
    ("C010", "silent", TORCH + "if kind != 'cuda':\n    pass\nelse:\n    torch.cuda.synchronize()\n"),
    ("C010", "blocks", TORCH + "if kind != 'cpu':\n    torch.cuda.synchronize()\n"),
    ("C010", "blocks", TORCH + "if kind in ('cuda', 'npu'):\n    torch.cuda.synchronize()\n"),
    ("C010", "silent", TORCH + "ok = torch.cuda.is_available()\nwhile ok:\n    torch.cuda.synchronize()\n"),
    ("C010", "blocks", TORCH + "if args.use_cuda:\n    torch.cuda.synchronize()\n"),
    (
        "C010",
        "silent",
        TORCH + "def f():\n    if not torch.cuda.is_available():\n        return\n    torch.cuda.init()\n",
    ),
    (
        "C010",
        "blocks",
        TORCH + "def f():\n    if not torch.cuda.is_available():\n        raise E\n    torch.cuda.init()\n",
    ),
    ("C010", "blocks", TORCH + "if torch.cuda.is_available():\n    def f():\n        torch.cuda.init()\n"),
    ("C010", "silent", TORCH + "n = torch.cuda.is_available() and torch.cuda.get_device_name(0)\n"),
    ("C001", "silent", TORCH + "device = 'cuda' if torch.cuda.is_available() else 'cpu'\n"),
    ("C001", "blocks", "x.to('cuda')\n"),
    ("C011", "silent", TORCH + "if torch.cuda.is_available():\n    x = x.cuda()\n"),
    ("C014", "degrades", TORCH + "if kind == 'cuda':\n    f = torch.cuda.amp.custom_fwd\n"),
    ("C020", "silent", DIST + "kind = 'nccl' if dist.is_nccl_available() else 'gloo'\n"),
    ("C017", "silent", TORCH + "if hasattr(torch._C, '_cuda_x'):\n    f = torch._C._cuda_x\n"),
    ("C026", "silent", "for p in ('/usr/local/cuda/lib64',):\n    if os.path.isdir(p):\n        use(p)\n"),
    ("C026", "silent", "ok = os.path.exists('/usr/local/cuda')\n"),
    ("C023", "silent", "found = shutil.which('nvcc')\n"),
    ("C024", "degrades", "s = Session(p, providers=['CUDAExecutionProvider'])\n"),
    ("C024", "degrades", "s = Session(p, providers=['CUDAExecutionProvider', 'CPUExecutionProvider'])\n"),
    ("C024", "degrades", "p = ['CPUExecutionProvider' if slow else ('CUDAExecutionProvider', {})]\n"),
    # the program says so, or catches it
    (
        "C026",
        "degrades",
        "nvcc = shutil.which('nvcc')\nif nvcc is None:\n    print('none')\nelse:\n    glob(f'{nvcc}/cuda_fp16*')\n",
    ),
    (
        "C048",
        "degrades",
        TORCH + "try:\n    x.to(memory_format=torch.channels_last)\nexcept Exception:\n    pass\n",
    ),
    (
        "C048",
        "blocks",
        TORCH + "try:\n    x.to(memory_format=torch.channels_last)\nexcept Exception:\n    raise\n",
    ),
    ("C010", "blocks", TORCH + "try:\n    torch.cuda.init()\nexcept KeyError:\n    pass\n"),
    ("C019", "degrades", "try:\n    lib.impl('scan', scan, 'CUDA')\nexcept Exception:\n    pass\n"),
    ("C025", "degrades", "try:\n    rt = ctypes.CDLL('libcudart.so')\nexcept OSError:\n    rt = None\n"),
    # an assertion fails aloud
    ("C003", "blocks", "assert x.device.type == 'cuda'\n"),
    ("C003", "silent", "assert x.device.type != 'cuda'\n"),
    ("C003", "silent", "assert x.device.type == 'cuda' or x.device.type == 'xpu'\n"),
    ("C003", "silent", "if x.device.type == 'cuda':\n    pass\n"),
    ("C010", "blocks", TORCH + "assert torch.cuda.device_count() >= 2\n"),
    ("C010", "silent", TORCH + "if kind == 'cuda':\n    assert torch.cuda.is_available()\n"),
    ("C010", "blocks", TORCH + "assert torch.cuda.is_available() and torch.cuda.device_count() > 1\n"),
    ("C010", "silent", TORCH + "assert not torch.cuda.is_available()\n"),
    ("C010", "silent", TORCH + "assert torch.cuda.device_count() == 0\n"),
    ("C013", "blocks", "assert x.grad.type() == 'torch.cuda.FloatTensor'\n"),
    ("C012", "blocks", "assert all(t.is_cuda for t in ts)\n"),
    # a text is wanted, and there is None
    ("C016", "blocks", TORCH + "tag = torch.version.cuda.replace('.', '')\n"),
    ("C016", "silent", TORCH + "if torch.version.cuda:\n    tag = torch.version.cuda.replace('.', '')\n"),
    ("C016", "silent", TORCH + "on = torch.version.cuda is not None\n"),
    (
        "C010",
        "silent",
        TORCH + "class A:\n    def f(self):\n        self.fast = torch.cuda.is_available() and x\n"
        "        if not self.fast:\n            return\n        torch.cuda.init()\n",
    ),
    ("C044", "cosmetic", "CLASSES['flash_attention_2'] = Own\n"),
    # the other way ends the program
    ("C010", "blocks", TORCH + "if not torch.cuda.is_available():\n    raise RuntimeError('x')\n"),
    ("C010", "silent", TORCH + "if not torch.cuda.is_available():\n    run_on_host()\n"),
    ("C003", "blocks", "if x.device.type != 'cuda':\n    raise ValueError\n"),
    ("C002", "blocks", TORCH + "if torch.cuda.is_available():\n    d = f'cuda:{i}'\nelse:\n    raise E\n"),
    ("C022", "cosmetic", "report['CUDA_HOME'] = home\n"),
    ("C022", "silent", "os.environ['CUDA_HOME'] = home\n"),
    (
        "C027",
        "cosmetic",
        "ok = 'CUDA out of memory' in str(e) or isinstance(e, torch.cuda.OutOfMemoryError)\n",
    ),
    ("C038", "silent", "import paddle\nif paddle.is_compiled_with_cuda():\n    p = paddle.CUDAPlace(0)\n"),
    ("C060", "silent", "def f(x, impl='cuda'):\n    pass\n"),
    # mixed precision for another device is switched off
    ("C001", "silent", TORCH + "@torch.autocast('cuda', enabled=False)\ndef f():\n    pass\n"),
    ("C001", "silent", TORCH + "with torch.autocast(device_type='cuda'):\n    pass\n"),
    ("C060", "blocks", "m = importlib.import_module('fused_norm_cuda')\n"),
    (
        "C031",
        "degrades",
        "try:\n    import cupy\n    a = 1\n    b = 1\n    c = 1\n    d = 1\n    e = 1\nexcept ImportError:\n    c = 0\n",
    ),
    ("C003", "silent", "if (fast, x.device.type, n) == (False, 'cuda', 1):\n    pass\n"),
    ("C060", "blocks", "config = dict(type='tensorrt')\n"),
    ("C006", "silent", "import tensorflow as tf\ng = tf.config.list_physical_devices('GPU')\n"),
    ("C012", "cosmetic", "if self.is_cuda():\n    pass\n"),
    (
        "C011",
        "silent",
        TORCH
        + "class T:\n    if torch.cuda.is_available():\n\n        def test_a(self):\n            x.cuda()\n",
    ),
    (
        "C017",
        "silent",
        TORCH
        + "def f():\n    if hasattr(torch._C, '_cuda_x'):\n\n        def g():\n            torch._C._cuda_x()\n"
        + "    h(g)\n",
    ),
    ("C010", "cosmetic", TORCH + "def f():\n    x: torch.cuda.nvtx.Range = g()\n"),
    ("C010", "blocks", TORCH + "def f():\n    x = torch.cuda.nvtx.Range()\n"),
    (
        "C033",
        "blocks",
        "from triton.experimental import gluon\nfrom triton.experimental.gluon import language as ttgl\n"
        + "@gluon.jit\ndef f():\n    x: ttgl.constexpr = g()\n",
    ),
    # what is never read
    ("C001", "cosmetic", "def f(x, device='cuda'):\n    y = x + 1\n    return y\n"),
    ("C001", "blocks", "def f(x, device='cuda'):\n    y = x + 1\n    return y.to(device)\n"),
    ("C021", "degrades", DIST + "p.add_argument('--x', choices=[dist.Backend.NCCL])\n"),
    (
        "C038",
        "silent",
        "import tensorflow as tf\nif a.is_gpu:\n    tf.config.experimental.set_memory_growth(b, True)\n",
    ),
    # packages whose absence is caught
    ("C031", "blocks", "import cupy\n"),
    ("C031", "degrades", "try:\n    import cupy\nexcept ImportError:\n    cupy = None\n"),
    # another branch, or none, serves the NPU
    ("C031", "cosmetic", "if ok and not is_npu_available():\n    import cupy\n"),
    ("C031", "cosmetic", "if is_npu_available():\n    pass\nelse:\n    import cupy\n"),
    ("C031", "blocks", "if is_npu_available():\n    import cupy\n"),
    ("C050", "cosmetic", "field = {'description': 'wants an Ampere GPU'}\n"),
    # what weighs little by itself
    ("C010", "cosmetic", TORCH + "kind = getattr(getattr(torch, 'cuda', None), 'OutOfMemoryError', None)\n"),
    ("C033", "degrades", "import triton.language as tl\nd = tl.make_tensor_descriptor(p)\n"),
    ("C035", "degrades", "import triton\n@triton.autotune(configs=[], key=[])\ndef f():\n    pass\n"),
    ("C035", "cosmetic", "import triton\ngrid = triton.cdiv(n, 128)\n"),
    ("C044", "degrades", "m = Model.from_pretrained(p, load_in_4bit=four)\n"),
    ("C044", "cosmetic", "name = get_name(p, load_in_4bit=four)\n"),
    ("C051", "silent", "n = props.multi_processor_count\n"),
]
IN_TESTS = [
    (
        "C001",
        "cosmetic",
        "with pytest.raises(E):\n    pass\npytest.raises(E, lambda: t.to('cuda', device='cpu'))\n",
    ),
    ("C001", "cosmetic", "def test(monkeypatch):\n    install(monkeypatch, kind='cuda')\n"),
    ("C001", "cosmetic", "def test(monkeypatch):\n    monkeypatch.setattr(hw, 'ask', lambda: (m, 'cuda'))\n"),
    ("C001", "cosmetic", "def test(monkeypatch):\n    assert cache == {(INT8, 'cuda'): True}\n"),
    ("C001", "blocks", "def test(monkeypatch):\n    monkeypatch.setattr(hw, 'x', 1)\n    x.to('cuda')\n"),
    ("C001", "blocks", "def test():\n    run(model, 'cuda')\n"),
    ("C001", "blocks", "def prepare_dummy_inputs(device='cuda'):\n    pass\n"),
    ("C001", "blocks", "def test_patch_embed():\n    run(patch_embed, 'cuda')\n"),
    ("C002", "blocks", "def test(monkeypatch):\n    x.to(f'cuda:{i}')\n"),
    ("C003", "blocks", "def test():\n    assert y.device.type == 'cuda'\n"),
    ("C006", "cosmetic", "def test(nodes):\n    nodes.return_value = [{'Resources': {'GPU': 1}}]\n"),
    ("C025", "cosmetic", "link = tmp_path / 'lib' / 'libcuda.so.1'\n"),
    ("C022", "cosmetic", "for name in ('NCCL_PORT',):\n    monkeypatch.delenv(name)\n"),
    ("C022", "silent", "with patch.dict(os.environ, {'CUDA_VISIBLE_DEVICES': '0'}):\n    pass\n"),
    (
        "C027",
        "cosmetic",
        "raise RuntimeError('CUDA error X')\nwith raises(E, match='CUDA error X'):\n    pass\n",
    ),
    ("C027", "cosmetic", "e = f('CUDA error X')\ndef test():\n    assert 'E: CUDA error X' in told\n"),
    ("C044", "cosmetic", "small = OwnConfig(load_in_4bit=True)\n"),
    ("C052", "blocks", "pod = {'limits': {'nvidia.com/gpu': '8'}}\n"),
    ("C052", "silent", "node = {'allocatable': {'nvidia.com/gpu': '8'}}\n"),
]


ELSEWHERE = [
    ("B005", "degrades", "requirements.txt", "gputil\n"),
    ("B005", "degrades", "requirements.txt", "nvidia-ml-py==12.560.30\n"),
    ("B005", "blocks", "requirements.txt", "flash-attn\n"),
    ("B005", "cosmetic", "requirements.txt", "nvidia-cublas-cu12==12.1\n"),
    ("B010", "cosmetic", "CMakeLists.txt", "set(LIBRARY_NAME nccldebug)\n"),
    ("B010", "cosmetic", "CMakeLists.txt", "add_executable(cuda_test a.cc)\n"),
    ("B010", "degrades", "CMakeLists.txt", "set(CMAKE_CUDA_ARCHITECTURES 80)\n"),
    ("B010", "degrades", "CMakeLists.txt", "target_link_libraries(x CUDA::cudart)\n"),
    ("B012", "cosmetic", "Makefile", "CUDA_MEM_GET_INFO=cuda_mem_and_sm_count\nall: $(CUDA_MEM_GET_INFO)\n"),
    ("B012", "blocks", "Makefile", "all: x\nCUDA_PATH ?= /usr/local/cuda\n"),
    ("B012", "blocks", "Makefile", "x: x.o\n\t$(NVCC) -o x x.o\n"),
    ("B012", "cosmetic", "Makefile", "x:\n\trun -- make check-cuda-install\n"),
    ("B012", "silent", "Makefile", "test:\n\tCUDA_VISIBLE_DEVICES='' pytest\n"),
    ("B012", "blocks", "Makefile", "USE_CUDA = 1\n"),
    ("K016", "silent", "a.cpp", "bool f() { return type == c10::DeviceType::CUDA; }\n"),
    ("K016", "blocks", "a.cpp", "void f() { TORCH_CHECK(x.device().type() == at::kCUDA); }\n"),
    ("K016", "blocks", "a.cpp", "auto o = torch::TensorOptions().device(torch::kCUDA);\n"),
    ("K010", "cosmetic", "a.cu", "auto x = cuda::device_cast(y);\n"),
    ("K010", "blocks", "a.cu", "cuda::atomic<int> x;\n"),
    ("B011", "cosmetic", "src/ggml-hip/CMakeLists.txt", "file(GLOB S ../cuda/*.cu)\n"),
    ("K015", "blocks", "a.h", '#include "cute/atom/mma_atom.hpp"\n'),
    ("K017", "cosmetic", "a.cuh", "#define GGML_CUDA_BLOCK_SIZE 256\n"),
    ("K017", "degrades", "a.cuh", "#ifdef GGML_CUDA_GELU\n#endif\n"),
    ("K061", "silent", "a.cc", 'bool f() { return vendor == "nvidia"; }\n'),
    ("K061", "cosmetic", "a.cc", 'puts("needs CUDA");\n'),
    ("K061", "silent", "a.cc", 'bool f() { return name == "cuda"; }\n'),
    ("K061", "blocks", "a.cc", 'void *h = dlopen("libcuda.so.1", 1);\n'),
    ("K061", "silent", "a.cc", 'char *e = getenv("CUDA_VISIBLE_DEVICES");\n'),
    ("K070", "degrades", "main.go", 'return d.Library == "CUDA"\n'),
    ("K070", "degrades", "main.rs", "use cudarc::driver::CudaSlice;\n"),
    ("K070", "degrades", "main.rs", "let d = CudaDevice::new(0)?;\n"),
    ("K070", "cosmetic", "main.rs", "let d: CudaDevice = other;\n"),
    ("K070", "degrades", "main.go", 'p = flag.String("icd", "/home/kubernetes/bin/nvidia/icd", "")\n'),
]


@pytest.mark.parametrize(("code", "severity", "path", "text"), ELSEWHERE)
def test_weight_elsewhere(code: str, severity: str, path: str, text: str) -> None:
    assert _weights(code, path, text)[-1] == severity


@pytest.mark.parametrize(("code", "severity", "text"), ROWS)
def test_weight(code: str, severity: str, text: str) -> None:
    assert _weights(code, "example.py", text)[-1] == severity


@pytest.mark.parametrize(("code", "severity", "text"), IN_TESTS)
def test_weight_in_a_test(code: str, severity: str, text: str) -> None:
    assert _weights(code, "tests/test_example.py", text)[-1] == severity


def _weights(code: str, path: str, text: str) -> list[str]:
    found, troubles = scanning.check(Document(path, text), frozenset({code}))
    assert not troubles
    return [one.severity for one in found]


SCRIPT = '''run("""
# wants nvidia-smi
nvidia-smi -L
echo "no CUDA"
export CUDA_VISIBLE_DEVICES=0
python -c "import torch; torch.cuda.init()"
NVCC_STATUS="$(own_nvcc)"
""")
'''


def test_lines_of_a_script_stand_where_they_are() -> None:
    found, _ = scanning.check(Document("example.py", SCRIPT))
    assert [(one.code, one.line) for one in sorted(found, key=Finding.place)] == [
        ("C060", 2),
        ("C023", 3),
        ("C060", 4),
        ("C022", 5),
        ("C005", 6),
        ("C060", 7),
    ]
    assert "a command of NVIDIA's: 'nvidia-smi -L'" in {one.what for one in found}
