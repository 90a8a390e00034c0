"""What the benchmarks of `ligero serve` share: real sentences, and a look at a server from outside."""

import contextlib
import http.client
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ligero.config import DataConfig
from ligero.errors import InputError
from ligero.tasks import source

TASK = "ner-conll2002"
# A line with fewer words is a dash or a date, not a sentence.
WORDS = 5


def sentences(count: int) -> list[str]:
    """Sentences of CoNLL-2002's test file (esp.testb) in an order drawn by chance, the same each time.

    Ends the process with one line where the file is not at hand.
    """
    try:
        split = source.load_split(DataConfig(task=TASK), "test")
    except InputError as error:
        sys.exit(f"skipped: {error}")
    texts = [e.texts[0] for e in split.examples if len(e.words or ()) >= WORDS]
    random.Random(0).shuffle(texts)
    return texts[:count]


def bodies(texts: Sequence[str]) -> list[str]:
    """Each as the body of a request in Hugging Face's form."""
    return [json.dumps({"inputs": text}, ensure_ascii=False) for text in texts]


@dataclass(frozen=True)
class Reply:
    """status 0: no answer."""

    status: int
    body: bytes
    headers: dict[str, str]


def ask(url: str, body: str | None = None, method: str | None = None, timeout: float = 30) -> Reply:
    """One request on a connection of its own."""
    place = urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(place.netloc, timeout=timeout)) as line:
        try:
            line.request(
                method or ("GET" if body is None else "POST"), place.path or "/",
                None if body is None else body.encode(), {"content-type": "application/json"},
            )  # fmt: skip
            found = line.getresponse()
            told = {name.lower(): value for name, value in found.getheaders()}
            return Reply(found.status, found.read(), told)
        except (OSError, http.client.HTTPException):
            return Reply(0, b"", {})


def figure(url: str, name: str) -> float:
    """The sum of a metric's samples whose line begins so."""
    lines = ask(f"{url}/metrics").body.decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def until(done: Any, seconds: float) -> float:
    """Seconds until something holds; RuntimeError where it does not in time."""
    began = time.perf_counter()
    while not done():
        if time.perf_counter() - began > seconds:
            raise RuntimeError(f"it did not come to that within {seconds:g} s")
        time.sleep(0.02)
    return time.perf_counter() - began


def children(process: int) -> list[int]:
    """Processes that a process started."""
    return [int(p) for p in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def resident(processes: Sequence[int]) -> float:
    """MB of memory that these processes hold, shared parts counted for each."""
    pages = [int(Path(f"/proc/{p}/statm").read_text().split()[1]) for p in processes]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


def processor_seconds(process: int) -> float:
    """What a process has used of the processors."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def started(words: Sequence[str], url: str, environment: dict[str, str]) -> Iterator[int]:
    """A server of another kind, once it answers at all; ended behind it. Gives its process."""
    process = subprocess.Popen(
        words, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )  # fmt: skip
    try:
        until(lambda: process.poll() is not None or ask(url).status, 300)
        if process.returncode is not None:
            raise RuntimeError(f"{' '.join(words)} ended with exit code {process.returncode}")
        yield process.pid
    finally:
        process.terminate()
        process.wait()
