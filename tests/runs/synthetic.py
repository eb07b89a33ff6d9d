"""Stored runs made up for tests: training steps of a small GPT-2 with streams, events, modules, lines and memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from jumar.physics import Kind, Vector, Work, matmul
from jumar.runs.format import Exchange, OperatorKind, Phase, Run, Type, events_of

HIDDEN, HEADS, VOCABULARY = 768, 12, 50257
HOST_NS = 9000  # between two calls
WEIGHTS, CACHE = 0x1000_0000, 0x9000_0000
MIB = 1 << 20


class Writer:
    """Takes down events as a program would make them, in one process."""

    def __init__(self, process: int = 0) -> None:
        self.rows: list[dict[str, int]] = []
        self.kinds: dict[tuple[str, str], int] = {}
        self.table: list[OperatorKind] = []
        self.names: dict[tuple[int, str, int], str] = {}
        self.numbers: dict[tuple[str, str], int] = {}
        self.counts: Counter[str] = Counter()
        self.state: dict[str, int] = {"process": process, "chip": process}
        self.exchanges = 0
        self.now = 1_000_000

    def add(self, type: Type, **columns: int) -> None:
        self.now += HOST_NS
        self.rows.append({"type": int(type), "host_ns": self.now, **self.state, **columns})

    def at(self, module: str, line: str, phase: Phase) -> None:
        self.state |= {"module": self.number("module", module), "line": self.number("line", line)}
        self.state["phase"] = int(phase)

    def number(self, what: str, text: str) -> int:
        if (what, text) not in self.numbers:
            number = self.numbers[what, text] = self.counts[what]
            self.counts[what] += 1
            self.names[self.state["process"], what, number] = text
        return self.numbers[what, text]

    def operator(self, name: str, arguments: Sequence[Any], work: Work | None, **columns: int) -> None:
        key = (name, repr(arguments))
        if key not in self.kinds:
            self.kinds[key] = len(self.table)
            self.table.append(OperatorKind(name, arguments, work, "rule" if work else "none"))
        self.add(Type.OPERATOR, kind=self.kinds[key], **columns)


def operand(dtype: str, *sizes: int) -> dict[str, Any]:
    strides = [1] * len(sizes)
    for i in reversed(range(len(sizes) - 1)):
        strides[i] = strides[i + 1] * sizes[i + 1]
    return {"dtype": dtype, "sizes": list(sizes), "strides": strides, "format": "ND"}


def pointwise(elements: float, operations: float = 1, kind: Kind = Kind.ELEMENTWISE) -> Work:
    return Work(kind, (), (Vector("bf16", elements * operations),), 2.0 * elements, 2.0 * elements)


def product(writer: Writer, m: int, n: int, k: int) -> None:
    arguments = [operand("bfloat16", m, k), operand("bfloat16", k, n), operand("bfloat16", m, n), 1]
    writer.operator("aclnnMatmul", arguments, matmul(m, n, k, "bf16"))


def vector(writer: Writer, name: str, tokens: int, width: int, operations: float = 1) -> None:
    kind = Kind.NORMALIZATION if "Norm" in name else Kind.ELEMENTWISE
    arguments = [operand("bfloat16", tokens, width), operand("bfloat16", tokens, width)]
    writer.operator(name, arguments, pointwise(tokens * width, operations, kind))


def gpt2(steps: int = 4, layers: int = 12, batch: int = 8, sequence: int = 1024, processes: int = 1) -> Run:
    """`steps` training steps, about 40 events a layer. With several processes gradients are reduced on a stream."""
    writers = [Writer(process) for process in range(processes)]
    for writer in writers:
        _program(writer, steps, layers, batch, sequence, processes)
    rows = [row for writer in writers for row in writer.rows]
    facts = {
        "id": "20261122-080000-synthetic",
        "when": "2026-11-22 08:00:00 +0000",
        "command": ["python", "train_gpt.py"],
        "chip": "Ascend910B2",
        "devices": processes,
        "dry": True,
        "seed": None,
        "wall_s": 12.5,
        "exit_code": 0,
        "steps": steps,
        "losses": [],
        "cut": [],
        "host": {"mode": "default", "call_s": None, "factor": 1.0},
        "processes": [{"pid": 100 + w, "rank": w, "chips": [w]} for w in range(processes)],
    }
    names = {key: text for writer in writers for key, text in writer.names.items()}
    return Run(facts, writers[0].table, events_of(columns_of(rows), len(rows)), names)


def columns_of(rows: Sequence[Mapping[str, int]]) -> dict[str, list[int]]:
    given = {name for row in rows for name in row}
    pointers = {"kind", "event", "line", "module", "communicator", "exchange", "collective", "peer"}
    return {name: [row.get(name, -1 if name in pointers else 0) for row in rows] for name in given}


def _program(writer: Writer, steps: int, layers: int, batch: int, sequence: int, ranks: int) -> None:
    writer.at("", "train_gpt.py:20", Phase.NONE)
    weights_b = 12 * HIDDEN * HIDDEN * layers * 4 + VOCABULARY * HIDDEN * 4
    for part in range(3):  # weights and two moments
        writer.add(Type.ALLOCATE, address=WEIGHTS + part * weights_b, bytes=weights_b)
    writer.add(Type.COPY_H2D, bytes=weights_b, blocking=1)
    writer.names[writer.state["process"], "communicator", 0] = "world"
    for step in range(steps):
        writer.state["step"] = step
        _step(writer, step, layers, batch, sequence, ranks)
        writer.add(Type.STEP)
    writer.add(Type.SYNCHRONISE_DEVICE)


def _step(writer: Writer, step: int, layers: int, batch: int, sequence: int, ranks: int) -> None:
    tokens = batch * sequence
    writer.at("transformer.wte", "model.py:171", Phase.FORWARD)
    for _ in ("tokens", "labels"):
        writer.add(Type.COPY_H2D, bytes=8 * tokens, blocking=0)
    table = operand("float32", VOCABULARY, HIDDEN)
    indices = operand("int64", batch, sequence)
    lookup = Work(Kind.GATHER, (), (), 4.0 * tokens * HIDDEN, 4.0 * tokens * HIDDEN)
    writer.operator("aclnnEmbedding", [table, indices, operand("float32", batch, sequence, HIDDEN)], lookup)
    for layer in range(layers):
        kept_b = 34 * tokens * HIDDEN
        if step == 0:
            writer.add(Type.ALLOCATE, address=CACHE + layer * kept_b, bytes=kept_b)
        _layer(writer, layer, tokens, batch, sequence, Phase.FORWARD)
    writer.at("lm_head", "model.py:187", Phase.FORWARD)
    product(writer, tokens, VOCABULARY, HIDDEN)
    vector(writer, "aclnnLogSoftmax", tokens, VOCABULARY, 12)
    writer.at("", "train_gpt.py:40", Phase.BACKWARD)
    product(writer, tokens, HIDDEN, VOCABULARY)
    product(writer, HIDDEN, VOCABULARY, tokens)
    for layer in reversed(range(layers)):
        _layer(writer, layer, tokens, batch, sequence, Phase.BACKWARD)
        if ranks > 1:
            _reduce(writer, 12 * HIDDEN * HIDDEN * 4, ranks)
    if ranks > 1:
        writer.add(Type.EVENT_WAIT, event=2, stream=0)
    writer.at("", "train_gpt.py:42", Phase.OPTIMIZER)
    for name in ("aclnnForeachMulScalar", "aclnnForeachAddList", "aclnnForeachAddcdivList"):
        for _ in range(layers):
            sizes = 12 * HIDDEN * HIDDEN
            work = Work(Kind.OPTIMIZER, (), (Vector("fp32", 2.0 * sizes),), 8.0 * sizes, 4.0 * sizes)
            writer.operator(name, [[operand("float32", sizes)]], work)
    if step % 2 == 1:
        writer.at("", "train_gpt.py:45", Phase.NONE)
        writer.add(Type.SYNCHRONISE_STREAM)
        writer.add(Type.COPY_D2H, bytes=4, blocking=1, blocked_ns=2000)


def _layer(writer: Writer, layer: int, tokens: int, batch: int, sequence: int, phase: Phase) -> None:
    times = 1 if phase is Phase.FORWARD else 2
    block = f"transformer.h.{layer}"
    writer.at(f"{block}.ln_1", "model.py:100", phase)
    vector(writer, "aclnnLayerNorm" if times == 1 else "aclnnLayerNormBackward", tokens, HIDDEN, 8 * times)
    writer.at(f"{block}.attn", "model.py:52", phase)
    for _ in range(times):
        product(writer, tokens, 3 * HIDDEN, HIDDEN)
    for _ in range(3):
        vector(writer, "aclnnInplaceCopy", tokens, HIDDEN)
    width = HIDDEN // HEADS
    score = matmul(sequence, sequence, width, "bf16", batch * HEADS)
    for _ in range(2 * times):
        shape = [operand("bfloat16", batch * HEADS, sequence, width), operand("bfloat16", 1)]
        writer.operator("aclnnBatchMatMul", shape, score)
    vector(writer, "aclnnSoftmax", batch * HEADS * sequence, sequence, 10 * times)
    for _ in range(times):
        product(writer, tokens, HIDDEN, HIDDEN)
    vector(writer, "aclnnAdd", tokens, HIDDEN)
    writer.at(f"{block}.mlp", "model.py:82", phase)
    for _ in range(times):
        product(writer, tokens, 4 * HIDDEN, HIDDEN)
        vector(writer, "aclnnGelu" if times == 1 else "aclnnGeluBackward", tokens, 4 * HIDDEN, 12)
        product(writer, tokens, HIDDEN, 4 * HIDDEN)
    for _ in range(8):
        vector(writer, "aclnnAdd", tokens, HIDDEN)


def _reduce(writer: Writer, size_b: int, ranks: int) -> None:
    """Gradients of a layer on the stream of the communicator, after what made them."""
    writer.add(Type.EVENT_RECORD, event=1, stream=0)
    writer.add(Type.EVENT_WAIT, event=1, stream=1)
    writer.add(
        Type.COLLECTIVE,
        stream=1,
        bytes=size_b,
        communicator=0,
        exchange=writer.exchanges,
        collective=int(Exchange.ALL_REDUCE),
        ranks=ranks,
    )
    writer.exchanges += 1
    writer.add(Type.EVENT_RECORD, event=2, stream=1)
