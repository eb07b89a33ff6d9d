"""Keys of NVIDIA in Kubernetes and kin (`nvidia.com/gpu`), with what each is for where it stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from jumar.port import dictionary
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import json_entries, roles, yaml_entries
from jumar.port.reading.comments import without_comments
from jumar.port.reading.entries import Entry
from jumar.port.reading.scripts import is_told
from jumar.port.rule import Rule

KEY = re.compile(
    r"(?:(?<![\w.\-/])|(?<=\.)(?=nvidia\\))(?:(?:(?:requests|limits|resource|gpu|mig|k8s|management|topology|"
    r"accelerator|feature\.node|dcgm)\.)?"
    r"nvidia\.com\\*/(?!en-|blog|content|object|docs|datacenter|download|deep-learning|gtc|drivers)[\w.\-/*]+"
    r"|cloud\.google\.com/gke-(?:accelerator|gpu)[\w\-]*|k8s\.amazonaws\.com/accelerator"
    r"|karpenter\.k8s\.aws/instance-(?:gpu|accelerator)-[\w\-]+|aliyun\.com/gpu-[\w\-]+(?:\.percentage)?|"
    r"volcano\.sh/v?gpu-[\w\-]+"
    r"|(?<=\.)nvidia\\+\.com\\*/(?:gpu|mig)[\w.\-]*"
    r"|(?<=\[[\"'])(?:gpu|mig)\.nvidia\.com(?=[\"']\])"
    r"|(?<=apiVersion: )[\w.\-]+\.nvidia\.com/v\w+"
    r"|(?:resource\.|gpu\.|mig\.)?nvidia\.com(?=[\"']?[ \t]*$))(?![\w/])",
    re.MULTILINE,
)
ROLES = ("resource", "selector", "toleration", "operator")
REMARK = re.compile(r"//|^[ \t]*[*#]|\b(?:Usage|usage|Description|description)\b")
BLOCK = re.compile(r"^[ \t]*/\*.*?\*/", re.DOTALL | re.MULTILINE)
TAINT = re.compile(r"taint|tolerat", re.IGNORECASE)
OF_TAINT = re.compile(r"taints?\[[^\n]*$|\b[Kk]ey[\"']?[ \t]*[:=][ \t]*[\"']?$")
IN_TEST = re.compile(
    r"_test\.go$|(^|/)(?:test_?fixtures?|test_?utils?|mocks?|fakes?)/|(^|/)(?:integration_tests?|envtest|testdata)/(?:.*/)?\w*crds?/"
)
"""Texts that a test of Go holds against others, and definitions that one loads into an API server of its own: they
change with the program, and run as they are."""
IN_CODE = "huawei.com/Ascend910, the resource that Ascend Device Plugin offers"
ANNOTATED = re.compile(
    r"nvidia\.com/(?:vgpu-mode|(?:no)?use-gpu\w+|vgpu-(?:node|time|ids)[\w\-]*|gpu-driver-upgrade-[\w\-]*)"
)
"""Annotations of HAMi and the operator, which stand on pods and nodes and are no labels."""
TEMPLATE = re.compile(r"\.(?:tmpl|tpl|template|gotmpl|j2|jinja2?|mustache|erb|hbs|in)$", re.IGNORECASE)
LABELS_OF = re.compile(r"(?:node|default)?labels?$", re.IGNORECASE)
"""The labels that an object or a node is given, and not those by which it is chosen."""
PICTURE = re.compile(r"\.(?:svg|html?|drawio|puml|mmd|excalidraw|adoc|tex)$", re.IGNORECASE)
SCHEMA = re.compile(r"(?:^| )properties(?: |$)")
PROSE = re.compile(r"^(?!.*[\"'{}\[\]|$])[^\n]*?\w+[.,:;]? \w+ \w+ \w+ \w+")
"""A value that is a sentence, and neither a script nor a table."""
ASKED = re.compile(
    r"jsonpath|custom-columns|allocatable|\.capacity|\bjq\b|\bgrep\b"
    r"|\bkubectl\b[^|;&]*\bget\b[^|;&]*(?:[ \t]-l|--selector|--field-selector)"
)
CONTINUED = re.compile(r"\\\r?\n[^\n]*$")
LABELS = re.compile(r"\b(?:kubectl|oc)\b[^|;&]*\blabel\b")
GIVEN = re.compile(r"limits|requests|ResourceList|MustParse|Quantity", re.IGNORECASE)
"""A line of a program that makes a pod ask for it."""
PART = re.compile(r"aliyun\.com/gpu-(?:mem|core)|/v?gpu-?(?:mem|core)|volcano\.sh/v?gpu-(?:mem|core)")
CDI = re.compile(r"=(?:all|gpu|\d|[0-9a-fA-F]{8}-|GPU-|MIG-|%)")
"""After a class of devices: one of them by name, for a container's run time and not for Kubernetes."""
HEADING = re.compile(r"^[ \t]*(?:-[ \t]+)?[\"']?([\w.\-/]+)[\"']?:[ \t]*$")
WORDS = re.compile(r"(?<!\S)[A-Za-z]{2,}[.,:]?(?!\S)")
QUOTE = '"'
LEAST_WORDS = 4
FARTHEST = 60
NEAR = 200
# What a file holds that has such a key.
TRIGGERS = (
    "nvidia.com",
    "nvidia\\",
    "gke-",
    "amazonaws.com/acc",
    "karpenter",
    "aliyun.com/gpu",
    "volcano.sh/",
)
KINDS = ("yaml", "json", "shell", "slurm", "terraform", "ci", "markdown", "make", "toml", "ini", "text")


