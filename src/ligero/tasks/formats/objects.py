"""JSON whose objects know the line at which they begin, so that every error can name one."""

import itertools
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from json.decoder import JSONArray, JSONObject, scanstring  # type: ignore[attr-defined]
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any, NoReturn, TypeVar

from ligero.errors import excerpt
from ligero.tasks.formats.text import HALF, LONGEST_WORD, SURROGATE, Text, overlong

T = TypeVar("T")

# SQuAD's files nest 8 deep. Python's own limit is near 300, after which it gives no place.
DEEPEST = 100

# Longer whole numbers are read as floating-point ones, as JSON's other numbers are: Python refuses
# to read more than 4,300 digits. An id may have many: a tweet's has 19.
_DIGITS = 4000

_TYPES: dict[type, str] = {
    **{str: "a text", int: "a whole number", float: "a number", bool: "true or false"},
    **{list: "a list", dict: "an object", type(None): "null"},
}


class Object(dict[str, Any]):
    """A JSON object; `line` is where it begins, from 1."""

    __slots__ = ("line",)

    def __init__(self, pairs: Sequence[tuple[str, Any]], line: int) -> None:
        super().__init__(pairs)
        self.line = line


def whole(text: Text) -> Any:
    """What the whole file holds: an Object, a list, a text, a number, a bool or None.

    Raises InputError, with file and line: no JSON, or JSON that breaks off; a key twice in one
    object; more than DEEPEST levels; half a surrogate pair, a NUL character or an overlong word in
    a text.
    """
    starts = list(itertools.accumulate((len(line) + 1 for line in text.lines), initial=0))
    return _Decoder(text).value("\n".join(text.lines), 1, starts)


def lines(text: Text) -> Iterator[Object]:
    """The object on each line that is not blank; InputError as for `whole`, and for what is none."""
    decoder = _Decoder(text)
    for number, line in text.numbered():
        if line.strip():
            found = decoder.value(line, number, [0])
            if not isinstance(found, Object):
                raise text.error(number, named(found), "an object in braces on each line")
            yield found


def present(text: Text, holder: Object, key: str) -> Any:
    """holder[key], whatever it is; InputError with the holder's line if it is not there."""
    if key not in holder:
        known = excerpt(", ".join(holder), 80)[1:-1]
        found = f"an object with {known}" if known else "an empty object"
        raise text.error(holder.line, found, f"{key!r} in it")
    return holder[key]


def field(text: Text, holder: Object, key: str, type_: type[T]) -> T:
    """holder[key], checked to be of a JSON type; InputError with the holder's line otherwise."""
    return typed(text, holder.line, present(text, holder, key), type_, repr(key))


def typed(text: Text, line: int, value: Any, type_: type[T], what: str) -> T:
    """`value` if it is of a JSON type; InputError otherwise, in which `what` names it."""
    if not isinstance(value, type_) or (isinstance(value, bool) and type_ is not bool):
        expected = "an object" if type_ is Object else _TYPES[type_]
        raise text.error(line, f"{named(value)} for {what}", expected)
    return value


def named(value: Any) -> str:
    """The type of what was found, and the value itself unless it holds others, for a message."""
    type_ = "an object" if isinstance(value, dict) else _TYPES[type(value)]
    if value is None or isinstance(value, list | dict):
        return type_
    quoted = excerpt(str(value), 30)
    return f"{type_} ({quoted if isinstance(value, str) else quoted[1:-1]})"


class _Decoder(json.JSONDecoder):
    """The standard library's decoder, in its Python version, with a place for each object."""

    def __init__(self, text: Text) -> None:
        super().__init__(parse_int=lambda s: int(s) if len(s) <= _DIGITS else float(s))
        self.text, self.depth = text, 0
        self.parse_object = self._object
        self.parse_array = self._array
        self.parse_string = self._string
        self.scan_once = py_make_scanner(self)

    def value(self, content: str, line: int, starts: Sequence[int]) -> Any:
        """The one value that `content` holds; its lines, from `line` on, begin at `starts`."""
        self.line, self.starts = line, starts
        try:
            return self.decode(content)
        except json.JSONDecodeError as error:
            end = len(content.rstrip())
            cut = error.pos >= end or error.msg.startswith("Unterminated")
            found = "JSON that breaks off" if cut else "text that is no JSON"
            place = self._line_of(min(error.pos, end))
            raise self.text.error(place, f"{found} ({error.msg.lower()})", "valid JSON") from None

    def _line_of(self, at: int) -> int:
        return self.line - 1 + bisect_right(self.starts, at)

    def _object(self, place: tuple[str, int], strict: bool, scan_once: Any, *_: Any) -> Any:
        line = self._deeper(place[1] - 1)
        pairs, end = JSONObject(place, strict, scan_once, None, list)
        self.depth -= 1
        found = Object(pairs, line)
        if len(found) < len(pairs):
            twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
            raise self.text.error(line, f"the key {excerpt(twice)} twice in one object", "one")
        return found, end

    def _array(self, place: tuple[str, int], scan_once: Any) -> Any:
        self._deeper(place[1] - 1)
        found, end = JSONArray(place, scan_once)
        self.depth -= 1
        return found, end

    def _string(self, content: str, at: int, strict: bool) -> Any:
        found, end = scanstring(content, at, strict)
        if not found.isascii() and SURROGATE.search(found):
            self._refuse(at, HALF, "whole characters")
        if "\0" in found:
            self._refuse(at, "a NUL character", "text")
        if length := overlong(found):
            self._refuse(at, f"a word of {length:,} characters", f"at most {LONGEST_WORD:,}")
        return found, end

    def _deeper(self, at: int) -> int:
        """The line of the object or list that begins at `at`, one level deeper."""
        self.depth += 1
        if self.depth > DEEPEST:
            self._refuse(at, f"more than {DEEPEST} levels of JSON", "the layout of a data set")
        return self._line_of(at)

    def _refuse(self, at: int, found: str, expected: str) -> NoReturn:
        raise self.text.error(self._line_of(at), found, expected)
