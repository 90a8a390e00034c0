"""The arithmetic of a forward pass: bf16 is much faster where the processor has it, and no use elsewhere."""

from contextlib import AbstractContextManager
from functools import cache

import torch

# What a processor may have for products in bf16, as torch names it: AVX-512's, AMX's and Arm's instructions.
INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")


def autocast(asked: str, device: torch.device) -> AbstractContextManager[object]:
    """In which a model is called. asked: `fp32`, `bf16`, or `auto`: bf16 where the device has it."""
    lower = asked == "bf16" or (asked == "auto" and has_bf16(device.type))
    return torch.autocast(device.type, torch.bfloat16, enabled=lower)


@cache
def has_bf16(device: str) -> bool:
    """Whether a kind of device (`cpu`, `cuda`) multiplies in bf16 itself.

    Where it has to be imitated a product takes longer than in fp32: 150 times as long on a processor with
    AVX2 alone (torch 2.13).
    """
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device != "cpu":
        return False
    if tell := getattr(torch.cpu, "get_capabilities", None):
        found = tell()
        return any(found.get(name) for name in INSTRUCTIONS)
    # What older versions of torch have, some of them, knows of Intel's and AMD's alone.
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", bool)())
