"""Container images that hold CUDA, wherever one is named."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.cudamap import Name
from jumar.port import dictionary
from jumar.port.document import Document
from jumar.port.reading import dockerfile_steps, json_entries, yaml_entries
from jumar.port.reading.scripts import script_commands

FOR_GPUS = re.compile(
    r"cuda|cudnn|(?<![a-z])cu\d{2,3}(?!\d)|(?<![a-z])gpu|nvidia|tensorrt|-trt", re.IGNORECASE
)
ONLY_TAGGED = ("tensorflow/tensorflow", "rayproject/ray", "pytorch/pytorch")
REGISTRY = re.compile(
    r"^(?:docker\.io|index\.docker\.io|registry-1\.docker\.io|public\.ecr\.aws|quay\.io)/(?:library/)?"
)
IMAGE = re.compile(r"^[\w.\-${}/]+(?:[:@][\w.\-${}:]+)?$")
OF_VENDOR = re.compile(r"nvcr\.io/[\w\-]+/|(?:docker\.io/)?nvidia/cuda:")
SET = re.compile(
    r"^[ \t]*(?:(?:export|readonly|local|declare)[ \t]+)?(?:[\w.\-]+:[ \t]+)?\w+[ \t]*[:?]?=[ \t]*[\"']?"
    r"(?P<image>(?:nvcr\.io/[\w\-]+/|nvidia/cuda:)[\w.\-/:${}]+)",
    re.MULTILINE,
)
"""Variables of scripts that hold such an image."""
ON_NODES = re.compile(r"^[^#\n]*--container-image[= ][\"']?(?P<image>[\w.\-/#:@+]+)", re.MULTILINE)
"""Of Slurm's containers, which write `#` after the registry."""
IN_SCRIPT = re.compile(
    r"^[ \t]*(?:-[ \t]+)?image:[ \t]*[\"']?(?P<image>[\w.\-/]+/[\w.\-/]+(?:[:@][\w.\-:${}]+)?)[\"']?[ \t]*$",
    re.MULTILINE,
)
"""Of a file for Kubernetes or compose that a script writes."""
IN_TEMPLATE = re.compile(r"\{\{-?[ \t]*\"(?P<image>nvcr\.io/[\w\-]+/[\w.\-/]+:[\w.\-]+)\"[ \t]*-?\}\}")
"""What a chart's helper answers with."""
WATCHES = re.compile(
    r"[-_](?:exporter|operator|plugin|scheduler|webhook|discovery|monitor|dashboard|controller)$"
)
HOLDS = re.compile(r"cuda|cudnn|tensorrt|(?<![a-z])cu\d{2,3}(?!\d)", re.IGNORECASE)
"""A program that watches or manages GPUs is named after them and holds no CUDA."""
ADDRESS = re.compile(r"(?!nvidia\.com/)[\w\-]+(?:\.[\w\-]+)*(?:/[\w.\-]+)+:(?!\d+$)[\w.\-]+")
"""Under whatever key: an owner, a name and a tag."""
HOLDS_TAGGED = re.compile(
    r"/[^/]*(?:cuda|cudnn|nccl|nvidia|tensorrt|(?<![a-z])l4t|(?<![a-z])cu\d{2,3}(?!\d))[^/]*$", re.IGNORECASE
)
AT_REGISTRY = re.compile(
    r"(?:quay\.io|ghcr\.io|docker\.io|nvcr\.io|(?:[\w\-]+\.)?gcr\.io|public\.ecr\.aws|mcr\.microsoft\.com|registry\.[\w.\-]+|"
    r"[\w\-]+\.(?:azurecr\.io|pkg\.dev))(?:/[\w.\-]+)+"
)
"""An address without a tag, at a registry that is known for images."""
KEYS = frozenset(
    (
        "image",
        "container",
        "repository",
        "container_image",
        "docker_image",
        "baseimage",
        "base_image",
        "imagename",
    )
)
PROGRAMS = frozenset(("python", "python3", "bash", "sh", "torchrun", "accelerate"))
RUNNERS = frozenset(("docker", "podman", "nerdctl", "nvidia-docker"))


