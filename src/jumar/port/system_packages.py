"""Packages of CUDA and NVIDIA's driver where a command installs them; what removes or holds them is none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.reading.scripts import script_commands
from jumar.port.reading.shell_words import Word

PACKAGE = re.compile(
    r"(?:cuda(?:-[\w.\-${}]+)?|libcudnn[\w.\-${}]*|libnccl[\w\-${}]*|libcu(?:blas|fft|rand|"
    r"solver|sparse|file|pti|dss)[\w.\-${}]*|libnv[\w\-${}]+|nvidia-(?!(?:gpu-)?exporter)[\w.\-${}]+|"
    r"libnvidia-[\w\-${}]+|tensorrt[\w\-]*|datacenter-gpu-manager[\w\-]*|"
    r"xserver-xorg-video-nvidia[\w\-]*|kmod-nvidia[\w\-]*|nsight-[\w\-${}]+|"
    r"python3-libnvinfer[\w\-]*|cudnn[\w\-]*|nvtop|nvidia)(?:[=<>~:].*)?"
)
_TOOLS = "apt apt-get yum dnf apk zypper microdnf pacman tdnf aptitude nala brew spack snap apt-mark dpkg rpm"
TOOLS = frozenset(_TOOLS.split())
REMOVES = frozenset(("hold", "unhold", "remove", "purge", "autoremove", "erase", "-e"))


def installed(document: Document) -> tuple[Word, ...]:
    """The words of installing commands that name such a package, in order."""
    return document.once(_installed)


def _installed(document: Document) -> tuple[Word, ...]:
    return tuple(_found(document))


def _found(document: Document) -> Iterator[Word]:
    for command in script_commands(document):
        if any(word.plain in REMOVES for word in command.words[:4]):
            continue
        if command.name in TOOLS or any(word.plain in TOOLS for word in command.words[:3]):
            for word in command.words:
                if PACKAGE.fullmatch(word.plain):
                    yield word
