"""Names of environment variables that belong to CUDA, NCCL and NVIDIA's containers, in a text."""

from __future__ import annotations

import re

NAME = re.compile(
    r"(?<![A-Za-z0-9_\-/.])(?:(?:TORCH_)?NCCL_[A-Z]\w*|CUDA_[A-Z]\w*|CUDA(?:CXX|ARCHS|"
    r"HOSTCXX)\b|NVIDIA_[A-Z]\w*|CUDNN_[A-Z]\w*|CUBLAS\w*_[A-Z]\w*|NVTE_\w+|"
    r"NVSHMEM_\w+|GDRCOPY_\w+|NUMBA_CUDA\w*|DS_BUILD_\w+|FI_EFA_\w+|MIG_PARTED\w+|"
    r"TRITON_PTXAS_PATH|HOROVOD_(?:GPU|NCCL|CUDA)_\w+|PYTORCH_CUDA_\w+|PYTORCH_NVML\w+|"
    r"TORCH_CUDA_\w+|NVCC_\w+|DCGM_EXPORTER\w*|(?:USE|FORCE|WITH|ENABLE|BUILD|INSTALL|HAS|"
    r"NO|DISABLE)_(?:CUDA|NCCL|CUDNN)\w*|[A-Z]+_(?:WITH|USE|ENABLE|KEEP|FORCE)_CUDA\w*|"
    r"[A-Z_]*CUDA_(?:VERSION|ARCH\w*|HOME|PATH|TAG|LABEL|SHORT\w*|MAJOR|MINOR|IMAGE|"
    r"BASE\w*)\w*|CUBLAS_WORKSPACE_CONFIG|OMPI_MCA_opal_cuda_support|UCX_CUDA_\w+|NV_[A-Z]\w*CU\w*)(?![A-Za-z0-9])"
)