@dataclass(frozen=True)
class Key:
    """`role`: one of ROLES. `entry`: the key and value that it is part of, if the file has such."""

    name: str
    start: int
    end: int
    role: str
    entry: Entry | None
    above: tuple[str, ...] = ()
    """The keys that it stands below, also where a script writes the file."""


@dataclass(frozen=True)
class Special:
    """What is said in place of the rule's own words. No `replacement`: the table's."""

    severity: str
    why: str
    replacement: str = ""


OF_TEST = Special(
    "cosmetic",
    "the text that a test hands on or holds against another; it runs without NVIDIA's chips",
    "what the program uses instead, once it does",
)
OF_ANNOTATION = Special(
    "degrades",
    "only NVIDIA's and kindred components read the annotation; others pass over it",
    "the annotation of the component that manages Ascend's chips, if it has one",
)
LABEL_OF_PROGRAM = Special("degrades", "a label of nodes with NVIDIA's GPUs is read or set here")
RESOURCE_OF_PROGRAM = Special(
    "degrades", "the program knows NVIDIA's GPUs by that resource, and nodes of Ascend offer another"
)
OF_ROLE = Special(
    "cosmetic",
    "a role is given rights on NVIDIA's kinds; a cluster takes it without them",
    "rights on what stands there on Ascend beside it, where the program has need of some",
)
OF_TEXT = Special(
    "cosmetic",
    "a text for people names a resource or label of NVIDIA's GPUs",
    "what nodes of Ascend have for it, beside it",
)
NONE_ASKED = Special("cosmetic", "none of NVIDIA's GPUs is asked for, so that a pod is placed without them")
OF_SCHEMA = Special(
    "degrades", "a value that is taken where none is given names what only NVIDIA's plug-in offers"
)
OF_PICTURE = Special("cosmetic", "a page or picture that people look at tells of it")
QUESTION = Special("silent", "it is asked for, and nodes of Ascend answer with nothing")
LABELLED = Special(
    "degrades",
    "the label is given to a node or an object, and says that there are NVIDIA's GPUs",
    "the label that tells of Ascend's chips in its place: accelerator and accelerator-type on nodes",
)


def keys(document: Document) -> tuple[Key, ...]:
    return document.once(_keys)


