"""Messages between the server and its workers: JSON, with its length before it. Nothing is unpickled."""

import json
import socket
import struct
from collections.abc import Iterator
from typing import Any

LENGTH = struct.Struct(">I")


def pack(message: Any) -> bytes:
    """A message as it goes over the wire."""
    content = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    return LENGTH.pack(len(content)) + content


class Unpacker:
    """Whole messages out of bytes that arrive in any pieces."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """The messages that are whole with `data`."""
        self._held += data
        while len(self._held) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._held)[0]
            if len(self._held) < end:
                return
            content = bytes(self._held[LENGTH.size : end])
            del self._held[:end]
            yield json.loads(content)


def receive(connection: socket.socket) -> Any | None:
    """The next message, waited for; None where the other side is gone."""
    head = _exactly(connection, LENGTH.size)
    content = head and _exactly(connection, LENGTH.unpack(head)[0])
    return json.loads(content) if content else None


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    held = bytearray()
    while len(held) < count:
        piece = connection.recv(count - len(held))
        if not piece:
            return None
        held += piece
    return bytes(held)
