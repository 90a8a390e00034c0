"""A hub on this machine: enough of the Hugging Face hub's protocol to download from."""

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from huggingface_hub import constants


@dataclass
class Repository:
    files: dict[str, bytes]
    revisions: tuple[str, ...] = ("main",)
    gated: bool = False
    # Cut each file's body after so many bytes, as a connection that breaks off does.
    breaks_after: int | None = None

    @property
    def commit(self) -> str:
        return hashlib.sha1(repr(sorted(self.files.items())).encode()).hexdigest()


@dataclass
class HubServer:
    """`with HubServer({...}) as hub:` serves at `hub.url`; `hub.fetched` lists files sent.

    A model's repository goes by `owner/name`, a dataset's by `datasets/owner/name`, as in addresses.
    """

    repositories: dict[str, Repository]
    fetched: list[str] = field(default_factory=list)

    def __enter__(self) -> "HubServer":
        hub = self

        class Handler(_Handler):
            server_hub = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_hub: HubServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Silent."""

    def _answer(self) -> None:
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        api = parts[0] == "api"
        if api:
            parts = parts[1:]
        # /api/models/owner/name but /owner/name/resolve/…, and datasets/ before both for datasets.
        prefix = "datasets/" if parts[0] == "datasets" else ""
        if parts[0] in ("models", "datasets"):
            parts = parts[1:]
        repository = self.server_hub.repositories.get(prefix + "/".join(parts[:2]))
        if repository is None:
            return self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        verb, *rest = parts[2:] or ["revision", "main"]
        revision = rest[0]
        if revision not in (*repository.revisions, repository.commit):
            return self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        if api:
            return self._send(200, json.dumps(self._described(repository, parts, verb)).encode())
        if repository.gated:
            return self._send(403, b"{}", {"X-Error-Code": "GatedRepo"})
        return self._file(repository, "/".join(rest[1:]))

    def _described(self, repository: Repository, parts: list[str], verb: str) -> object:
        if verb == "tree":
            return [
                {"type": "file", "path": name, "size": len(body), "oid": _sha(body)}
                for name, body in repository.files.items()
            ]
        return {
            "id": "/".join(parts[:2]),
            "sha": repository.commit,
            "siblings": [{"rfilename": name} for name in repository.files],
        }

    def _file(self, repository: Repository, name: str) -> None:
        headers = {"X-Repo-Commit": repository.commit}
        body = repository.files.get(name)
        if body is None:
            return self._send(404, b"", headers | {"X-Error-Code": "EntryNotFound"})
        if self.command == "GET":
            self.server_hub.fetched.append(name)
        return self._send(200, body, headers | {"ETag": f'"{_sha(body)}"'}, repository.breaks_after)

    def _send(
        self, code: int, body: bytes, headers: dict[str, str] | None = None, cut: int | None = None
    ) -> None:
        self.send_response(code)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[:cut])
            if cut is not None:
                self.close_connection = True


def _sha(body: bytes) -> str:
    return hashlib.sha1(body).hexdigest()


def point_to(monkeypatch: Any, url: str) -> None:
    """Make the hub's library ask the server at `url`."""
    # HF_ENDPOINT is read once, when the library is imported.
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
