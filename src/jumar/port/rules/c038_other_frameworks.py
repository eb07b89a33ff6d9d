"""NVIDIA's devices in TensorFlow, Paddle, MXNet and JAX."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_names, python_source
from jumar.port.rule import Example, Rule

INSTEAD = (
    ("paddle.device.cuda", "the functions of paddle.device for a custom device, with paddle-custom-npu"),
    (
        "paddle",
        'paddle.CustomPlace("npu", 0) with paddle-custom-npu; paddle.is_compiled_with_custom_device("npu") asks',
    ),
    ("tensorflow", "npu_device, the vendor's adapter for TensorFlow"),
    ("jax", "nothing: JAX has no released backend for Ascend"),
    ("mxnet", "nothing: MXNet has no backend for Ascend"),
)

RULE = Rule(
    code="C038",
    name="other-frameworks",
    kinds=("python",),
    triggers=("tensorflow", "paddle", "mxnet", "jax"),
    sign=re.compile(
        r"gpu_available|built_with|set_memory_growth|get_memory_info|GPUOptions|CUDAP|cuda|gpu|xla_bridge|tensorrt|build_info"
    ),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the framework asks for an NVIDIA GPU",
    replacement="paddle.CustomPlace with paddle-custom-npu; npu_device for TensorFlow; for JAX and MXNet nothing",
    examples=(
        Example("import tensorflow as tf\n\nok = tf.test.is_gpu_available()\n"),
        Example(
            "import tensorflow as tf\n\nif a.is_gpu:\n    tf.config.experimental.set_memory_growth(b, True)\n"
        ),
        Example("import paddle\n\nplace = paddle.CUDAPlace(0)\n"),
    ),
    keep=("import tensorflow as tf\n\nx = tf.zeros(3)\n",),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.under(
        document,
        "tensorflow.test.is_gpu_available",
        "tensorflow.test.is_built_with_cuda",
        "tensorflow.test.is_built_with_gpu_support",
        "tensorflow.sysconfig.get_build_info",
        "tensorflow.config.experimental.set_memory_growth",
        "tensorflow.config.experimental.get_memory_info",
        "tensorflow.config.experimental.enable_tensor_float_32_execution",
        "tensorflow.compat.v1.GPUOptions",
        "tensorflow.GPUOptions",
        "tensorflow.python.compiler.tensorrt",
        "paddle.CUDAPlace",
        "paddle.CUDAPinnedPlace",
        "paddle.device.cuda",
        "paddle.is_compiled_with_cuda",
        "paddle.device.is_compiled_with_cuda",
        "paddle.fluid.CUDAPlace",
        "paddle.fluid.core.is_compiled_with_cuda",
        "paddle.base.core.is_compiled_with_cuda",
        "mxnet.gpu",
        "mxnet.context.num_gpus",
        "mxnet.nd.gpu",
        "jaxlib.cuda",
        "jax.experimental.pallas.triton",
        "jax.experimental.pallas.mosaic_gpu",
        "jax.lib.xla_bridge.get_backend",
    ):
        asks = use.name.rpartition(".")[2].startswith(("is_", "get_build_info"))
        weight = python_guards.weighed(source, use.node, "silent" if asks else RULE.severity, RULE.why)
        if weight["severity"] == "blocks" and _is_for_gpus(source, use.node):
            weight = {"severity": "silent", "why": f"{RULE.why}; reached only where the program found one"}
        yield RULE.found(
            document, *source.place(use.node), use.name, **weight, replacement=_instead(use.name)
        )


GPU = re.compile(r"\b(?:is_gpu|has_gpu|gpus?_available|on_gpu)\b")


def _is_for_gpus(source: python_source.Source, node: ast.AST) -> bool:
    """`if self.is_gpu: …`."""
    inner = node
    for outer in source.ancestors(node):
        if (
            isinstance(outer, ast.If)
            and inner in outer.body
            and isinstance(outer.test, (ast.Name, ast.Attribute))
            and GPU.search(source.text(outer.test))
        ):
            return True
        inner = outer
    return False


def _instead(name: str) -> str | None:
    return next((says for begin, says in INSTEAD if name.startswith(begin)), None)
