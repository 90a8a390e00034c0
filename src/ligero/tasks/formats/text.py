"""A text file -> numbered lines, with the encoding decided and said.

Every format reads through here, so that a file that is not text (or is not there) gives the same
one-line error whatever it was meant to be.
"""

import difflib
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ligero.errors import InputError, excerpt, unknown

# The longest word of the real Spanish files that this was built with has 69 characters; a run of
# 10,000 is base64, a minified page or a lost separator, and would fill a window of
# sub-words with nothing to learn from.
LONGEST_WORD = 10_000

# What non-ASCII Spanish text is made of, with the letters of its neighbours and what Windows-1252
# adds (quotes, dashes, euro). Left out on purpose: Â, Ã, â and ð, which are what the first bytes of
# UTF-8's accents, quotes and emoji look like in these encodings. Of a UTF-8 character read wrongly,
# one in two, three or four is thus outside the set, more than the fifth that is let through: a
# damaged UTF-8 file is refused, not taken for ISO-8859-1.
SPANISH = frozenset(
    "áéíóúüñÁÉÍÓÚÜÑ¿¡ªº°·«»´¨"
    "àèòçïêîôûäëöÀÈÒÇÏÊÔÖ"
    "€‘’“”–—…•½¼¾±²³§©®™\N{NO-BREAK SPACE}\N{SOFT HYPHEN}"
)
PLAUSIBLE = 0.8

# UTF-32's little-endian mark begins with UTF-16's, so the longer ones are tried first.
_WIDE_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_EXPECTED = "a text file in UTF-8 (or in ISO-8859-1, if it reads as Spanish)"
_OVERLONG = re.compile(rf"(?<!\S)\S{{{LONGEST_WORD + 1},}}")
SURROGATE, HALF = re.compile("[\ud800-\udfff]"), "half a surrogate pair (\\ud800 to \\udfff)"
_WINDOWS_ONLY = re.compile(rb"[\x80-\x9f]")


@dataclass(frozen=True, slots=True)
class Text:
    """The lines of one file, without their ends.

    file: its name as it was given, for messages.
    lines: every line, blank ones too, so that the line at index i is line i + 1 of the file.
    notes: what a person should know of how it was read ("not UTF-8 …: read as ISO-8859-1").
    encoding: the codec that was used, as Python names it, or as it was asked for.
    """

    file: str
    lines: tuple[str, ...]
    notes: tuple[str, ...] = ()
    encoding: str = "utf-8"

    def numbered(self) -> Iterator[tuple[int, str]]:
        """(line number from 1, line) for every line of the file."""
        return enumerate(self.lines, start=1)

    def error(self, line: int, found: str, expected: str | None = None) -> InputError:
        """The error to raise for line `line` (from 1) of this file."""
        return InputError(found, file=self.file, line=line, expected=expected)


class Shared(dict[Any, Any]):
    """shared[x] is the first object that was equal to x.

    A large file repeats labels and spans by the million: with each kept once, reading 30 MB of
    SQuAD takes 210 MB of memory at its peak, not 480.
    """

    def __missing__(self, key: Any) -> Any:
        self[key] = key
        return key

    def all(self, items: Iterable[Any]) -> tuple[Any, ...]:
        """Each of `items`, shared."""
        return tuple(map(self.__getitem__, items))


