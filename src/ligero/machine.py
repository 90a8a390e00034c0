"""The machine that figures were measured on, in words."""

import os
import platform
from collections.abc import Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def facts(packages: Sequence[str], **more: Any) -> dict[str, Any]:
    """Architecture and number of processors, `more`, and versions of Python and of those of the
    packages that are installed."""
    found = {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        **more,
        "python": platform.python_version(),
    }
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def footer(*packages: str) -> str:
    """The last lines of a benchmark's page: when, on what, with which versions."""
    found = facts(packages)
    named = [f"Python {found['python']}", *(f"{n} {found[n]}" for n in packages if n in found)]
    load = os.getloadavg()[0]
    return (
        f"Date: {date.today()}. Machine: {os.cpu_count()} cores, {processor()}, shared, load {load:.1f} at "
        f"the end.\n{', '.join(named)}.\n"
    )


def processor() -> str:
    """The processor as its maker calls it, and its instructions for small numbers, where the
    system tells; its architecture otherwise."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    told = {key.strip(): value.strip() for key, _, value in (li.partition(":") for li in lines)}
    # What decides whether bf16 and int8 are any faster than fp32.
    has = [
        name
        for flag, name in (("avx512f", "AVX-512"), ("avx512_vnni", "VNNI"), ("amx_tile", "AMX"))
        if flag in told.get("flags", "").split()
    ]
    name = " ".join(told.get("model name", platform.machine()).split())
    return f"{name} with {', '.join(has)}" if has else name
