"""How much memory a training took."""

from __future__ import annotations

import sys

import torch


def peak_memory(device: torch.device) -> int:
    """Peak bytes: of the allocator on CUDA, of this process elsewhere; 0 where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
