"""Small exported models, and how to ask a server for them."""

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch

import shapes
from ligero import vocab
from ligero.export import build as exporting
from ligero.models import build
from ligero.tasks import kinds
from ligero.train.trained import Trained

TEXT = "La ministra Nieves Córdoba viajó a Córdoba con el Real Zaragoza; 5 % más, ¿no?"
LABELS = {**shapes.LABELS, "answer": ("answer", "no answer"), "tag": ("O", "B-PER", "I-PER")}
JSON = {"content-type": "application/json"}


def export(
    place: Path, labels_of: Mapping[str, Sequence[str]] = LABELS, seed: int = 1
) -> dict[str, Path]:
    """kind -> an exported model of random weights, in fp32, that reads 48 sub-words at once."""
    tokenizer = vocab.train([TEXT, *shapes.TEXTS] * 5, size=300)
    for kind, labels in labels_of.items():
        known = kinds.find(kind)
        model = build.create(
            shapes.small("ligero-tiny"), kind=kind, labels=known.rows(labels),
            tokenizer=tokenizer, seed=seed,
        )  # fmt: skip
        torch.manual_seed(seed)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        facts = {"name": kind, "buckets": exporting.lengths(48), "task": None}
        trained = Trained(model, tokenizer, known, labels, 48)
        exporting.assemble(place / kind, trained, "openvino", "fp32", [], facts)
    return {kind: place / kind for kind in labels_of}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(url: str, path: str, body: Any = None, method: str | None = None, **headers: str) -> Reply:
    """One request on a connection of its own; a body that is no bytes goes as JSON."""
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    started = time.monotonic()
    with contextlib.closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)) as line:
        line.request(
            method or ("GET" if body is None else "POST"), path, content,
            {**(JSON if body is not None else {}), **named},
        )  # fmt: skip
        found = line.getresponse()
        told = {name.lower(): value for name, value in found.getheaders()}
        return Reply(found.status, told, found.read(), time.monotonic() - started)


def raw(url: str, sent: bytes, *, timeout: float = 10) -> bytes:
    """All that a server says to these bytes until it hangs up, or for `timeout` seconds."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=timeout) as line:
        with contextlib.suppress(OSError):
            line.sendall(sent)
        return rest(line)


def rest(line: socket.socket) -> bytes:
    heard = b""
    with contextlib.suppress(OSError):
        while piece := line.recv(65_536):
            heard += piece
    return heard


def workers(process: int) -> list[int]:
    """Processes that a server started."""
    return [int(p) for p in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def alive(process: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(done: Any, seconds: float = 10) -> float:
    """Wait until something holds; how long it took."""
    started = time.monotonic()
    while not done():
        assert time.monotonic() - started < seconds, "it never came to that"
        time.sleep(0.01)
    return time.monotonic() - started