def findings(rule: Rule, document: Document, role: str) -> Iterator[Finding]:
    """Of that rule: every key of that role, with what the dictionary has in its place."""
    for key in keys(document):
        if key.role == role:
            row = dictionary.find("datacentre/kubernetes", key.name.replace("\\", ""))
            if row is not None and (
                row.note == "NVIDIA's" or (role != "resource" and _is_resource(key.name))
            ):
                row = None
            special = _special(document, key)
            general = IN_CODE if role == "resource" and document.kind != "yaml" else rule.replacement
            if role == "resource" and key.entry is not None and key.entry.key.endswith("vendor"):
                general = "huawei.com, and Ascend910 in place of gpu in the names of the resource's settings"
            yield rule.found(
                document,
                key.start,
                key.end,
                key.name,
                why=special.why if special else None,
                replacement=(special.replacement if special else "") or dictionary.says(row, general),
                layer=roles.layer_of(document),
                severity="cosmetic"
                if is_told(document, key.start)
                else special.severity
                if special
                else None,
            )


def _special(document: Document, key: Key) -> Special | None:
    """What is true of a key in a test, of an annotation, and of one that is asked for or stands in a program."""
    if IN_TEST.search(document.path):
        return OF_TEST
    if _is_annotation(key):
        return OF_ANNOTATION
    if "apiGroups" in (key.entry.path if key.entry else key.above):
        return OF_ROLE
    if PICTURE.search(document.path):
        return OF_PICTURE
    if (
        key.entry is not None
        and key.role == "selector"
        and key.entry.is_item is False
        and LABELS_OF.match(key.entry.parent)
    ):
        return LABELLED
    if key.role == "resource" and key.entry is not None and key.entry.value == "0":
        return NONE_ASKED
    if key.role == "resource" and key.entry is not None and SCHEMA.search(" ".join(key.entry.path)):
        return OF_SCHEMA
    line = document.position(key.start)[0] - 1
    begin = document.starts[line]
    text = document.text[max(begin, key.start - NEAR) : key.end + NEAR].split("\n")[0]
    if document.kind == "text":
        if _is_in_text(document, key):
            return OF_TEXT
        if key.role == "selector":
            return LABEL_OF_PROGRAM
        known = GIVEN.search(text) or TEMPLATE.search(document.path)
        return RESOURCE_OF_PROGRAM if key.role == "resource" and not known else None
    if document.kind in ("shell", "slurm", "markdown", "make", "yaml") and key.entry is None:
        command = document.text[max(0, key.start - 2 * NEAR) : key.start]
        if ASKED.search(text) or (CONTINUED.search(command) and ASKED.search(command)):
            return QUESTION
        return LABELLED if key.role == "selector" and LABELS.search(text) else None
    return None


def _is_in_text(document: Document, key: Key) -> bool:
    """Part of a string of several words: a heading or a message."""
    line = document.position(key.start)[0]
    start = document.starts[line - 1]
    before, after = document.text[start : key.start], document.lines[line - 1][key.end - start :]
    if before.count('"') % 2 == 0 or '"' not in after:
        return False
    words = WORDS.findall(f"{before.rpartition(QUOTE)[2]} {after.partition(QUOTE)[0]}")
    return len(words) >= LEAST_WORDS


def _is_annotation(key: Key) -> bool:
    if ANNOTATED.fullmatch(key.name):
        return True
    return key.role == "selector" and "annotations" in key.above


def is_part(name: str) -> bool:
    """An amount of a GPU's memory or cores, and no number of GPUs."""
    return PART.search(name) is not None


def _is_resource(name: str) -> bool:
    """What stands in its place as a resource is no label and no taint."""
    return name in ("nvidia.com/gpu", "nvidia.com/gpu.shared") or "/mig-" in name


def _keys(document: Document) -> tuple[Key, ...]:
    return tuple(_found(document))


