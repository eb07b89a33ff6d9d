"""Files that install CUDA, its libraries or NVIDIA's driver, by their names."""

from __future__ import annotations

import re

INSTALLER = re.compile(
    r"(?<![\w\-])(?:cuda_[\w.${}()]+_(?:linux|windows|win\d*)\w*\.(?:run|exe)|NVIDIA-Linux-[\w.${}\-]+\.run"
    r"|cuda-repo-[\w.${}\-]+\.(?:deb|rpm)|cudnn-(?:local-|linux-|windows-|\d)[\w.${}\-]+\.(?:tgz|tar\.\w+|zip|deb|rpm|exe)"
    r"|cuda-keyring[\w.${}\-]*\.deb|nv-?tensorrt-[\w.${}\-]+\.(?:deb|rpm|tar\.gz|zip))",
    re.IGNORECASE,
)
