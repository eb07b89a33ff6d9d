"""Switches of libraries that choose a kernel for NVIDIA: attention, quantisation, fused optimizers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_source
from jumar.port.reading.string_patterns import TEST_FILE
from jumar.port.rule import Example, Rule

VALUE = re.compile(
    r"flash_attention_[23]|use_flash_attn|(paged_)?(adamw|adam|lion|ademamix|rmsprop|sgd)_(8bit|32bit|bnb_8bit)|flash_attn_?[23]?"
)
SWITCHES = frozenset(
    {"load_in_8bit", "load_in_4bit", "use_flash_attention_2", "use_flash_attn", "use_xformers", "tf32"}
)
METHODS = frozenset(
    {"enable_xformers_memory_efficient_attention", "set_use_memory_efficient_attention_xformers"}
)

INSTEAD = (
    (
        re.compile(r"flash"),
        'attention by PyTorch itself (attn_implementation="sdpa" in transformers): the vendor\'s fused operator',
    ),
    (re.compile(r"xformers"), "scaled_dot_product_attention, which runs on the vendor's fused attention"),
    (re.compile(r"load_in_"), "bfloat16 weights, or a quantised format that vllm-ascend or MindIE reads"),
    (
        re.compile(r"8bit|32bit|bnb"),
        "the optimizer of torch with its state in full precision, as adamw_torch",
    ),
    (re.compile(r"tf32"), "torch.npu.matmul.allow_hf32, the chip's format between float16 and float32"),
)
"""By the switch."""
NAMED = "the name of a kernel for NVIDIA's GPUs; what is chosen by it is decided elsewhere"
HANDED_ON = "the choice of a kernel for NVIDIA's GPUs is noted or handed on here, and made elsewhere"
LIBRARIES = ("transformers.", "trl.", "peft.", "diffusers.", "accelerate.", "vllm.", "unsloth.")
LOADERS = re.compile(
    r"from_pretrained|from_config|BitsAndBytesConfig|\w*(?:Config|Arguments|Args|Engine|LLM|Model)|dict"
)
"""Functions that do as the switch says, or make what does."""

RULE = Rule(
    code="C044",
    name="library-switches",
    kinds=("python",),
    triggers=(
        "flash_attention",
        "flash_attn",
        "load_in_8bit",
        "load_in_4bit",
        "bitsandbytes",
        "8bit",
        "use_xformers",
        "xformers_memory",
        "_bnb_",
        "tf32",
    ),
    sign=re.compile(r"[\"']flash_att|load_in_|_8bit|_32bit|use_flash|xformers|tf32"),
    layer="software",
    severity="degrades",
    safety="report",
    runs_unchanged=True,
    why="the switch chooses a kernel that is made for NVIDIA's GPUs",
    replacement='attn_implementation="sdpa"; optimizers of torch; hf32 for tf32',
    examples=(
        Example("name = get_name(p, load_in_4bit=load_in_4bit)\n"),
        Example('m = AutoModel.from_pretrained(p, attn_implementation="flash_attention_2")\n'),
        Example("m = AutoModel.from_pretrained(p, load_in_4bit=True)\n"),
        Example('args = TrainingArguments(optim="paged_adamw_8bit")\n'),
        Example("pipe.enable_xformers_memory_efficient_attention()\n"),
        Example("args = TrainingArguments(tf32=True)\n"),
        Example('ok = is_package_available("flash_attn")\n'),
    ),
    keep=(
        'm = AutoModel.from_pretrained(p, attn_implementation="sdpa")\n',
        "m = AutoModel.from_pretrained(p, load_in_4bit=False)\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for text in source.all(ast.Constant):
        if (
            isinstance(text.value, str)
            and VALUE.fullmatch(text.value)
            and not isinstance(source.parents[text], ast.Expr)
        ):
            asked = _is_named(source, text)
            if _is_asked_for(source, text):
                yield RULE.found(document, *source.span(text), f"asks for {text.value}", **OF_QUESTION)
                continue
            if isinstance(source.parents[text], ast.Dict) and asked:
                yield RULE.found(
                    document,
                    *source.span(text),
                    f"goes by {text.value}",
                    severity="cosmetic",
                    why=OF_TABLE,
                    replacement=ASIDE,
                )
                continue
            says, heavy, why = ("goes by", "cosmetic", NAMED) if asked else ("chooses", None, None)
            yield RULE.found(
                document,
                *source.span(text),
                f"{says} {text.value}",
                severity=heavy,
                why=why,
                replacement=_instead(text.value),
            )
    for given in source.all(ast.keyword):
        off = isinstance(given.value, ast.Constant) and not given.value.value
        if given.arg not in SWITCHES or off:
            continue
        if _loads(source, given):
            instead = _instead(given.arg)
            yield RULE.found(document, *source.span(given), f"switches {given.arg} on", replacement=instead)
        else:
            yield RULE.found(
                document,
                *source.span(given),
                f"hands on {given.arg}",
                why=HANDED_ON,
                severity="cosmetic",
                replacement=_instead(given.arg),
            )
    for word in source.all(ast.Name):
        if word.id in SWITCHES and isinstance(word.ctx, ast.Load):
            yield RULE.found(document, *source.place(word), f"goes by {word.id}", **_named(word.id))
    for method in source.all(ast.Attribute):
        if method.attr in SWITCHES and isinstance(method.ctx, ast.Load):
            words = _named(method.attr)
            if isinstance(source.parents[method], ast.Dict):
                words |= {"why": OF_TABLE, "replacement": ASIDE}
            yield RULE.found(document, *source.place(method), f"goes by {method.attr}", **words)
        if method.attr in METHODS and isinstance(method.ctx, ast.Load):
            above = source.parents[method]
            called = isinstance(above, ast.Call) and above.func is method
            says, heavy = ("calls", None) if called else ("goes by", "cosmetic")
            yield RULE.found(
                document,
                *source.place(method),
                f"{says} {method.attr}",
                severity=heavy,
                why=None if called else NAMED,
                replacement=_instead(method.attr),
            )


OF_QUESTION: dict[str, Any] = {
    "severity": "cosmetic",
    "why": "asks whether the package is installed, which is for NVIDIA's GPUs; without it another path is taken",
    "replacement": "nothing, where the other path serves Ascend",
}
ASKING = re.compile(r"available|installed|find_spec|^version$|^has_|_exists$|importable|metadata")
OF_TABLE = "a name in a table, of a kernel or a type of data for NVIDIA's GPUs"
ASIDE = "a row for what Ascend has beside it, where the table is to serve it"


def _instead(name: str) -> str | None:
    return next((says for word, says in INSTEAD if word.search(name)), None)


def _named(name: str) -> dict[str, Any]:
    return {"severity": "cosmetic", "why": NAMED, "replacement": _instead(name)}


def _is_asked_for(source: python_source.Source, text: ast.Constant) -> bool:
    """`is_package_available("flash_attn")`."""
    above = source.parents[text]
    if not isinstance(above, ast.Call) or text not in above.args:
        return False
    return bool(ASKING.search(getattr(above.func, "attr", "") or getattr(above.func, "id", "")))


def _is_named(source: python_source.Source, text: ast.Constant) -> bool:
    """What something is compared with, or a key under which it is kept."""
    above = source.parents[text]
    if isinstance(above, (ast.Tuple, ast.List, ast.Set)):
        above = source.parents[above]
    if isinstance(above, ast.Subscript):
        return above.slice is text
    return isinstance(above, ast.Compare) or (isinstance(above, ast.Dict) and text in above.keys)


def _loads(source: python_source.Source, given: ast.keyword) -> bool:
    """The function switches something on. One that is handed a variable of that name may only pass it on; a
    configuration that a test makes of the program's own loads nothing."""
    call = source.parents[given]
    if not isinstance(call, ast.Call):
        return False  # a keyword of a class
    word = getattr(call.func, "attr", "") or getattr(call.func, "id", "")
    if TEST_FILE.search(source.document.path) and not (source.qualified(call.func) or "").startswith(
        LIBRARIES
    ):
        return word == "from_pretrained"
    return isinstance(given.value, ast.Constant) or bool(LOADERS.fullmatch(word))
