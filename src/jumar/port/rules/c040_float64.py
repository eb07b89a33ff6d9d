"""Double precision under PyTorch's names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_names, python_source, string_patterns, string_surroundings
from jumar.port.rule import Example, Rule

NAMES = ("torch.float64", "torch.double", "torch.complex128", "torch.cdouble", "torch.DoubleTensor")
QUESTIONS = frozenset({"isinstance", "finfo", "append", "add", "param", "str", "get", "print", "skip_if"})
ON_DEVICE = re.compile(r"device|cuda|gpu|npu|\.to\(", re.IGNORECASE)
ASKING = re.compile(r"^assert|^is_|_is_|size|bytes|check|equal|tolerance")

RULE = Rule(
    code="C040",
    name="float64",
    kinds=("python",),
    triggers=("float64", "torch.double", "complex128", "cdouble", "doubletensor", ".double()"),
    layer="software",
    severity="degrades",
    safety="report",
    runs_unchanged=True,
    why="Ascend's cores compute no double precision: operators refuse it or take a slow processor beside them",
    replacement="torch.float32, or the CPU for this part",
    examples=(
        Example("import torch\n\nx = x.to(torch.float64)\n"),
        Example("x = x.double()\n"),
        Example("import torch\n\ntorch.set_default_dtype(torch.double)\n"),
    ),
    keep=(
        "import torch\n\nx = x.to(torch.float32)\n",
        "import torch\n\nif x.dtype == torch.float64:\n    pass\n",
        "import torch\n\nsizes = {torch.float64: 8}\n",
        "import torch\n\nx = torch.tensor(1.0, dtype=torch.float64)\n",
        "x = x.cpu().double()\n",
        "x = wave.double().numpy()\n",
        "import torch\n\nx = torch.randn(2, 3).double()\n",
        "import torch\n\nself.assertEqual(x.dtype, torch.float64)\n",
        "import numpy as np\n\nx = np.float64(1)\n",
        Example(
            "import torch\n\ndef test():\n    dtype = torch.float64\n    x = torch.randn(2, dtype=dtype)\n",
            path="tests/test_a.py",
        ),
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.under(document, *NAMES):
        if use.name == "torch.DoubleTensor" and "set_default" not in source.text(source.statement(use.node)):
            continue  # the type of tensors on the host
        if _is_made(source, use.node) and not _is_tests_own(source, use.node):
            yield RULE.found(document, *source.place(use.node), use.name)
    for call in source.all(ast.Call):
        function = call.func
        if not isinstance(function, ast.Attribute) or function.attr != "double" or call.args or call.keywords:
            continue
        host = (
            getattr(source.parents[call], "attr", "") == "numpy"
        )  # an array comes of a tensor on the host only
        host = host or _stays_on_host(source, function.value)
        if "cpu" not in source.text(function.value) and not host:
            yield RULE.found(document, *source.place(call), ".double()")


def _stays_on_host(source: python_source.Source, call: ast.AST) -> bool:
    """A tensor that is made without a device, or on the CPU, is no matter of the chip yet."""
    if not isinstance(call, ast.Call):
        return False
    devices = [source.text(given.value) for given in call.keywords if given.arg == "device"]
    made = (source.qualified(call.func) or "").startswith("torch.")
    return "cpu" in source.text(call) or (made and not devices)


def _is_made(source: python_source.Source, node: ast.AST) -> bool:
    """A tensor or a parameter gets the type; where it is only compared or listed there is none yet."""
    inner, above = string_surroundings.outside(source, node)
    if isinstance(above, ast.keyword):
        return "type" in (above.arg or "") and not _stays_on_host(source, source.parents[above])
    if isinstance(above, ast.Call):
        if "cpu" in source.text(above) or getattr(source.parents[above], "attr", "") == "numpy":
            return False
        name = getattr(above.func, "attr", getattr(above.func, "id", ""))
        return inner is above.func or not (name in QUESTIONS or ASKING.search(name))
    if isinstance(above, (ast.Assign, ast.AnnAssign)):
        return "type" in source.text(above).partition("=")[0]
    return isinstance(above, (ast.Return, ast.arguments))


def _is_tests_own(source: python_source.Source, node: ast.AST) -> bool:
    """A test's variable for the type of tensors that it makes on the host: it names no device at all."""
    above = source.parents[node]
    if not isinstance(above, ast.Assign) or not string_patterns.TEST_FILE.search(source.document.path):
        return False
    test = next((one for one in source.ancestors(node) if isinstance(one, ast.FunctionDef)), None)
    return test is not None and not ON_DEVICE.search(source.text(test))
