"""Memory that a model takes, each in a process of its own: what one frees, another would reuse.

    python -m ligero.measure.memory '{"name": "ligero-nano", ...}'

is that process; it prints one line of JSON.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ligero.errors import LigeroError
from ligero.measure import candidates
from ligero.measure.candidates import Candidate

# Pages of the process that are in memory, second of the figures (Linux).
_STATM = Path("/proc/self/statm")


def taken(
    candidate: Candidate, *, length: int, batch: int, threads: int, device: str = "cpu"
) -> dict[str, int]:
    """Bytes in memory that a candidate adds, loaded and run once at a length.

    model: beyond the libraries that run it; libraries: beyond ligero's own. They are of a fresh
    process's resident set; memory of a GPU is not among them. Raises LigeroError where that
    process fails.
    """
    asked = {
        "name": candidate.name, "how": candidate.how, "length": length, "batch": batch,
        "threads": threads, "device": device,
    }  # fmt: skip
    run = subprocess.run(
        [sys.executable, "-m", __name__, json.dumps(asked)], capture_output=True, text=True
    )
    if run.returncode:
        last = (run.stderr.strip() or "no word of why").splitlines()[-1]
        raise LigeroError(f"memory of {candidate.label}: its process failed: {last}")
    found: dict[str, int] = json.loads(run.stdout.splitlines()[-1])
    return found


def added(
    candidate: Candidate,
    *,
    length: int,
    batch: int,
    threads: int,
    device: str,
    resident: Callable[[], int],
) -> dict[str, int]:
    """What `taken` tells, of this process. resident: bytes of it that are in memory now."""
    before = resident()
    candidate.libraries()
    imported = resident()
    # Kept by its name until memory was read: a model that nobody holds is freed.
    call = candidate.open(threads, device)(length, batch)
    call()
    return {"libraries": imported - before, "model": resident() - imported}


def resident() -> int:
    """Bytes of this process in memory now; where the system does not tell, at most so far."""
    try:
        return int(_STATM.read_text().split()[1]) * resource.getpagesize()
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most


def _main(asked: dict[str, Any]) -> None:
    name, how = asked.pop("name"), asked.pop("how")
    found = candidates.find(name, candidates.ATTENTIONS, fetch=True)
    candidate = next(c for c in found if c.how == how)
    print(json.dumps(added(candidate, resident=resident, **asked)))


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
