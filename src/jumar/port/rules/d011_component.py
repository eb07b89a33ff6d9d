"""NVIDIA's components for clusters by name: gpu-operator, device plugin, DCGM, MIG, MPS."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles, tasks, yaml_entries
from jumar.port.reading.comments import without_comments
from jumar.port.reading.entries import Entry
from jumar.port.reading.scripts import in_code, is_told
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="D011",
    name="component",
    kinds=("yaml", "json", "shell", "terraform", "ci", "make", "ini", "toml", "markdown"),
    triggers=(
        "gpu-operator",
        "gpu-feature",
        "device-plugin",
        "dcgm",
        "container-toolkit",
        "mig",
        "mps",
        "network-operator",
        "fabricmanager",
        "node-feature",
        "nvidia",
    ),
    layer="data centre",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the component manages NVIDIA's GPUs",
    replacement="its counterpart of MindCluster: Ascend Device Plugin, NPU Exporter, Ascend Docker "
    "Runtime, vNPU",
    examples=(
        Example("helm install gpu-operator nvidia/gpu-operator\n", path="a.sh"),
        Example(
            "apiVersion: apps/v1\nkind: DaemonSet\nmetadata:\n  name: nvidia-device-plugin-daemonset\n",
            path="ds.yaml",
        ),
        Example("kubectl patch clusterpolicies.nvidia.com/cluster-policy --type=json\n", path="a.sh"),
        Example("scrape_configs:\n  - job_name: dcgm-exporter\n", path="prometheus.yml"),
        Example("helm install nvidia-network-operator nvidia/network-operator\n", path="a.sh"),
        Example("mig:\n  strategy: single\nmigStrategy: mixed\n", path="values.yaml"),
    ),
    keep=(
        Example("sh: docker run -v a:/src nvidia-gpu-exporter-tools:local\n", path="Taskfile.yml"),
        Example("- command: dnf module enable -y nvidia-driver:open\n", path="tasks/main.yml"),
        Example("# dcgm-exporter\na: mighty\n", path="values.yaml"),
        Example("{{- /* Check if migStrategy is none */}}\na: 1\n", path="templates/_helpers.tpl"),
        Example('namespace: {{ include "dcgm-exporter.namespace" . }}\n', path="templates/a.yaml"),
        Example('{"hardware": ["nvidia-gpu", "kubernetes"]}\n', path="data/deployments.json"),
    ),
)

NAME = re.compile(
    r"(?<![\w.#])(?:nvidia[-/])?(?:k8s-device-plugin|nvidia-device-plugin[\w\-]*|"
    r"gpu-operator[\w\-]*|gpu-feature-discovery[\w\-]*|dcgm(?:-exporter(?!\.\w+\")|"
    r"Exporter)?(?![\w_])|"
    r"nvidia-(?:container-toolkit|container-runtime|driver-daemonset|dra-driver|"
    r"mig-manager|persistenced|fabricmanager|dcgm|operator|gpu-(?:operator|device|exporter|driver)|driver|mps|"
    r"network-operator)[\w\-]*(?!\.\w+\")|"
    r"mig(?:Strategy|Manager|-strategy|_strategy|-parted|\.strategy|\.config)|nvidia_gpu_duty_cycle|(?:clusterpolic(?:y|ies)|nvidiadrivers?|computedomains?)\.(?:resource\.)?nvidia\.com)\b"
)
NAMED = re.compile(r"[ \t]*\"(?:name|title|description)\"[ \t]*:")
OWN_NAME = re.compile(r"\{\{-?[ \t]*(?:define|include|template|block)\b|\(\s*(?:include|tpl)\b")
"""A helper of a chart, which is called as the chart is."""
OPTION = re.compile(r"(?<!\S)--[\w\-]*-$")
"""Before a name that is part of an option's."""
OF_WORKSHOP = re.compile(r"-(?:tools?|dev|fmt|lint|build(?:er)?|ci|cache|docs)\b[\w\-]*$")
"""What the component is made with, and not itself."""
PACKAGES = re.compile(r"(?<![\w\-])(?:apt|apt-get|dnf|yum|zypper|tdnf|microdnf|dpkg|rpm)[ \t][^\n|;&]*$")
INSTEAD = {
    "nvidia-driver-daemonset": "Ascend's driver and firmware, installed on the nodes",
    "mig": "vNPU: templates of Ascend Device Plugin",
    "nvidia-driver": "Ascend's driver and firmware: the run files of hiascend.com",
    "persistenced": "nothing: it is a service of NVIDIA's driver",
    "fabricmanager": "nothing: it is a service of NVIDIA's driver for NVSwitch",
    "device-plugin": "Ascend Device Plugin of MindCluster",
    "exporter": "NPU Exporter of MindCluster, port 8082",
    "dcgm": "npu-smi or ascend-dmi for diagnosis, NPU Exporter of MindCluster for metrics",
    "mps": "nothing: programs share a chip without it; vNPU divides it",
    "network-operator": "nothing: the chips have network ports of their own",
    "gpu_duty_cycle": "a metric of the NPU Exporter",
    "polic": "MindCluster's components, installed one by one",
    "nvidiadriver": "Ascend's driver and firmware, installed on the nodes",
    "dra-driver": "Ascend Device Plugin of MindCluster",
    "computedomain": "nothing: the chips of a node are linked without it",
    "toolkit": "Ascend Docker Runtime",
    "runtime": "Ascend Docker Runtime",
    "operator": "MindCluster's components, installed one by one",
    "feature": "labels that Ascend Device Plugin and the administrator set",
}


