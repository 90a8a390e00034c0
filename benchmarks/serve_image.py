"""What an image for `ligero serve` holds: the Containerfile's own steps, in a clean environment.

    python benchmarks/serve_image.py --export runs/exports/ner-conll2002

Takes a few minutes, needs a package index, and writes `benchmarks/results/serve-image.md` and `.json`. No
image is built, so that neither docker nor podman is needed: the wheel is made and installed as the
Containerfile does it, what it removes is removed, and the Containerfile's command serves a real export,
as a process that has no home. Answers before and after the removal must be equal.
"""

import argparse
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from ligero import machine
from ligero.report import tables
from ligero.runs import write_json
from serve_common import ask, children, resident, until

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
TEXTS = (
    "La ministra Nieves Córdoba viajó a Córdoba con el Real Zaragoza.",
    "El Banco de España subió el tipo al 5 % en Madrid, según la agencia EFE.",
    "La Coruña, 23 may (EFECOM).",
)
SHOWN = 10


def main() -> None:
    """Install, serve, remove, serve again, and write a page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--export", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=RESULTS / "serve-image.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        command, patterns = installed(place)
        packages, whole = sizes(place), megabytes(place)
        cold = served(place, [*command, "--warm", "false"], arguments.export)
        trim(place, patterns)
        left = megabytes(place)
        warm = served(place, command, arguments.export)
    if cold["answers"] != warm["answers"]:
        raise SystemExit("answers differ without what the Containerfile removes")
    found = {
        "packages_mb": packages, "whole_mb": whole, "left_mb": left, "removed": patterns,
        "cold": cold, "warm": warm, **machine.facts(["openvino", "numpy", "tokenizers"]),
    }  # fmt: skip
    page = report(found, arguments.export.name)
    print(page)
    arguments.out.write_text(page, encoding="utf-8")
    write_json(arguments.out.with_suffix(".json"), found)


def installed(place: Path) -> tuple[list[str], list[str]]:
    """Do what the Containerfile's first stage does, /opt/ligero being `place`; gives its command, and the
    patterns of what it removes."""
    text = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    (install,) = re.findall(r"^RUN (python -m venv .*)$", text, re.MULTILINE)
    steps = install.replace("/opt/ligero", str(place / "ligero")).replace(
        "/wheels", str(place / "wheels")
    )
    subprocess.run(
        f"export PATH={Path(sys.executable).parent}:$PATH; {steps}", shell=True, check=True, cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    (patterns,) = re.findall(r'^ARG TRIM="(.*)"$', text, re.MULTILINE)
    (command,) = re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)
    return json.loads(command), shlex.split(patterns)


def packages_of(place: Path) -> Path:
    """Where pip put everything."""
    (found,) = (place / "ligero" / "lib").glob("python*/site-packages")
    return found


def megabytes(place: Path) -> float:
    """Of all that was installed, as it lies on disk."""
    return sum(p.lstat().st_size for p in (place / "ligero").rglob("*")) / 1e6


def sizes(place: Path) -> dict[str, float]:
    """Package -> MB, the largest first. Ends the process where one is among them that trains models."""
    found: dict[str, float] = {}
    for one in distributions(path=[str(packages_of(place))]):
        files = [Path(str(one.locate_file(f))) for f in one.files or []]
        found[one.name] = sum(f.lstat().st_size for f in files if f.exists()) / 1e6
    heavy = {"torch", "transformers", "nncf", "pip"} & found.keys()
    if heavy:
        raise SystemExit(f"installed, and should not be: {', '.join(sorted(heavy))}")
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def trim(place: Path, patterns: list[str]) -> None:
    """Remove from OpenVINO what serving can do without."""
    for pattern in patterns:
        for file in (packages_of(place) / "openvino" / "libs").glob(pattern):
            file.unlink()


def served(place: Path, command: list[str], export: Path) -> dict[str, Any]:
    """Serve, ask, end: seconds until it was ready and until it had ended, MB of memory, answers."""
    port = "8765"
    words = [str(place / "ligero" / "bin" / "ligero"), *command, "--port", port]
    words[words.index("/models")] = str(export.absolute())
    began = time.perf_counter()
    environment = {"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            until(lambda: process.poll() is not None or ask(f"{url}/ready").status == 200, 300)
            ready = time.perf_counter() - began
            answers = [ask(f"{url}/", json.dumps({"inputs": text})) for text in TEXTS]
            if {a.status for a in answers} != {200}:
                raise SystemExit(f"answered by {[a.status for a in answers]}")
            held = [resident([p]) for p in (process.pid, *children(process.pid))]
            told = time.perf_counter()
            process.send_signal(signal.SIGTERM)
            code = process.wait(30)
        finally:
            process.kill()
    return {
        "ready_seconds": ready, "end_seconds": time.perf_counter() - told, "exit_code": code,
        "memory_mb": held, "answers": [a.body.decode() for a in answers],
    }  # fmt: skip


def report(found: Mapping[str, Any], model: str) -> str:
    """The page."""
    packages = found["packages_mb"]
    rows = [[name, f"{size:.0f}"] for name, size in list(packages.items())[:SHOWN]]
    rest = list(packages.values())[SHOWN:]
    rows.append([f"{len(rest)} others", f"{sum(rest):.0f}"])
    runs = [
        [
            name, f"{one['ready_seconds']:.1f}", *(f"{mb:.0f}" for mb in one["memory_mb"]),
            f"{one['end_seconds']:.2f}", str(one["exit_code"]),
        ]
        for name, one in (("--warm false, all there", found["cold"]), ("as in the image", found["warm"]))
    ]  # fmt: skip
    heading = ["", "ready after s", "server MB", "worker MB", "ended after s", "exit code"]
    return f"""# What an image for `ligero serve` holds

`pip install ligero[serve]` as the Containerfile does it: {found["whole_mb"]:.0f} MB, and
{found["left_mb"]:.0f} MB once it has removed what serving can do without of OpenVINO
({", ".join(f"`{p}`" for p in found["removed"])}). Neither torch nor transformers nor pip is among it. An
image is that and its base; no image was built for this page.

{tables.markdown(["package", "MB"], rows)}

Served from there, `{model}`, by the Containerfile's command and a process that has no home:

{tables.markdown(heading, runs)}

Memory is what is resident after {len(TEXTS)} texts. With `--warm true` a worker has compiled every length
alone, by four and by sixteen; without, it compiles each when it is first met, and so comes nearer to that.
The {len(TEXTS)} answers are the same, to the byte, before and after the removal.

{machine.footer("openvino", "numpy", "tokenizers")}"""


if __name__ == "__main__":
    main()