FOR_OTHERS = re.compile(
    r":(?:[\w.\-]*-)?(?:cpu|xpu|hpu|rocm\d*|hip|npu|ascend|gaudi|neuron|tpu|intel)(?![a-z])", re.IGNORECASE
)
"""Tags for what is not NVIDIA's."""
OF_NETWORK = re.compile(
    r"gpudirect|tcpx|fastrak|nccl-(?:plugin|rdma|fastsocket)|gdrcopy|gib(?=:|$)|nvidia-peermem"
)
"""Parts of a cloud's or NVIDIA's network for GPUs."""


def tie(image: str) -> Name | None:
    """The row of an image that holds CUDA, a row of its own making for names that say so, else None."""
    if OF_NETWORK.search(image) and "/" in image and IMAGE.match(image):
        return Name(image, "", "absent", "nothing: the chips have network ports of their own", "images")
    name = REGISTRY.sub("", image.strip("\"'").replace("#", "/"))
    bare = re.split(r"[:@](?=[^/]*$)", name, maxsplit=1)[0]
    if FOR_OTHERS.search(name) and not HOLDS.search(name):
        return None
    row = dictionary.find("datacentre/images", bare)
    if row is not None:
        if bare.startswith(ONLY_TAGGED) and ":" in name and not FOR_GPUS.search(name):
            return None
        return row
    if WATCHES.search(bare) and not HOLDS.search(name):
        return None
    if FOR_GPUS.search(name.rpartition("/")[2]) and "/" in name and IMAGE.match(name):
        return Name(bare, "", "absent", "its counterpart on CANN: quay.io/ascend/cann as the base", "images")
    return None


def named(document: Document) -> Iterator[tuple[str, int, int]]:
    """Each image that the document names, with its place."""
    if document.kind == "dockerfile":
        yield from _of_dockerfile(document)
    elif document.kind in ("yaml", "json"):
        yield from _of_entries(document)
    if document.kind == "yaml":
        for match in IN_TEMPLATE.finditer(document.text):
            yield match["image"], match.start("image"), match.end("image")
    if document.kind in ("shell", "slurm", "make"):
        for match in (
            *SET.finditer(document.text),
            *ON_NODES.finditer(document.text),
            *IN_SCRIPT.finditer(document.text),
        ):
            yield match["image"], match.start("image"), match.end("image")
    for command in script_commands(document):
        if command.name in RUNNERS and any(word.plain in ("run", "pull", "create") for word in command.words):
            for word in command.words[1:]:
                if word.plain in PROGRAMS:
                    break  # what follows is the program's
                if (
                    IMAGE.match(word.plain)
                    and not word.plain.startswith(("-", "/", ".", "$"))
                    and tie(word.plain)
                ):
                    yield word.plain, word.start, word.end
                    break


def _of_dockerfile(document: Document) -> Iterator[tuple[str, int, int]]:
    for step in dockerfile_steps.steps(document):
        pattern = {
            "FROM": r"(?:--platform=\S+\s+)*(?P<image>\S+)",
            "ARG": r"\w+=[\"']?(?P<image>[^\s\"']+/[^\s\"']+)",
            "COPY": r"(?:--\w+=\S+\s+)*?--from=(?P<image>\S*/\S+)",
        }.get(step.word)
        match = re.match(pattern, step.body) if pattern else None
        if match:
            yield match["image"], step.body_start + match.start("image"), step.body_start + match.end("image")


def _of_entries(document: Document) -> Iterator[tuple[str, int, int]]:
    read = json_entries.entries if document.kind == "json" else yaml_entries.entries
    for entry in read(document):
        if not entry.value or "\n" in entry.value:
            continue
        key = entry.named.lower().replace("-", "_")
        of_vendor = OF_VENDOR.match(entry.value) and " " not in entry.value
        if (
            (AT_REGISTRY.fullmatch(entry.value) and HOLDS.search(entry.value.rpartition("/")[2]))
            or key in KEYS
            or "image" in key
            or of_vendor
            or (ADDRESS.fullmatch(entry.value) and HOLDS_TAGGED.search(entry.value))
        ):
            start, end = entry.inner(document.text)
            yield document.text[start:end], start, end
        elif entry.value.startswith("docker:"):
            start, end = entry.inner(document.text)
            yield document.text[start + len("docker:") : end], start + len("docker:"), end