def read(path: str | Path, encoding: str | None = None) -> Text:
    r"""The lines of the file at `path`.

    encoding: the name of a Python codec; None decides between UTF-8 (with or without a byte order
        mark), ISO-8859-1 and Windows-1252, the last two only if the outcome looks like Spanish.

    Only "\n" ends a line ("\r" before it belongs to the end): U+0085, U+2028, form feeds and lone
    carriage returns occur inside real texts, where `str.splitlines` would break them.

    Raises InputError, with file and line: no such file, a folder, no permission, nothing in it,
    UTF-16 or UTF-32 (unless asked for), NUL bytes, bytes that do not decode.
    """
    data = _bytes(Path(path))
    content, codec, notes = _decode(data, path, encoding)
    for found, at in (("a NUL character", content.find("\0")), (HALF, _half(content, encoding))):
        if at >= 0:
            line = content.count("\n", 0, at) + 1
            raise InputError(found, file=path, line=line, expected=_EXPECTED)
    lines = tuple(line.rstrip("\r") for line in content.removeprefix("\ufeff").split("\n"))
    if not any(line.strip() for line in lines):
        raise InputError("only blank lines", file=path, line=1, expected="at least one example")
    return Text(str(path), lines, notes, codec)


def glance(path: str | Path, size: int) -> Text:
    """The lines within the first `size` bytes of a file, without one that they cut.

    Raises InputError for a file that cannot be opened.
    """
    data = _bytes(Path(path), size)
    lines = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").split("\n")
    whole = lines[:-1] if len(data) == size else lines
    return Text(str(path), tuple(whole or lines))


def _half(content: str, encoding: str | None) -> int:
    """Where half a surrogate pair stands, -1 if nowhere: some rare encodings can say it (UTF-7)."""
    found = SURROGATE.search(content) if encoding is not None else None
    return found.start() if found else -1


def _bytes(path: Path, size: int = -1) -> bytes:
    """The file's bytes (the first `size`), or the InputError that says why there are none."""
    try:
        with path.open("rb") as file:
            data = file.read(size)
    except FileNotFoundError:
        raise _missing(path) from None
    except IsADirectoryError:
        raise InputError("a folder", file=path, expected="a file") from None
    except PermissionError:
        expected = "a file that you may read (see its permissions)"
        raise InputError("a file that cannot be opened", file=path, expected=expected) from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise InputError(f"an unreadable file ({reason})", file=path, expected=_EXPECTED) from None
    if not data:
        raise InputError("an empty file", file=path, line=1, expected="at least one example")
    return data


def _missing(path: Path) -> InputError:
    """The error for a file that is not there: it offers the nearest name in the same folder."""
    folder = path.parent
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    except OSError:
        return InputError(f"no folder {str(folder)!r}", file=path, expected="a file that exists")
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    hint = f": did you mean {near[0]!r}?" if near else ""
    return InputError("no such file", file=path, expected=f"a file that exists{hint}")


def _decode(
    data: bytes, path: str | Path, encoding: str | None
) -> tuple[str, str, tuple[str, ...]]:
    """`data` as characters, the codec, and the notes on how; `path` is for the errors."""
    if encoding is not None:
        return _decode_as(data, path, encoding), encoding, ()
    _refuse_wide(data, path)
    try:
        return data.decode("utf-8"), "utf-8", ()
    except UnicodeDecodeError as error:
        offset = error.start
    # ISO-8859-1 has only control characters at 0x80-0x9F; Windows-1252, its superset for text, has
    # the quotes and dashes of an editor there.
    codec, name = ("iso-8859-1", "ISO-8859-1")
    if _WINDOWS_ONLY.search(data):
        codec, name = "cp1252", "Windows-1252 (ISO-8859-1 with quotes, dashes and the euro)"
    content = _western(data, codec)
    if content is None:
        raise _undecodable(data, offset, path, _EXPECTED)
    line, byte = data.count(b"\n", 0, offset) + 1, data[offset]
    return content, codec, (f"not UTF-8 (byte 0x{byte:02X} on line {line}): read as {name}",)


