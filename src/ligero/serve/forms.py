"""What a request's body holds, and an answer's: in ligero's own form, and in Hugging Face's.

Hugging Face's is that of its inference endpoints (`huggingface_hub.InferenceClient`): {"inputs": …,
"parameters": …}. A parameter is either obeyed or refused: none is silently ignored.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ligero.errors import InputError, excerpt
from ligero.serve.messages import RefusedError
from ligero.tasks.kinds.answer import NONE

Found = list[dict[str, Any]]
Pair = tuple[str, str | None]
Parameters = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """texts: to be read, each with the second one of a pair. shown: what was found -> the answer."""

    texts: list[Pair]
    shown: Callable[[list[Found]], Any]


def parse(body: bytes) -> dict[str, Any]:
    """A body's JSON object; RefusedError, 400, where it is none."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise RefusedError(400, f"the body is not UTF-8 (byte {error.start})") from None
    except RecursionError:
        raise RefusedError(400, "the body's JSON is nested too deeply") from None
    except ValueError as error:
        message = str(error).splitlines()[0]
        raise RefusedError(400, f"the body is not JSON: {message}") from None
    if not isinstance(value, dict):
        raise RefusedError(422, f"found {_called(value)} as the body; expected an object")
    return value


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def own(body: Mapping[str, Any], kind: str) -> Wanted:
    """{"text": …, "second": …} or {"texts": […], "second": one or a list}: what Predictor takes.

    The answer is what Predictor gives, a list for each text. Raises InputError.
    """
    _known(body, ("text", "texts", "second"), "the body")
    if ("text" in body) == ("texts" in body):
        raise InputError(
            "neither text nor texts, or both", expected='{"text": …} or {"texts": […]}'
        )
    second = body.get("second")
    if "text" in body:
        text = _text(body["text"], "text")
        other = None if second is None else _text(second, "second")
        return Wanted([(text, other)], lambda found: found[0])
    texts = _texts(body["texts"], "texts")
    if isinstance(second, list):
        seconds: list[str | None] = [*_texts(second, "second")]
    else:
        seconds = [None if second is None else _text(second, "second")] * len(texts)
    if len(seconds) != len(texts):
        raise InputError(
            f"{len(texts)} texts and {len(seconds)} second ones", expected="one for each"
        )
    return Wanted(list(zip(texts, seconds, strict=True)), lambda found: found)


def hugging_face(body: Mapping[str, Any], kind: str) -> Wanted:
    """{"inputs": one or a list, "parameters": {…}}: as InferenceClient sends it for a kind of task.

    An input is a text, {"text", "text_pair"} where texts are compared, or {"question", "context"}.
    Raises InputError.
    """
    _known(body, ("inputs", "parameters"), "the body")
    if "inputs" not in body:
        raise InputError("no inputs", expected='{"inputs": …}')
    given = body.get("parameters")
    parameters = {} if given is None else given
    if not isinstance(parameters, dict):
        raise InputError(f"{_called(given)} as parameters", expected="an object")
    show = SHOWN[kind](_asked(parameters, kind))
    inputs = body["inputs"]
    if not isinstance(inputs, list):
        # One text to be classified is answered by a list of one, which is what the client unpacks.
        nested = kind == "classify"
        return Wanted(
            [_input(inputs, kind)],
            lambda found: [show(found[0])] if nested else show(found[0]),
        )
    return Wanted([_input(one, kind) for one in inputs], lambda found: [show(f) for f in found])


# Parameter -> what it may be here; one that Hugging Face knows and no kind lists cannot be obeyed.
ALLOWED: dict[str, dict[str, str]] = {
    "tag": {
        # A word is read at its first sub-word and entities are whole: both strategies come to that.
        "aggregation_strategy": "simple or first",
        "ignore_labels": "a list of labels",
    },
    "classify": {"top_k": "a number of 1 or more", "function_to_apply": "softmax"},
    "answer": {
        "top_k": "a number of 1 or more",
        "handle_impossible_answer": "true or false",
        "align_to_words": "true",
    },
    "parse": {},
}


