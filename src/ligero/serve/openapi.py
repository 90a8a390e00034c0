"""What the server offers, as an OpenAPI 3.1 document, and the same as a page that needs nothing else."""

import html
import json
from collections.abc import Mapping
from typing import Any

from ligero import __version__
from ligero.serve.models import Model

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "pattern": "\\S"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}},
}
STATUSES = {
    "400": "The body is not JSON, or the request not HTTP/1.1.",
    "401": "No token, or a wrong one.",
    "404": "No such model or address.",
    "405": "Another method is for this address.",
    "408": "The request took too long to arrive.",
    "413": "The body is too long.",
    "415": "The body is not said to be JSON.",
    "422": "The body's JSON, a text or a parameter cannot be used; the error says why.",
    "429": "The queue is full: try again after Retry-After seconds.",
    "431": "The headers are too long.",
    "503": "The server is ending, or the process that read the text ended: try again.",
    "504": "No answer within the time that the server or X-Timeout-Ms gives.",
}


def document(models: Mapping[str, Model], default: str | None, *, secured: bool) -> Schema:
    """The OpenAPI document of these models' addresses."""
    paths: dict[str, Any] = {
        "/": _page("A page for people, to try the models in a browser", kind="text/html"),
        "/health": _page("Whether the server is alive", _status()),
        "/ready": _page("Whether all models are loaded; 503 before, and while ending", _status()),
        "/models": _page("The models, and the figures that they were exported with"),
        "/report.json": _page(
            "What ligero report gathered, for the page; no tasks without --report"
        ),
        "/metrics": _page("Figures for Prometheus", kind="text/plain"),
        "/openapi.json": _page("This document"),
        "/docs": _page("This document as a page", kind="text/html"),
    }
    for name, model in models.items():
        paths[f"/models/{name}"] = {
            **_page(f"What {name} is"),
            "post": _post(f"Ask {name}, in Hugging Face's form", *_hugging_face(model.card.kind)),
        }
        paths[f"/predict/{name}"] = {
            "post": _post(f"Ask {name}, in ligero's form", _own(model), _found())
        }
    if default:
        for path, theirs in (("/", f"/models/{default}"), ("/predict", f"/predict/{default}")):
            paths.setdefault(path, {})["post"] = paths[theirs]["post"]
    made: Schema = {
        "openapi": "3.1.0",
        "info": {"title": "ligero", "version": __version__},
        "paths": paths,
    }
    if secured:
        made["components"] = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}
        made["security"] = [{"token": []}]
        for path in ("/", "/health", "/ready"):
            paths[path]["get"]["security"] = []
    return made


def page(made: Schema) -> str:
    """The document as HTML: no script, no style or picture from elsewhere."""
    parts = []
    for path, methods in made["paths"].items():
        for method, offer in methods.items():
            parts.append(
                f"<h2><code>{method.upper()} {html.escape(path)}</code></h2>"
                f"<p>{html.escape(offer['summary'])}.</p>"
            )
            if "requestBody" in offer:
                content = offer["requestBody"]["content"]["application/json"]
                example = json.dumps(content["example"], ensure_ascii=False)
                command = (
                    f"curl -H 'content-type: application/json' "
                    f"http://HOST:PORT{path} -d '{example}'"
                )
                schema = json.dumps(content["schema"], ensure_ascii=False, indent=1)
                parts.append(
                    f"<pre>{html.escape(command)}</pre>"
                    f"<details><summary>The body</summary><pre>{html.escape(schema)}</pre></details>"
                )
    rows = "".join(
        f"<tr><td>{status}</td><td>{html.escape(about)}</td></tr>"
        for status, about in STATUSES.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>ligero</title>'
        '<meta name="viewport" content="width=device-width"><style>body{font:16px/1.5 system-ui,'
        "sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}pre{overflow:auto;padding:.6rem;"
        "background:#8881;border-radius:.3rem}h2{font-size:1.05rem;margin-top:2rem}td{padding:0 1rem"
        f" 0 0}}</style></head><body><h1>ligero {html.escape(made['info']['version'])}</h1>"
        '<p><a href="./">A page to try the models</a> is at <code>GET /</code>.</p>'
        f'{"".join(parts)}<h2>Errors</h2><p><code>{{"error": "…"}}</code>, with these statuses:</p>'
        f"<table>{rows}</table></body></html>\n"
    )


