"""The page that the server shows to people: its files, read once, each with how it is answered."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ligero.serve.messages import Request, Response, as_json

HOME = "index.html"
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
# Nothing but what this server sends, no script within the HTML, and no text that is taken for HTML.
POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'",
        "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        "require-trusted-types-for 'script'", "trusted-types 'none'",
    )
)  # fmt: skip
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    # A browser keeps what it got and asks each time whether that still holds.
    "cache-control": "no-cache",
}


@dataclass(frozen=True)
class File:
    """What one address of the page answers. headers: with its ETag."""

    body: bytes
    kind: str
    headers: dict[str, str]

    async def answer(self, request: Request) -> Response:
        """The file, or 304 where the client has it."""
        if self.headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(304, b"", self.kind, self.headers)
        return Response(200, self.body, self.kind, self.headers)


def files() -> dict[str, File]:
    """Address -> file: "/" is the page, all else of it lies below /page/."""
    found = {}
    for path in sorted(Path(__file__).parent.iterdir()):
        if path.suffix in KINDS:
            address = "/" if path.name == HOME else f"/page/{path.name}"
            found[address] = file(path.read_bytes(), KINDS[path.suffix])
    return found


def document(value: Any) -> File:
    """A JSON value as a file of the page."""
    return file(as_json(value).body, KINDS[".json"])


def file(body: bytes, kind: str) -> File:
    """A file with its ETag, which follows from its content."""
    tag = hashlib.sha256(body).hexdigest()[:32]
    return File(body, kind, {**HEADERS, "etag": f'"{tag}"'})