def _decode_as(data: bytes, path: str | Path, encoding: str) -> str:
    """`data` in the encoding that the user named."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(data, error.start, path, f"text in {encoding}") from None
    except (LookupError, ValueError):
        known = ("utf-8", "iso-8859-1", "iso-8859-15", "cp1252", "utf-16", "utf-32", "mac-roman")
        raise unknown("encoding", encoding, known) from None


def _refuse_wide(data: bytes, path: str | Path) -> None:
    """Raise InputError if `data` has the look of UTF-16 or UTF-32, or holds NUL bytes."""
    expected = f"{_EXPECTED}; convert it (iconv -t UTF-8) or name its encoding"
    for mark, name in _WIDE_MARKS:
        if data.startswith(mark):
            raise InputError(f"{name} text", file=path, line=1, expected=expected)
    first = data.find(b"\0")
    if first < 0:
        return
    # Western text has every second byte NUL in UTF-16, three of four in UTF-32; a NUL in a UTF-8
    # file is a lonely accident. A quarter lies well between.
    if data.count(b"\0") > len(data) / 4:
        raise InputError("UTF-16 or UTF-32 text", file=path, line=1, expected=expected)
    line = data.count(b"\n", 0, first) + 1
    raise InputError("a NUL byte (0x00)", file=path, line=line, expected=_EXPECTED)


def _western(data: bytes, codec: str) -> str | None:
    """`data` in a one-byte Western encoding; None unless it then looks like Spanish."""
    try:
        content = data.decode(codec)
    except UnicodeDecodeError:  # Windows-1252 leaves five bytes undefined
        return None
    foreign = [character for character in content if character > "\x7f"]
    if sum(character in SPANISH for character in foreign) < PLAUSIBLE * len(foreign):
        return None
    return content


def _undecodable(data: bytes, offset: int, path: str | Path, expected: str) -> InputError:
    """The error for the byte at `offset`, with its line and its place in that line."""
    line = data.count(b"\n", 0, offset) + 1
    place = offset - (data.rfind(b"\n", 0, offset) + 1) + 1
    found = f"byte 0x{data[offset]:02X} (byte {place} of the line), which does not decode"
    return InputError(found, file=path, line=line, expected=expected)


def check_words(text: Text) -> None:
    """Raise InputError at the first run of non-white-space longer than LONGEST_WORD."""
    for number, line in text.numbered():
        if length := overlong(line):
            raise text.error(
                number, f"a word of {length:,} characters", f"at most {LONGEST_WORD:,}"
            )


def overlong(line: str) -> int:
    """Length of the first word with more than LONGEST_WORD characters; 0 without such a word."""
    # Most lines are shorter. Tried at the beginnings of words only, so that it takes linear time.
    found = _OVERLONG.search(line) if len(line) > LONGEST_WORD else None
    return found.end() - found.start() if found else 0


def wanted(text: Text, kind: str | None, *offered: str) -> str:
    """The kind of task to read `text` for: `kind`, or the first of those that it can give.

    Raises InputError if it cannot give `kind`.
    """
    if kind is None:
        return offered[0]
    if kind not in offered:
        raise text.error(1, f"data of kind {' or '.join(offered)}", f"data of kind {kind}")
    return kind


def line_id(line: int, given: Container[str]) -> str:
    """The id of an example to which its file gives none: its line, "2", if no other has that.

    given: the ids that the file does give. With "2" among them it is "line 2": a number that
    somebody wrote down is no reason to refuse a file.
    """
    name = str(line)
    while name in given:
        name = f"line {name}"
    return name


def check(text: str, line: int | None, where: str) -> None:
    """InputError for what no tokenizer should be given; `where` and `line` say where it stands."""
    if not text.strip():
        raise InputError("an empty text", line=line, file=where, expected="some words")
    if SURROGATE.search(text):
        # What Python makes of bytes, on the command line or in a pipe, that do not decode.
        raise InputError("bytes that are not UTF-8", line=line, file=where, expected="text")
    longest = max(map(len, text.split()), default=0)
    if longest > LONGEST_WORD:
        raise InputError(
            f"a word of {longest:,} characters ({excerpt(text, 20)})",
            file=where, line=line, expected=f"at most {LONGEST_WORD:,}",
        )  # fmt: skip