def _page(summary: str, schema: Schema | None = None, kind: str = "application/json") -> Schema:
    content = {kind: {"schema": schema or {}}}
    answers = {"200": {"description": summary, "content": content}}
    if kind == "application/json" and schema:
        answers["503"] = _error("503")
    return {"get": {"summary": summary, "responses": {**answers, "401": _error("401")}}}


def _post(summary: str, body: Schema, answer: Schema) -> Schema:
    schema, example = body["schema"], body["example"]
    timeout = {
        "name": "X-Timeout-Ms",
        "in": "header",
        "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
        "description": "Milliseconds after which an answer is of no use.",
    }
    return {
        "summary": summary,
        "parameters": [timeout],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": example}},
        },
        "responses": {
            "200": {"description": "What was found.", "content": _json(answer)},
            **{status: _error(status) for status in STATUSES},
        },
    }


def _error(status: str) -> Schema:
    return {"description": STATUSES[status], "content": _json(ERROR)}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _status() -> Schema:
    return _object({"status": {"type": "string"}})


def _object(properties: Schema, required: list[str] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }


def _many(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _one_or_many(schema: Schema) -> Schema:
    return {"anyOf": [schema, _many(schema)]}


SPAN: Schema = {"start": WHOLE, "end": WHOLE, "score": NUMBER}
TOP: Schema = {"type": ["integer", "null"], "minimum": 1}
# Kind -> input, parameters, what is found in one input, and an input as an example.
HUGGING_FACE: dict[str, tuple[Schema, Schema, Schema, Any]] = {
    "tag": (
        TEXT,
        {
            "aggregation_strategy": {"enum": ["simple", "first", None]},
            "ignore_labels": {"type": ["array", "null"], "items": {"type": "string"}},
        },
        _many(_object({"entity_group": {"type": "string"}, "word": {"type": "string"}, **SPAN})),
        "Nieves Córdoba viajó a Córdoba.",
    ),
    "classify": (
        {"anyOf": [TEXT, _object({"text": TEXT, "text_pair": TEXT}, ["text"])]},
        {"top_k": TOP, "function_to_apply": {"enum": ["softmax", None]}},
        _many(_object({"label": {"type": "string"}, "score": NUMBER})),
        "El Real Zaragoza ganó.",
    ),
    "answer": (
        _object({"question": TEXT, "context": TEXT}),
        {
            "top_k": TOP,
            "handle_impossible_answer": {"type": ["boolean", "null"]},
            "align_to_words": {"enum": [True, None]},
        },
        _one_or_many(_object({"answer": {"type": "string"}, **SPAN})),
        {"question": "¿Quién viajó?", "context": "Nieves Córdoba viajó a Teruel."},
    ),
    "parse": (
        TEXT,
        {},
        _many(
            _object(
                {
                    "word": {"type": "string"},
                    "head": WHOLE,
                    "relation": {"type": "string"},
                    **SPAN,
                }
            )
        ),
        "La niña come pan.",
    ),
}


def _hugging_face(kind: str) -> tuple[Schema, Schema]:
    """Schemas of a body (with an example) and of an answer."""
    given, parameters, found, example = HUGGING_FACE[kind]
    schema = _object(
        {
            "inputs": _one_or_many(given),
            "parameters": {"anyOf": [_object(parameters, []), {"type": "null"}]},
        },
        ["inputs"],
    )
    return {"schema": schema, "example": {"inputs": example}}, _one_or_many(found)


def _own(model: Model) -> Schema:
    """A body in ligero's form, with an example; a second text only where the kind takes one."""
    given = model.kind.texts
    one: Schema = {"anyOf": [TEXT, {"type": "null"}]} if 1 in given else TEXT
    second: Schema = {"anyOf": [one, _many(TEXT)]}
    needed = [] if 1 in given else ["second"]
    seconds = ({"second": one}, {"second": second}) if 2 in given else ({}, {})
    either = [
        _object({"text": TEXT, **seconds[0]}, ["text", *needed]),
        _object({"texts": _many(TEXT), **seconds[1]}, ["texts", *needed]),
    ]
    example = {"text": "Nieves Córdoba viajó a Teruel."}
    if 1 not in given:
        example = {"text": "¿Quién viajó?", "second": example["text"]}
    return {"schema": {"anyOf": either}, "example": example}


def _found() -> Schema:
    one = _many({"type": "object"})
    return _object(
        {"model": {"type": "string"}, "found": _one_or_many(one), "milliseconds": NUMBER}
    )
