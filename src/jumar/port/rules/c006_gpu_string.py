"""GPU as a device's name, as Lightning, Paddle, TensorFlow, JAX and spaCy call it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_source, string_surroundings
from jumar.port.rule import Example, Rule

GPU = re.compile(r"(/?(device:)?)?(gpu|GPU)(:\d+)?")
KEYWORDS = frozenset(
    {"accelerator", "device", "device_type", "device_name", "platform", "default_device", "backend"}
)
FUNCTIONS = frozenset(
    {
        "set_device",
        "device",
        "devices",
        "local_devices",
        "list_physical_devices",
        "list_logical_devices",
        "Trainer",
    }
    | {"get_visible_devices", "require_gpu", "default_device", "device_count", "local_device_count", "jit"}
)

ASKED = frozenset(("list_physical_devices", "list_logical_devices", "get_visible_devices"))
"""They answer with an empty list."""
INSTEAD = (
    ("paddle", '"npu", with paddle-custom-npu beside PaddlePaddle'),
    ("tensorflow", "npu_device, the vendor's adapter for TensorFlow; its devices are no GPUs"),
    ("jax", "nothing: JAX has no released backend for Ascend"),
    ("spacy", "spaCy on the host: it computes with CuPy"),
    ("thinc", "Thinc on the host: it computes with CuPy"),
    ("ray", '"NPU", the resource that Ray gives Ascend chips'),
)
"""By the package that is called."""
OF_RAY = {
    "why": "the resource GPU is counted for NVIDIA's and AMD's chips; a machine with Ascend has none",
    "replacement": '"NPU", the resource that Ray gives Ascend chips',
}

OF_OPTION = {
    "why": "the program's own word for a device; what it does for a GPU it does for no other chip",
    "replacement": "a value for Ascend beside it, with a branch of its own",
}

RULE = Rule(
    code="C006",
    name="gpu-string",
    kinds=("python",),
    triggers=("gpu",),
    sign=re.compile(r"[\"']/?(?:device:)?(?:gpu|GPU)(?::\d+)?[\"']"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="by gpu the library means NVIDIA's or AMD's",
    replacement='"auto" or "npu", where the library knows it',
    examples=(
        Example('trainer = Trainer(accelerator="gpu")\n'),
        Example('paddle.set_device("gpu:0")\n'),
        Example('gpus = tf.config.list_physical_devices("GPU")\n'),
        Example('with tf.device("/GPU:0"):\n    pass\n'),
        Example('if jax.default_backend() == "gpu":\n    pass\n'),
        Example('resources = {"GPU": 1}\n'),
        Example('if args.device == "gpu":\n    pass\n'),
    ),
    keep=(
        'print("gpu")\n',
        'x = "gpu"\n',
        'f(name="gpu")\n',
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for node in source.all(ast.Constant):
        if isinstance(node.value, str) and GPU.fullmatch(node.value) and _is_device(source, node):
            compared = isinstance(source.parents[node], ast.Compare)
            asked = compared or string_surroundings.called(source, node) in ASKED
            usual = "silent" if asked else RULE.severity
            weight = python_guards.of_value(source, node, usual, RULE.why)
            if isinstance(source.parents[node], ast.Dict):
                weight = {**weight, **({} if weight["severity"] == "cosmetic" else OF_RAY)}
                yield RULE.found(document, *source.place(node), f"the resource {node.value!r}", **weight)
                continue
            if compared and _is_option(source, node) and weight["severity"] != "cosmetic":
                weight = {**weight, **OF_OPTION}
            weight.setdefault("replacement", _instead(source, node))
            yield RULE.found(document, *source.place(node), f"the device {node.value!r}", **weight)


def _instead(source: python_source.Source, node: ast.AST) -> str | None:
    """What the package that is called, or asked, knows of Ascend."""
    if "jax" in source.document.text and getattr(source.parents[node], "arg", "") == "platform":
        return dict(INSTEAD)["jax"]
    for above in source.ancestors(node):
        called = [one for one in ast.walk(above) if isinstance(one, ast.Call)]
        for one in called:
            name = source.qualified(one.func) or ""
            for package, says in INSTEAD:
                if name.split(".")[0] == package:
                    return says
        if called or isinstance(above, ast.stmt):
            return None
    return None


def _is_option(source: python_source.Source, node: ast.AST) -> bool:
    """What is compared is a setting of the program's own, and nothing that a library answers."""
    above = source.parents[node]
    if not isinstance(above, ast.Compare) or any(isinstance(one, ast.Call) for one in ast.walk(above)):
        return False
    sides = [one for one in (above.left, *above.comparators) if one is not node]
    return all(isinstance(one, (ast.Name, ast.Attribute, ast.Subscript)) for one in sides) and not any(
        (source.qualified(one) or "").partition(".")[0] in {package for package, _ in INSTEAD}
        for one in sides
    )


def _is_device(source: python_source.Source, node: ast.Constant) -> bool:
    above = source.parents[node]
    if isinstance(above, ast.keyword):
        return above.arg in KEYWORDS
    if isinstance(above, ast.Dict):
        return node.value == "GPU" and node in above.keys and _is_asked_for(source, above)
    if isinstance(above, ast.Call):
        called = getattr(above.func, "attr", None) or getattr(above.func, "id", "")
        return called in FUNCTIONS
    if isinstance(above, ast.Compare):
        return any(
            word in source.text(above).lower() for word in ("device", "backend", "platform", "accelerator")
        )
    return False


def _is_asked_for(source: python_source.Source, row: ast.Dict) -> bool:
    """A table of resources that a scheduler is asked for."""
    text = source.text(source.statement(row)).lower()
    return any(word in text for word in ("resource", "bundle", "placement", "scheme"))
