"""A hub on this machine: enough of the Hugging Face hub's protocol to download from and to upload to."""

import base64
import hashlib
import json
import re
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
    private: bool = False
    # Branches with files of their own; all other revisions have `files`.
    branches: dict[str, dict[str, bytes]] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        return _commit(self.files)

    def at(self, revision: str) -> dict[str, bytes] | None:
        """The files of a branch, a tag or a commit; None where there is no such revision."""
        for files in self.branches.values():
            if revision == _commit(files):
                return files
        known = revision in (*self.revisions, self.commit)
        return self.branches.get(revision, self.files if known else None)


@dataclass
class HubServer:
    """`with HubServer({...}) as hub:` serves at `hub.url`; `hub.fetched` lists files sent.

    A model's repository goes by `owner/name`, a dataset's by `datasets/owner/name`, as in addresses.

    tokens: token -> whose it is; a person writes to repositories of that name. blobs: what was
    uploaded and is in no commit yet, by its SHA-256. asked: method, path and headers of each request.
    fails: path's beginning -> status with which requests to it are refused. stalls: path's
    beginning -> bytes after which a body of it stands still, and `stalled` is set, until the server
    ends.
    """

    repositories: dict[str, Repository]
    fetched: list[str] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    fails: dict[str, int] = field(default_factory=dict)
    stalls: dict[str, int] = field(default_factory=dict)
    stalled: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "HubServer":
        hub = self

        class Handler(_Handler):
            server_hub = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_hub: HubServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Silent."""

    def _answer(self) -> None:
        address = urlsplit(self.path)
        hub = self.server_hub
        hub.asked.append((self.command, address.path, dict(self.headers)))
        body = self._body(address.path)
        for beginning, status in hub.fails.items():
            if address.path.startswith(beginning):
                return self._json({"error": "as the test wants it"}, status)
        parts = [unquote(part) for part in address.path.strip("/").split("/")]
        if parts[0] == "lfs":
            return self._store(parts[1], body)
        if self.command == "POST" or parts == ["api", "whoami-v2"]:
            return self._known(parts, body)
        return self._read(parts, blobs="blobs=" in address.query)

    @property
    def _user(self) -> str | None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return self.server_hub.tokens.get(token)

    def _read(self, parts: list[str], *, blobs: bool) -> None:
        api = parts[0] == "api"
        if api:
            parts = parts[1:]
        # /api/models/owner/name but /owner/name/resolve/…, and datasets/ before both for datasets.
        prefix = "datasets/" if parts[0] == "datasets" else ""
        if parts[0] in ("models", "datasets"):
            parts = parts[1:]
        repository = self.server_hub.repositories.get(prefix + "/".join(parts[:2]))
        if repository is None or (repository.private and self._user != parts[0]):
            return self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        verb, *rest = parts[2:] or ["revision", "main"]
        files = repository.at(rest[0])
        if files is None:
            return self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        if api:
            return self._json(self._described(repository, files, parts, verb, blobs))
        if repository.gated:
            return self._send(403, b"{}", {"X-Error-Code": "GatedRepo"})
        return self._file(repository, files, "/".join(rest[1:]))

    def _described(
        self,
        repository: Repository,
        files: dict[str, bytes],
        parts: list[str],
        verb: str,
        blobs: bool,
    ) -> object:
        if verb == "tree":
            return [
                {"type": "file", "path": name, "size": len(body), "oid": _sha(body)}
                for name, body in files.items()
            ]
        return {
            "id": "/".join(parts[:2]),
            "sha": _commit(files),
            "private": repository.private,
            "siblings": [
                {"rfilename": name, **(_blob(name, body) if blobs else {})}
                for name, body in files.items()
            ],
        }

    def _file(self, repository: Repository, files: dict[str, bytes], name: str) -> None:
        headers = {"X-Repo-Commit": _commit(files)}
        body = files.get(name)
        if body is None:
            return self._send(404, b"", headers | {"X-Error-Code": "EntryNotFound"})
        if self.command == "GET":
            self.server_hub.fetched.append(name)
        headers["ETag"] = f'"{_sha(body)}"'
        cut = repository.breaks_after
        if begin := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            first = int(begin[1])
            headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
            return self._send(206, body[first:], headers, cut)
        return self._send(200, body, headers, cut)

    def _known(self, parts: list[str], body: bytes) -> None:
        """What only a person with a token may ask."""
        user, hub = self._user, self.server_hub
        if user is None:
            return self._json({"error": "Invalid credentials in Authorization header"}, 401)
        if parts[1] == "whoami-v2":
            return self._json({"type": "user", "name": user, "orgs": []})
        if parts[1] == "validate-yaml":
            return self._json({"errors": [], "warnings": []})
        told = json.loads(body) if parts[4:5] != ["commit"] else {}
        if parts[:3] == ["api", "repos", "create"]:
            name = f"{told['organization'] or user}/{told['name']}"
            if told["organization"] not in (None, user):
                return self._json({"error": "no right to create a model there"}, 403)
            if name in hub.repositories:
                return self._json({"error": "You already created this model repo"}, 409)
            private = told.get("visibility") == "private"
            hub.repositories[name] = Repository({".gitattributes": b""}, private=private)
            return self._json({"url": f"{hub.url}/{name}"})
        lfs = parts[1].endswith(".git")
        owner, name = (parts[0], parts[1].removesuffix(".git")) if lfs else parts[2:4]
        repository = hub.repositories.get(f"{owner}/{name}")
        if repository is None:
            return self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        if owner != user:
            return self._json({"error": "you have no write access"}, 403)
        if lfs:
            return self._json(
                {"transfer": "basic", "objects": [self._wanted(o) for o in told["objects"]]}
            )
        verb, revision = parts[4:6]
        if verb == "branch":
            repository.branches[revision] = dict(repository.files)
            return self._json({})
        if verb == "preupload":
            return self._json({"files": [_mode(file["path"]) for file in told["files"]]})
        return self._commit(f"{owner}/{name}", revision, body)

    def _wanted(self, told: dict[str, Any]) -> dict[str, Any]:
        if told["oid"] in self.server_hub.blobs:
            return told
        return told | {"actions": {"upload": {"href": f"{self.server_hub.url}/lfs/{told['oid']}"}}}

    def _store(self, oid: str, body: bytes) -> None:
        if hashlib.sha256(body).hexdigest() != oid:
            return self._json({"error": "not what was announced"}, 400)
        self.server_hub.blobs[oid] = body
        return self._json({})

    def _commit(self, name: str, revision: str, body: bytes) -> None:
        repository = self.server_hub.repositories[name]
        before = repository.at(revision)
        if before is None:
            return self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        header, *operations = [json.loads(line) for line in body.splitlines()]
        if header["value"].get("parentCommit") not in (None, _commit(before)):
            return self._json({"error": "A commit has happened since"}, 412)
        files = dict(before)
        for operation in operations:
            value = operation["value"]
            if operation["key"] == "deletedFile":
                del files[value["path"]]
            elif operation["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            else:
                files[value["path"]] = self.server_hub.blobs[value["oid"]]
        if revision == "main":
            repository.files = files
        else:
            repository.branches[revision] = files
        oid = _commit(files)
        return self._json(
            {"commitUrl": f"{self.server_hub.url}/{name}/commit/{oid}", "commitOid": oid}
        )

    def _body(self, path: str) -> bytes:
        """What was sent with a request."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            read = b""
            while size := int(self.rfile.readline(), 16):
                read += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return read
        size = int(self.headers.get("Content-Length", 0))
        if self.command in ("POST", "PUT") and (bytes_ := self._stalls(path)) is not None:
            self.rfile.read(min(size, bytes_))
            self._stand_still()
        return self.rfile.read(size)

    def _stalls(self, path: str) -> int | None:
        found = [n for start, n in self.server_hub.stalls.items() if path.startswith(start)]
        return found[0] if found else None

    def _stand_still(self) -> None:
        self.server_hub.stalled.set()
        self.server_hub.ended.wait()
        self.close_connection = True

    def _json(self, value: object, code: int = 200) -> None:
        self._send(code, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(
        self, code: int, body: bytes, headers: dict[str, str] | None = None, cut: int | None = None
    ) -> None:
        self.send_response(code)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        halt = self._stalls(urlsplit(self.path).path) if self.command == "GET" else None
        self.wfile.write(body[: cut if halt is None else halt])
        if halt is not None:
            self.wfile.flush()
            self._stand_still()
        if cut is not None:
            self.close_connection = True


def _mode(path: str) -> dict[str, Any]:
    large = path.endswith((".safetensors", ".bin"))
    return {
        "path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False, "oid": None,
    }  # fmt: skip


def _blob(name: str, body: bytes) -> dict[str, Any]:
    """What the hub states of a file: git's own hash, and for large files SHA-256 too."""
    git = hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()
    told: dict[str, Any] = {"size": len(body), "blobId": git}
    if _mode(name)["uploadMode"] == "lfs":
        told["lfs"] = {
            "sha256": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 134,
        }  # fmt: skip
    return told


def _commit(files: dict[str, bytes]) -> str:
    return hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()


def _sha(body: bytes) -> str:
    return hashlib.sha1(body).hexdigest()


def point_to(monkeypatch: Any, url: str) -> None:
    """Make the hub's library ask the server at `url`."""
    # HF_ENDPOINT is read once, when the library is imported.
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