def _found(document: Document) -> Iterator[Key]:
    places = _places(document)
    starts = [start for start, _, _ in places]
    for match in KEY.finditer(without_comments(document)):
        before = document.text[max(0, match.start() - 3) : match.start()]
        if document.kind == "text" and _in_block(document, match.start()):
            continue
        if before.endswith("://") or before.endswith("@") or _is_remark(document, match.start()):
            continue
        line = document.starts[document.position(match.start())[0] - 1]
        number = bisect_right(starts, match.start()) - 1
        entry = places[number][2] if number >= 0 and match.start() < places[number][1] else None
        if entry is not None and entry.value and entry.key == "description":
            continue  # a text, of which another rule tells
        if entry is not None and entry.value and PROSE.search(entry.value):
            continue
        if entry is not None and entry.value is not None and "\n" in entry.value:
            entry = None  # a file of its own, which the value holds
        if document.kind == "text" and CDI.match(document.text, match.end()):
            continue  # a device by name
        above = entry.path[:-1] if entry else _above(document, match.start())
        role = _role(match[0], entry, above)
        if (
            role == "resource"
            and document.kind == "markdown"
            and TAINT.search(_line(document, match.start()))
        ):
            role = "toleration"
        if (
            role == "resource"
            and entry is None
            and OF_TAINT.search(document.text, max(line, match.start() - NEAR), match.start())
            and "label" not in document.text[max(line, match.start() - NEAR) : match.start()]
        ):
            role = "toleration"
        yield Key(match[0], match.start(), match.end(), role, entry, above)


def _line(document: Document, place: int) -> str:
    return document.lines[document.position(place)[0] - 1]


def _in_block(document: Document, place: int) -> bool:
    """A comment over several lines of Go, Rust or the like."""
    return any(start <= place < end for start, end in document.once(_blocks))


def _blocks(document: Document) -> list[tuple[int, int]]:
    return [match.span() for match in BLOCK.finditer(document.text)]


def _is_remark(document: Document, place: int) -> bool:
    """A comment of a source in a language that no rule reads, or a line of help."""
    if document.kind != "text":
        return False
    line = document.position(place)[0]
    start = document.starts[line - 1]
    return bool(REMARK.search(document.text, start, place))


def _places(document: Document) -> list[tuple[int, int, Entry]]:
    """Where keys and scalars stand, in order."""
    found = []
    for entry in _entries(document):
        if entry.key_end > entry.key_start:
            found.append((entry.key_start, entry.key_end, entry))
        if entry.value is not None:
            found.append((entry.start, entry.end, entry))
    return sorted(found, key=lambda one: one[:2])


def _entries(document: Document) -> tuple[Entry, ...]:
    if document.kind == "yaml":
        return yaml_entries.entries(document)
    return json_entries.entries(document) if document.kind == "json" else ()


def _above(document: Document, place: int) -> tuple[str, ...]:
    """The headings of YAML that a line stands below, in a script or a source that writes it."""
    line, _ = document.position(place)
    text = document.lines[line - 1]
    depth, found = len(text) - len(text.lstrip()), []
    for before in range(line - 2, max(-1, line - FARTHEST), -1):
        text = document.lines[before]
        indent = len(text) - len(text.lstrip())
        if text.strip() and indent < depth:
            heading = HEADING.match(text)
            if heading is None:
                break
            found.append(heading[1])
            depth = indent
    return tuple(reversed(found))


def _role(name: str, entry: Entry | None, above: tuple[str, ...]) -> str:
    if ANNOTATED.fullmatch(name):
        return "selector"
    if name.startswith("management."):
        return "operator"  # a device of NVIDIA's for containers, no resource
    if re.search(r"/gpu-(?:operator|driver|feature|device-plugin)", name):
        return "selector"  # labels of NVIDIA's components, no resource
    path = " ".join(entry.path if entry else above).lower()
    if name in ("gpu.nvidia.com", "mig.nvidia.com"):
        return "resource"  # a class of devices, of which pods ask for some
    if name == "nvidia.com" and entry is not None and entry.key.endswith("vendor"):
        return "resource"  # Spark puts it before the resource's name
    if entry and entry.key == "apiVersion":
        return "operator"
    if "toleration" in path or "taint" in path:
        return "toleration"
    if re.search(
        r"nodeselector|affinity|matchlabels|matchexpressions|labels|selector|topologykey|annotations", path
    ):
        return "selector"
    if re.search(
        r"nvidia\.com/(gpu\.(?:product|memory|count|present|family|machine|deploy|replicas|"
        r"compute|sharing|clique|mode)|cuda|mig\.|vgpu|mps)|gke-|instance-|amazonaws",
        name,
    ):
        return "selector"
    return (
        "resource"
        if name.split("/")[-1].startswith(("gpu", "mig-", "vgpu", "total-gpu", "hostdev", "rdma"))
        or name.endswith("/mig")
        else "operator"
    )
