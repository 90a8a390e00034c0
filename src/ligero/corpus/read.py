"""Files of raw text -> documents, in frames of a bounded size, whatever the file's.

Text (a blank line between documents), JSON lines, Parquet and dumps of Wikipedia, each also packed.
Nothing is read whole: memory follows `FRAME`, not the file.
"""

import contextlib
import json
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from xml.etree import ElementTree

import polars as pl

from ligero.corpus import unpack, wikitext
from ligero.errors import InputError, excerpt
from ligero.tasks.formats.text import HALF, PLAUSIBLE, SPANISH, SURROGATE

# Bytes of text in a frame. Cleaning holds a few copies of it at once.
FRAME = 16_000_000
# Lines that are longer are no text, and would have to be held whole.
LONGEST_LINE = 4 * FRAME

_ENDINGS = {
    ".txt": "text", ".text": "text",
    ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".xml": "wiki",
}  # fmt: skip
_EXPECTED = (
    "a name that ends in .txt, .jsonl, .parquet or .xml (a Wikipedia dump), and perhaps .gz, .xz,"
    " .zst or .bz2 after it"
)
_UNICODE = "text in UTF-8 (or in ISO-8859-1, if it reads as Spanish)"
_BLANK = re.compile(r"\n(?:[ \t\r]*\n)+")

Document = str


def kind(path: Path) -> str:
    """How `path` is read, by its name: "text", "jsonl", "parquet" or "wiki".

    Documents of "text" are parted by blank lines, which may also stand within one listing or table:
    `clean.Options.across` is for these. Raises InputError for any other ending.
    """
    endings = [ending.lower() for ending in path.suffixes]
    if endings and endings[-1] in unpack.ENDINGS:
        endings.pop()
    if not endings or endings[-1] not in _ENDINGS:
        raise InputError(f"a file of unknown format: {path.name}", file=path, expected=_EXPECTED)
    return _ENDINGS[endings[-1]]


def frames(
    paths: Iterable[str | Path], field: str = "text", size: int = FRAME
) -> Iterator[pl.DataFrame]:
    """The documents of all files, in order: frames with the columns `id` and `text`.

    field: where JSON lines and Parquet files have their text.
    size: bytes of UTF-8 after which a frame is full. A document of more is a frame of its own, but for
        one in a text file, which is cut at a line's end.

    A frame holds documents of one file. `id` is the file's name (its path where two share a name) and
    the document's running number in it, from 1: "libros.txt.xz:17". Empty documents have no number.

    Raises InputError, with file and line or record: a file that is not there or of an unknown format,
    damaged compression, JSON, XML or Parquet, text of unknown encoding, a missing field.
    """
    files = [Path(path) for path in paths]
    shared = Counter(path.name for path in files)
    for path in files:
        read = _READERS[kind(path)]
        name = path.name if shared[path.name] == 1 else str(path)
        number = 1
        for texts in _batches(read(path, field, size), size):
            ids = [f"{name}:{number + i}" for i in range(len(texts))]
            number += len(texts)
            yield pl.DataFrame(
                {"id": ids, "text": texts}, schema={"id": pl.String, "text": pl.String}
            )


def _batches(documents: Iterator[Document], size: int) -> Iterator[list[Document]]:
    """Documents that are not blank, together up to about `size` bytes (counted in characters)."""
    batch: list[Document] = []
    held = 0
    for document in documents:
        if not document or document.isspace():
            continue
        if batch and held + len(document) > size:
            yield batch
            batch, held = [], 0
        batch.append(document)
        held += len(document)
    if batch:
        yield batch


class _Decoder:
    """Bytes -> text, the encoding decided where the first byte beyond ASCII stands, and kept.

    As `tasks.formats.text` decides it, but for a stream: UTF-8, or ISO-8859-1 or Windows-1252 if the
    outcome looks like Spanish. Later bytes that do not fit are an error, with their line.
    """

    def __init__(self, path: Path):
        self.path, self.line, self.codec = path, 1, ""

    def decode(self, data: bytes) -> str:
        """The text of `data`, which ends with a line (or the file)."""
        if self.line == 1:
            self._refuse_wide(data)
            data = data.removeprefix(b"\xef\xbb\xbf")
        text = self._text(data)
        if "\0" in text:
            raise self._error(data.index(b"\0"), data, "a NUL character")
        self.line += data.count(b"\n")
        return text.replace("\r\n", "\n") if "\r" in text else text

    def _text(self, data: bytes) -> str:
        if not self.codec:
            if data.isascii():
                return data.decode("ascii")
            self.codec = self._decide(data)
        try:
            return data.decode(self.codec)
        except UnicodeDecodeError as error:
            found = f"byte 0x{data[error.start]:02X}, which does not decode"
            raise self._error(error.start, data, found) from None

    def _decide(self, data: bytes) -> str:
        """The first codec that fits; UTF-8 if none does, for its error."""
        with contextlib.suppress(UnicodeDecodeError):
            data.decode("utf-8")
            return "utf-8"
        with contextlib.suppress(UnicodeDecodeError):
            foreign = [character for character in data.decode("cp1252") if character > "\x7f"]
            if sum(character in SPANISH for character in foreign) >= PLAUSIBLE * len(foreign):
                return "cp1252"  # ISO-8859-1's superset, but for control characters
        return "utf-8"

    def _refuse_wide(self, data: bytes) -> None:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[:4] == b"\x00\x00\xfe\xff":
            raise self._error(0, data, "UTF-16 or UTF-32 text")

    def _error(self, offset: int, data: bytes, found: str) -> InputError:
        line = self.line + data.count(b"\n", 0, offset)
        return InputError(found, file=self.path, line=line, expected=_UNICODE)