IN_PATH = re.compile(r"(?<![:\w.@\-])(?:[\w.${}\-]*/)+[\w.\-]*$")
"""Before a name that is part of a path, and not of an image's, a chart's or an API's address."""
SYSTEM_PATH = re.compile(r"/(?:etc|usr|var|run|opt|tmp|lib|proc|home|mnt)/")
TAKES_AWAY = re.compile(
    r"\b(?:helm[ \t]+(?:uninstall|delete)|kubectl[ \t]+delete|systemctl[ \t]+(?:stop|disable|mask)|rm[ \t]|"
    r"(?:apt|apt-get|dnf|yum)[ \t]+(?:-y[ \t]+)?(?:remove|purge|erase)|rmmod|pkill|killall|docker[ \t]+(?:rm|stop))\b"
)
OF_CASE = re.compile(r"[ \t]*[\"']?[\w\-*./]+[\"']?[ \t]*(?:\|[^|]|\))")
VOLUME = re.compile(
    r"[ \t]*-?[ \t]*name:[^\n]*\n[ \t]*(?:hostPath|emptyDir|configMap|persistentVolumeClaim|mountPath|secret|projected)\b"
    r"|[ \t]*-?[ \t]*mountPath:[^\n]*"
)
OF_NAMESPACE = re.compile(
    r"(?:\bnamespace[\"']?[ \t]*[:=][ \t]*|--namespace[ =]|(?<!\S)-n[ \t]+)[\"']?$", re.IGNORECASE
)
OF_ITS_NAMESPACE = {
    "severity": "cosmetic",
    "why": "the namespace is called after the component, which manages NVIDIA's GPUs",
}
OWN_KEY = re.compile(r"[\w\-]*\.(?:csv|ya?ml|json|conf|txt|sh)[\"']?:")
OF_VOLUME = {
    "severity": "degrades",
    "why": "a volume for what belongs to that component of NVIDIA's, or is called after it",
}
IN_A_FILE = {
    "severity": "degrades",
    "why": "the path is of that component of NVIDIA's, or of what is called after it",
}
OWN_NAME_OF_PROJECT = {
    "severity": "cosmetic",
    "why": "a name or a file of the project's own, called after a component of NVIDIA's",
    "replacement": "nothing, or a name without the vendor",
}


def _more(document: Document, match: re.Match[str]) -> dict[str, str]:
    """What is different of it by what stands around the name: severity and why."""
    start = document.starts[document.position(match.start())[0] - 1]
    before = document.text[start : match.start()]
    after = document.text[match.end() : match.end() + 1]
    if is_told(document, match.start()):
        return {"severity": "cosmetic"}
    if roles.is_ansible(document) and (heavy := tasks.weight(document, match.start())):
        return {"severity": heavy}
    if OF_CASE.match(document.lines[document.position(match.start())[0] - 1]) and document.kind in SCRIPTS:
        return OWN_NAME_OF_PROJECT
    if VOLUME.match(document.text, start):
        return OF_VOLUME
    if OF_NAMESPACE.search(before) or (before.strip() == "name:" and "kind: Namespace" in document.text):
        return OF_ITS_NAMESPACE
    if not before.strip() and OWN_KEY.match(document.text, match.end()):
        return OWN_NAME_OF_PROJECT
    if TAKES_AWAY.search(before):
        return {"severity": "cosmetic", "why": "the component that is taken away manages NVIDIA's GPUs"}
    if SHOWS.search(before):
        return SHOWN
    if document.kind == "yaml" and (light := _of_entry(document, match)):
        return light
    if document.kind in ("toml", "ini") and OF_TOML.search(before):
        return NAMED_AFTER
    if match[0].lower() == "dcgm":
        return NAMED_AFTER
    path = IN_PATH.search(before)
    if path and SYSTEM_PATH.match(path[0]) and "bin/" not in path[0]:
        return IN_A_FILE
    if BUILT.search(before):
        return OF_IMAGE
    if before.endswith("-") and IMAGE.match(before):
        return {}
    if before.endswith("-") or (
        document.kind in SCRIPTS and (after == "/" or OWN_FILE.match(document.text, match.end()))
    ):
        return OWN_NAME_OF_PROJECT
    return {}


def _of_cards(more: dict[str, str]) -> dict[str, str]:
    """The same of what manages NVIDIA's network cards: a cluster without them runs on."""
    why = more.get("why", RULE.why).replace("manages NVIDIA's GPUs", "manages NVIDIA's network cards")
    return {"severity": "degrades"} | more | {"why": why}


