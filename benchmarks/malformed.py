"""Requests that no server should have to see: what is wrong with each, and its bytes.

Of a seed, so that what went wrong once can be asked again. All are addressed to one model; each has some
status of the 400s as its only right answer.
"""

import json
import random
import struct
from collections.abc import Callable, Iterator
from typing import Any

JSON = "application/json"
# What stands where a text should.
WRONG: tuple[Any, ...] = (
    None,
    True,
    3,
    -0.5,
    1e308,
    [],
    {},
    [[]],
    [None],
    {"a": "b"},
    ["a", 1],
    [["a"]],
    {"inputs": "a"},
)


def requests(seed: int, count: int, path: str) -> Iterator[tuple[str, bytes]]:
    """(what is wrong, the bytes of a whole request) so many times, all kinds in turn."""
    chance = random.Random(seed)
    for number in range(count):
        name, make = KINDS[number % len(KINDS)]
        yield name, make(chance, path)


def post(path: str, body: bytes, kind: str | None = JSON, *more: str) -> bytes:
    """A request with a body of the length that it says."""
    lines = [f"POST {path} HTTP/1.1", "host: a", f"content-length: {len(body)}", *more]
    if kind:
        lines.append(f"content-type: {kind}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def _wrong_type(chance: random.Random, path: str) -> bytes:
    return post(path, json.dumps({"inputs": chance.choice(WRONG[:5] + WRONG[6:])}).encode())


def _no_object(chance: random.Random, path: str) -> bytes:
    return post(path, json.dumps(chance.choice([*WRONG[:6], "a", ["a", "b"]])).encode())


def _unknown(chance: random.Random, path: str) -> bytes:
    name = "".join(chance.choices("abcñ\u0301\u202e \n\0", k=chance.randint(1, 50)))
    return post(path, json.dumps({"inputs": "a", name: chance.choice(WRONG)}).encode())


def _parameters(chance: random.Random, path: str) -> bytes:
    name = chance.choice(["aggregation_strategy", "ignore_labels", "stride", "top_k", ""])
    value = chance.choice([True, 3, {"a": 1}, [[1]], "none", [1]])
    return post(path, json.dumps({"inputs": "a", "parameters": {name: value}}).encode())


def _deep(chance: random.Random, path: str) -> bytes:
    depth = chance.randint(2_000, 100_000)
    return post(path, b'{"inputs": ' + b"[" * depth + b"]" * depth + b"}")


def _cut(chance: random.Random, path: str) -> bytes:
    body = json.dumps({"inputs": "La ministra viajó a Córdoba", "parameters": {}}).encode()
    return post(path, body[: chance.randrange(len(body))])


def _bytes(chance: random.Random, path: str) -> bytes:
    return post(path, b'{"inputs": "' + chance.randbytes(chance.randint(1, 300)) + b'\xff"}')


def _nul(chance: random.Random, path: str) -> bytes:
    """NUL as a byte, which JSON knows only escaped."""
    return post(path, b'{"inputs": "a' + b"\0" * chance.randint(1, 100) + b'"}')


def _surrogate(chance: random.Random, path: str) -> bytes:
    """Half a pair: JSON can write it, no text can hold it."""
    half = rf"\u{chance.randint(0xD800, 0xDFFF):04x}"
    return post(path, f'{{"inputs": "La {half} niña"}}'.encode())


def _number(chance: random.Random, path: str) -> bytes:
    """No number of JSON's, or one that Python does not read."""
    value = chance.choice(["NaN", "Infinity", "-Infinity", "1" * 5_000, "1e", "01", "0x1"])
    return post(path, f'{{"inputs": {value}}}'.encode())


def _huge(chance: random.Random, path: str) -> bytes:
    """A text that is too long, in a body that is not."""
    return post(path, json.dumps({"inputs": "a " * chance.randint(25_001, 100_000)}).encode())


def _many(chance: random.Random, path: str) -> bytes:
    return post(path, json.dumps({"inputs": ["a"] * chance.randint(257, 2_000)}).encode())


def _says_huge(chance: random.Random, path: str) -> bytes:
    """A body that is not sent, since its length is refused."""
    length = chance.choice([1 << 21, 1 << 31, 10**18])
    return f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n".encode()


def _kind(chance: random.Random, path: str) -> bytes:
    kinds = [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "json",
    ]
    return post(path, b'{"inputs": "a"}', chance.choice(kinds))


def _no_http(chance: random.Random, path: str) -> bytes:
    return (
        struct.pack(">I", chance.getrandbits(32))
        + chance.randbytes(chance.randint(1, 200))
        + b"\r\n\r\n"
    )


def _length(chance: random.Random, path: str) -> bytes:
    """Lengths that contradict each other, or are none: what requests are smuggled by."""
    lines = chance.choice(
        [
            "content-length: 5\r\ncontent-length: 6", "content-length: -1", "content-length: 1e3",
            "content-length: 5\r\ntransfer-encoding: chunked", "transfer-encoding: chunked, identity",
        ]
    )  # fmt: skip
    return f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: {JSON}\r\n{lines}\r\n\r\nnada\r\n".encode()


def _head(chance: random.Random, path: str) -> bytes:
    return post(path, b'{"inputs": "a"}', JSON, f"x-a: {'a' * chance.randint(17_000, 60_000)}")


def _address(chance: random.Random, path: str) -> bytes:
    where = chance.choice(
        ["/../../etc/passwd", "/models/%00", "/predict/nada", "/models/" + "a" * 3_000]
    )
    return post(where, b'{"inputs": "a"}')


def _method(chance: random.Random, path: str) -> bytes:
    return f"{chance.choice(['PUT', 'DELETE', 'PATCH', 'TRACE'])} {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode()


def _timeout(chance: random.Random, path: str) -> bytes:
    value = chance.choice(["0", "-5", "1e3", "nada", "9" * 400, "²"])
    return post(path, b'{"inputs": "a"}', JSON, f"x-timeout-ms: {value}")


KINDS: list[tuple[str, Callable[[random.Random, str], bytes]]] = [
    ("a wrong type where a text should stand", _wrong_type),
    ("a body that is no object", _no_object),
    ("a name that is unknown", _unknown),
    ("parameters that cannot be obeyed", _parameters),
    ("JSON nested thousands deep", _deep),
    ("JSON that is cut off", _cut),
    ("bytes that are no UTF-8", _bytes),
    ("NUL bytes", _nul),
    ("half a surrogate pair", _surrogate),
    ("a number that is none", _number),
    ("a text that is too long", _huge),
    ("too many texts", _many),
    ("a body that says it is too long", _says_huge),
    ("a content type that is not JSON's", _kind),
    ("no HTTP", _no_http),
    ("lengths that contradict each other", _length),
    ("endless headers", _head),
    ("an address that is none", _address),
    ("a method that is not offered", _method),
    ("a deadline that is no number", _timeout),
]
