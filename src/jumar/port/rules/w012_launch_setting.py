"""Settings that choose CUDA: accelerate, DeepSpeed, Hydra, Lightning, vLLM."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import json_entries, roles, yaml_entries
from jumar.port.reading.comments import without_comments
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="W012",
    name="launch-setting",
    kinds=("yaml", "json", "toml", "ini"),
    triggers=("cuda", "gpu", "nccl", "nvidia"),
    layer="workflow",
    severity="degrades",
    safety="report",
    runs_unchanged=True,
    why="the program is told to use CUDA",
    replacement="the setting for any accelerator: device npu or auto, backend hccl, MULTI_NPU",
    examples=(
        Example("distributed_type: MULTI_GPU\ngpu_ids: all\n", path="accelerate.yaml"),
        Example("trainer:\n  device: cuda:0\n  backend: nccl\n", path="config.yaml"),
        Example('{"device": "cuda"}\n', path="config.json"),
        Example('test = { cmd = "pytest", env = { TEST_DEVICE = "cuda" } }\n', path="pixi.toml"),
        Example('[train]\ndevice = "cuda"\n', path="config.toml"),
        Example("trainer:\n  accelerator: gpu\n", path="lightning.yaml"),
        Example('layers:\n  15: "cuda:1"\n', path="placement.yaml"),
        Example("communicators:\n- nccl\n", path="test.yaml"),
    ),
    keep=(
        Example("resources:\n  use_gpu: false\n", path="config.yaml"),
        Example("device: cpu\nname: cuda study\n", path="config.yaml"),
        Example("devicePlugin:\n  libCudaLogLevel: 1\n", path="values.yaml"),
        Example('{"title": "cuda"}\n', path="config.json"),
        Example('{"panels": [{"renameByName": {"cuda_version": "CUDA"}}]}\n', path="dashboard.json"),
        Example('{"cuda_graph_request_count_map": null}\n', path="golden_values.json"),
    ),
)

INSTEAD = {
    "nccl": "hccl",
    "cpu:gloo,cuda:nccl": "cpu:gloo,npu:hccl",
    "cuda": "npu",
    "gpu": "npu or auto",
    "multi_gpu": "MULTI_NPU",
    "cudaexecutionprovider": "CANNExecutionProvider",
    "tensorrtexecutionprovider": "CANNExecutionProvider",
}
DEVICE = re.compile(
    r"^(?:cuda(?::\d+)?|gpu(?::\d+)?|nccl|cpu:gloo,cuda:nccl|multi_gpu|"
    r"(?:CUDA|Tensorrt)ExecutionProvider|torch\.device\(.cuda.*|cudagraphs|cuda_?graph\w*)$",
    re.IGNORECASE,
)
KEY = re.compile(
    r"device|backend|accelerator|distributed_type|platform|target|provider|compute|"
    r"map_location|placement|use_(?:gpu|cuda)|gpu_ids?|"
    r"gpus?$|cuda|nccl|no_cuda",
    re.IGNORECASE,
)
INLINE = re.compile(r"[\s{,](?P<key>\w*device)[ \t]*=[ \t]*[\"'](?P<value>cuda(?::\d+)?)[\"']", re.IGNORECASE)
"""In a table on one line of TOML."""
PLACED = re.compile(r"cuda:\d+")
"""Whatever the key, as in a table of layers."""
COMMUNICATOR = re.compile(r"communicator|collective|distributed", re.IGNORECASE)
SWITCH = re.compile(
    r"^(?:use_cuda|no_cuda|cuda|gpu_ids?|gpus|devices_per_node|use_gpu|enable_cuda\w*|"
    r"\w*(?:cuda|nccl)\w*)$",
    re.IGNORECASE,
)
CHOICE = re.compile(r"^(?:true|false|yes|no|on|off|all|auto|[\d,]+|cuda\S*|gpu\S*|\[.*)$", re.IGNORECASE)
NOT_THESE = re.compile(
    r"(?i:nvidia|cuda[_-]?(?:version|home|path)|log_?level|verbos|timeout|interval|(?:port|count|limit)$)|^[A-Z][A-Z0-9_]+$"
)
TITLES = re.compile(r"rename|label|header|column|alias|title|legend|translation|i18n|display", re.IGNORECASE)
"""Tables of words that people see."""


NOT_USED = re.compile(r"(?:use_\w+|gpus?|cuda|enable_\w+)=(?:false|no|off|0)", re.IGNORECASE)
"""Nothing of CUDA is asked for."""


def _more(document: Document) -> dict[str, Any]:
    """What is different in a file that no program runs by."""
    if roles.is_document_data(document):
        return {"severity": "cosmetic", "why": "what a page tells, which people read", "replacement": BESIDE}
    if roles.is_test_data(document):
        return {"severity": "cosmetic", "why": "what a test reads, which says CUDA"}
    return {}


FAILS = re.compile(r"cuda(?::\d+)?")
OF_DEVICE: dict[str, Any] = {
    "severity": "blocks",
    "why": "the program is told to take CUDA's device, and fails where there is none",
}
OF_TRAINER: dict[str, Any] = {
    "severity": "blocks",
    "why": "Lightning is told to take CUDA's GPUs, and refuses where there are none",
    "replacement": "auto, or the accelerator that Lightning is given for Ascend",
}
OF_SWITCH: dict[str, Any] = {
    "why": "a switch or number of the program's that is for CUDA by its name",
    "replacement": "what the program has in its place for Ascend, if anything",
}
USES = re.compile(
    r"^(?:use_cuda|no_cuda|cuda|gpu_ids?|gpus|devices_per_node|use_gpu|enable_cuda)$", re.IGNORECASE
)
TRAINER = re.compile(
    r"^[ \t]*(?:precision|max_epochs|num_nodes|strategy|max_steps|log_every_n_steps)[ \t]*:", re.MULTILINE
)


def _is_of_trainer(document: Document, key: str, value: str) -> bool:
    return key == "accelerator" and value in ("gpu", "cuda") and TRAINER.search(document.text) is not None


BESIDE = "a row for Ascend beside it, once there is one"


def check(document: Document) -> Iterator[Finding]:
    if document.kind in ("yaml", "json"):
        if document.kind == "yaml" and (
            roles.is_ci(document) or roles.is_conda(document) or roles.is_ansible(document)
        ):
            return
        read = json_entries.entries if document.kind == "json" else yaml_entries.entries
        more = _more(document)
        for entry in read(document):
            start, end = entry.inner(document.text)
            value = (entry.value or "").strip()
            if entry.key.lower() in ("name", "title") and not entry.is_item:
                continue
            if value and TITLES.search(entry.parent):
                continue
            if DEVICE.match(value) and (
                KEY.search(entry.named) or COMMUNICATOR.search(entry.named) or PLACED.fullmatch(value)
            ):
                says = INSTEAD.get(value.lower().split(":")[0] if "," not in value else value.lower())
                fails = (
                    OF_TRAINER
                    if _is_of_trainer(document, entry.key, value)
                    else OF_DEVICE
                    if FAILS.fullmatch(value) and "device" in entry.named.lower()
                    else {}
                )
                yield RULE.found(
                    document, start, end, f"{entry.named}: {value}", **({"replacement": says} | fails | more)
                )
            elif (
                SWITCH.match(entry.key)
                and not entry.is_item
                and not NOT_THESE.search(entry.key)
                and CHOICE.match(value)
                and not NOT_USED.fullmatch(f"{entry.key}={value}")
            ):
                given = {} if USES.match(entry.key) else OF_SWITCH
                yield RULE.found(document, entry.key_start, entry.key_end, entry.key, **(given | more))
        return
    for line_start, line in zip(document.starts, without_comments(document).split("\n"), strict=False):
        match = (INLINE.search(line) if document.kind == "toml" else None) or re.match(
            r"[ \t]*(?P<key>[\w.\-]+)[ \t]*[=:][ \t]*[\"']?(?P<value>[\w:,]+)[\"']?[ \t\r]*$", line
        )
        if match and DEVICE.match(match["value"]) and KEY.search(match["key"]):
            yield RULE.found(
                document,
                line_start + match.start("value"),
                line_start + match.end("value"),
                f"{match['key']}: {match['value']}",
                **(OF_DEVICE if FAILS.fullmatch(match["value"]) and "device" in match["key"].lower() else {}),
            )