def _of_entry(document: Document, match: re.Match[str]) -> dict[str, str] | None:
    """What is true of a key, and of a value that only names."""
    starts, entries = document.once(_places)
    number = bisect_right(starts, match.start()) - 1
    if number < 0:
        return None
    entry = entries[number]
    if entry.key_start <= match.start() < entry.key_end:
        return OF_SETTING
    if entry.value is None or "\n" in entry.value or not entry.start <= match.start() < entry.end:
        return None
    if entry.named.lower().endswith(("namespace", "namespaces")):
        return OF_ITS_NAMESPACE
    if PACKAGED.search(entry.named):
        return IN_LIST
    if "dependencies" in entry.path or (entry.path == ("spec", "name") and "Subscription" in document.text):
        return None  # what is installed
    above = " ".join(entry.path[:-1]).lower()
    return NAMED_AFTER if OF_NAMES.fullmatch(entry.key.lower()) or LABELS.search(above) else None


def _places(document: Document) -> tuple[list[int], list[Entry]]:
    found = sorted(
        yaml_entries.entries(document), key=lambda one: min(_start(one), one.key_start or one.start)
    )
    return [_start(one) for one in found], found


def _start(entry: Entry) -> int:
    return entry.key_start if entry.key_end > entry.key_start else entry.start


OF_NAMES = re.compile(
    r"name|k8s-app|app|component|release|releasename|instance|(?:app|helm)\.\w+\.\w+/[\w\-]+|[\w\-]*name|generatename|title"
    r"|label|id|key|alias|group|team|job|source|type|kind|category|(?:fullname|name)override|[\w]*account[\w]*"
)
LABELS = re.compile(r"(?<![a-z])(?:match)?labels|annotations|selector|tags|keywords")
NAMED_AFTER = {
    "severity": "cosmetic",
    "why": "a name after a component that manages NVIDIA's GPUs; what is run is told where its image or chart stands",
}
OF_SETTING = {
    "severity": "degrades",
    "why": "the setting is of a component that manages NVIDIA's GPUs, or called after one",
}
PACKAGED = re.compile(r"packages$", re.IGNORECASE)
IN_LIST = {"severity": "blocks", "why": "the package is NVIDIA's, and is installed from the list"}
OF_TOML = re.compile(
    r"^[ \t]*(?:name|affected-services|description|path|template-path|title)[ \t]*=|^[ \t]*\["
)
IMAGE = re.compile(r"[ \t]*(?:-[ \t]+)?[\"']?(?:repository|image|imageName|newName)[\"']?[ \t]*[:=]")
BUILT = re.compile(
    r"\b(?:docker|podman|buildah|nerdctl)[ \t](?:[^|;&]*[ \t])?(?:build|tag|push|load|save)[ \t]"
)
OF_IMAGE = {
    "severity": "degrades",
    "why": "an image of a component that manages NVIDIA's GPUs is built or handed on, or one called so",
}
OF_DRIVER = re.compile(r"nvidia-(?:driver|persistenced|fabricmanager)")
SHOWS = re.compile(
    r"(?:\b(?:kubectl|oc)|\$\{?(?:kubectl|oc|kube)\w*\}?)"
    r"[ \t][^|;&]*\b(?:get|describe|logs|wait|rollout|exec|port-forward)[ \t]"
)
SHOWN = {
    "severity": "degrades",
    "why": "the command asks for what belongs to a component that manages NVIDIA's GPUs",
}
SCRIPTS = ("shell", "slurm", "make", "ci", "markdown")
OWN_FILE = re.compile(r"[\w\-]*\.(?:sh|py|ya?ml|json|tf|tpl|md|log|txt|conf|csv)\b")


def check(document: Document) -> Iterator[Finding]:
    lines: set[int] = set()
    prose = document.kind == "markdown"
    for match in NAME.finditer(without_comments(document)):
        line, _ = document.position(match.start())
        if line in lines or (prose and not in_code(document, match.start())):
            continue
        lines.add(line)
        if (
            OWN_NAME.search(document.lines[line - 1])
            or document.text[match.start() - 2 : match.start()] == "(#"
        ):
            continue
        if OF_WORKSHOP.search(match[0]) or OPTION.search(
            document.text, document.starts[line - 1], match.start()
        ):
            continue
        if "driver" in match[0] and PACKAGES.search(document.text, document.starts[line - 1], match.start()):
            continue  # a package, of which D003 tells
        cards = "network-operator" in match[0]
        says = next((words for piece, words in INSTEAD.items() if piece in match[0].lower()), None)
        more = _more(document, match)
        if "why" not in more and OF_DRIVER.search(match[0]):
            more = more | {"why": "what is called so is part of NVIDIA's driver, or a service of it"}
        if cards:
            more = _of_cards(more)
        if document.kind == "json" and NAMED.match(document.lines[line - 1]):
            more = {"severity": "cosmetic"}
        yield RULE.found(
            document,
            *match.span(),
            match[0],
            replacement=more.get("replacement", says),
            layer=roles.layer_of(document),
            severity=more.get("severity"),
            why=more.get("why"),
        )