def _asked(parameters: Parameters, kind: str) -> Parameters:
    """The parameters that are not null, each of a value that can be obeyed."""
    asked = {name: value for name, value in parameters.items() if value is not None}
    _known(asked, tuple(ALLOWED[kind]), f"the parameters of a model of kind {kind}")
    checks: dict[str, Callable[[Any], bool]] = {
        "aggregation_strategy": lambda value: value in ("simple", "first"),
        "ignore_labels": lambda value: _is_texts(value),
        "top_k": lambda value: type(value) is int and value >= 1,
        "function_to_apply": lambda value: value == "softmax",
        "handle_impossible_answer": lambda value: isinstance(value, bool),
        "align_to_words": lambda value: value is True,
    }
    for name, value in asked.items():
        if not checks[name](value):
            # What is nested is not written out: it may be nested as deeply as Python can go.
            told = _called(value) if isinstance(value, dict | list) else excerpt(json.dumps(value))
            raise InputError(f"{name} {told}", expected=ALLOWED[kind][name])
    return asked


def _entities(asked: Parameters) -> Callable[[Found], Any]:
    ignored = set(asked.get("ignore_labels", ()))
    return lambda found: [
        {
            "entity_group": one["label"],
            "score": one["probability"],
            "word": one["text"],
            "start": one["start"],
            "end": one["end"],
        }
        for one in found
        if one["label"] not in ignored
    ]


def _classes(asked: Parameters) -> Callable[[Found], Any]:
    return lambda found: [
        {"label": one["label"], "score": one["probability"]} for one in found[: asked.get("top_k")]
    ]


def _answers(asked: Parameters) -> Callable[[Found], Any]:
    """As the pipeline: one answer, or a list of those asked for; that there is none only if asked."""
    most, empty = asked.get("top_k", 1), asked.get("handle_impossible_answer", False)

    def shown(found: Found) -> Any:
        answers = [
            {
                "answer": one["text"],
                "score": one["probability"],
                "start": one["start"],
                "end": one["end"],
            }
            for one in found
            if empty or one["label"] != NONE
        ][:most]
        # A context without words holds no answer, and the client expects one.
        answers = answers or [{"answer": "", "score": 0.0, "start": 0, "end": 0}]
        return answers[0] if most == 1 else answers

    return shown


def _words(asked: Parameters) -> Callable[[Found], Any]:
    return lambda found: [
        {
            "word": one["text"],
            "start": one["start"],
            "end": one["end"],
            "head": one["head"],
            "relation": one["label"],
            "score": one["probability"],
        }
        for one in found
    ]


SHOWN: dict[str, Callable[[Parameters], Callable[[Found], Any]]] = {
    "tag": _entities,
    "classify": _classes,
    "answer": _answers,
    "parse": _words,
}


def _input(given: Any, kind: str) -> Pair:
    if kind == "answer":
        names: tuple[str, ...] = ("question", "context")
    elif kind == "classify" and isinstance(given, dict):
        names = ("text", "text_pair")
    else:
        return _text(given, "inputs"), None
    if not isinstance(given, dict):
        raise InputError(f"{_called(given)} as inputs", expected='{"question": …, "context": …}')
    _known(given, names, "inputs")
    second = given.get(names[1])
    if second is None and kind == "classify":
        return _text(given.get(names[0]), names[0]), None
    return _text(given.get(names[0]), names[0]), _text(second, names[1])


def _known(given: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in given:
        if name not in names:
            raise InputError(f"{excerpt(name)} in {where}", expected=", ".join(names) or "none")


def _text(given: Any, name: str) -> str:
    if not isinstance(given, str):
        raise InputError(f"{_called(given)} as {name}", expected="a text")
    return given


def _texts(given: Any, name: str) -> list[str]:
    if not _is_texts(given):
        raise InputError(f"{_called(given)} as {name}", expected="a list of texts")
    return list(given)


def _is_texts(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(one, str) for one in given)


def _called(value: Any) -> str:
    """A JSON value's type, for a message."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return names.get(type(value), "nothing" if value is None else "a number")
