"""What goes between a client and the server: requests, responses, refusals."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any

Headers = Mapping[str, str]


class RefusedError(Exception):
    """What a client is told instead of an answer: a status and one line."""

    def __init__(self, status: int, message: str, headers: Headers | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request. headers: by name in lower case. since: when it began, by time.perf_counter."""

    method: str
    path: str
    headers: Headers
    body: bytes
    since: float
    keep_alive: bool


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back. body: as bytes, already encoded."""

    status: int
    body: bytes
    kind: str = "application/json"
    headers: Headers = field(default_factory=dict)
    close: bool = False


def as_json(value: Any, status: int = 200, headers: Headers | None = None) -> Response:
    """A value as a response."""
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Half a surrogate pair can come from a client alone, and goes back as "?".
    return Response(status, content.encode(errors="replace"), headers=headers or {})


def refusal(error: RefusedError, *, close: bool = False) -> Response:
    """An error as a response."""
    told = as_json({"error": error.message}, error.status, error.headers)
    return Response(told.status, told.body, headers=told.headers, close=close)


def encoded(response: Response, keep: bool, *, head: bool = False) -> bytes:
    """A response as HTTP/1.1. keep: the connection. head: without the body."""
    lines = [
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        f"date: {_date(int(time.time()))}",
    ]
    if response.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        lines += [f"content-type: {response.kind}", f"content-length: {len(response.body)}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    lines.append("x-content-type-options: nosniff")
    if not keep:
        lines.append("connection: close")
    start = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
    return start if head else start + response.body


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