def _pieces(stream: unpack.Stream, path: Path, size: int) -> Iterator[bytes]:
    """The bytes of `stream` in pieces of about `size`, each ending with a line, or the file."""
    rest = b""
    while data := stream.read(size):
        rest += data
        cut = rest.rfind(b"\n") + 1
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
        elif len(rest) > LONGEST_LINE:
            found = f"a line of more than {LONGEST_LINE:,} bytes"
            raise InputError(found, file=path, expected="text with line ends")
    if rest:
        yield rest


def _text(path: Path, field: str, size: int) -> Iterator[Document]:
    """Documents of a text file: what stands between blank lines."""
    with unpack.opened(path) as stream:
        decoder, rest = _Decoder(path), ""
        for piece in _pieces(stream, path, size):
            *whole, rest = _BLANK.split(rest + decoder.decode(piece))
            yield from (document.strip("\n") for document in whole)
            if len(rest) > size:
                # Its lines so far; a blank line may be about to follow, so the end stays.
                cut = rest.rstrip("\n").rfind("\n") + 1
                yield rest[:cut].strip("\n")
                rest = rest[cut:]
        yield rest.strip("\n")


def _jsonl(path: Path, field: str, size: int) -> Iterator[Document]:
    """The field of every object, one on a line."""
    expected = f"an object with its text under {field!r}"
    with unpack.opened(path) as stream:
        decoder, number = _Decoder(path), 0
        for piece in _pieces(stream, path, size):
            # Not `splitlines`: U+2028 may stand within a string.
            for line in decoder.decode(piece).removesuffix("\n").split("\n"):
                number += 1
                if line and not line.isspace():
                    yield _field(line, number, path, field, expected)


def _field(line: str, number: int, path: Path, field: str, expected: str) -> str:
    """The text that the JSON object `line` has under `field`."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "too deep"
        found = f"no JSON ({reason}): {excerpt(line)}"
        raise InputError(found, file=path, line=number, expected=expected) from None
    text = record.get(field) if isinstance(record, dict) else None
    if not isinstance(text, str):
        found = excerpt(line) if text is None else f"{field!r} that is no text"
        raise InputError(found, file=path, line=number, expected=expected)
    if SURROGATE.search(text):
        raise InputError(HALF, file=path, line=number, expected="whole characters")
    return text.replace("\r\n", "\n")


def _parquet(path: Path, field: str, size: int) -> Iterator[Document]:
    """A column of a Parquet file."""
    with contextlib.ExitStack() as stack:
        source = path
        if path.suffix.lower() in unpack.ENDINGS:
            # Parquet is read from its end.
            copy = stack.enter_context(tempfile.NamedTemporaryFile(suffix=".parquet"))
            shutil.copyfileobj(stack.enter_context(unpack.opened(path)), copy)
            copy.flush()
            source = Path(copy.name)
        elif not path.is_file():
            stack.enter_context(unpack.opened(path))  # says why
        try:
            scan = pl.scan_parquet(source, glob=False)
            columns = scan.collect_schema()
            if columns.get(field) != pl.String:
                found = f"the columns {', '.join(columns)}" if field not in columns else "no text"
                raise InputError(found, file=path, expected=f"a column of text named {field!r}")
            for frame in scan.select(field).collect_batches(chunk_size=10_000, maintain_order=True):
                yield from (text for text in frame[field] if text is not None)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise unpack.damaged(path, error) from None


def _wiki(path: Path, field: str, size: int) -> Iterator[Document]:
    """Articles of a dump (pages-articles): title and plain text. Redirects and other pages are not."""
    sources = _articles(path)
    while batch := list(islice(sources, 500)):
        titles = [title for title, _ in batch]
        texts = wikitext.plain(pl.Series([source for _, source in batch], dtype=pl.String))
        for title, text in zip(titles, texts, strict=True):
            yield f"{title}\n{text}" if text else ""


def _articles(path: Path) -> Iterator[tuple[str, str]]:
    """Title and wikitext of every article."""
    with unpack.opened(path) as stream:
        try:
            events = ElementTree.iterparse(stream, ("start", "end"))
            _, root = next(events)
            for event, element in events:
                if event == "end" and element.tag.rpartition("}")[2] == "page":
                    yield from _article(element)
                    root.clear()  # or the whole dump would be held
        except ElementTree.ParseError as error:
            line, _ = error.position
            found = f"no XML ({error.msg.split(':')[0]})"
            raise InputError(found, file=path, line=line, expected="a Wikipedia dump") from None


def _article(page: ElementTree.Element) -> Iterator[tuple[str, str]]:
    """Title and wikitext of `page`, if it is an article."""
    parts = {part.tag.rpartition("}")[2]: part for part in page.iter()}
    if "redirect" in parts or ("ns" in parts and parts["ns"].text != "0"):
        return
    text = parts["text"].text if "text" in parts else None
    if text and "title" in parts:
        yield parts["title"].text or "", text


_READERS = {"text": _text, "jsonl": _jsonl, "parquet": _parquet, "wiki": _wiki}
