"""The server: answers as Predictor's in every form, and a typed error for everything else."""

import json
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from huggingface_hub import InferenceClient

from ligero import config
from ligero.errors import InputError
from ligero.runtime import Predictor
from ligero.serve import forms, models, serving
from served import LABELS, TEXT, ask, raw, rest

TEXTS = [" ".join(TEXT.split()[: 1 + n % 14]) for n in range(18)] + [
    "a",
    "¿",
    "La niña\0 come",
    "🎉",
]
QUESTION = "¿Quién viajó?"


@pytest.fixture(scope="module")
def url(exports):
    with serving(
        exports.values(), threads=1, max_texts=40, read_seconds=0.5, idle_seconds=1
    ) as served:
        yield served.url


@pytest.fixture(scope="module")
def secured(exports):
    """A server with one model, a token, and pages elsewhere that may ask."""
    settings = {"cors": "https://ejemplo.es", "idle_seconds": 0.5, "max_body": 2000}
    with serving(
        [f"otro={exports['tag']}"],
        {"LIGERO_TOKEN": "secreto"},
        threads=1,
        connections=8,
        **settings,
    ) as served:
        yield served.url


@pytest.fixture(scope="module")
def predictors(exports):
    return {kind: Predictor(folder, threads=1) for kind, folder in exports.items()}


def close(found, other):
    """Equal, but for what the last bits of a batch of another size make of numbers."""
    if isinstance(found, dict):
        return found.keys() == other.keys() and all(close(found[k], other[k]) for k in found)
    if isinstance(found, list):
        return len(found) == len(other) and all(map(close, found, other))
    return found == pytest.approx(other, abs=1e-4) if isinstance(found, float) else found == other


def test_the_inference_client_tags(url, predictors):
    found = InferenceClient(f"{url}/models/tag").token_classification(TEXT)
    wanted = predictors["tag"](TEXT)
    assert [
        {
            "label": f.entity_group, "text": f.word, "start": f.start, "end": f.end,
            "probability": f.score,
        } for f in found
    ] == wanted and wanted  # fmt: skip
    client = InferenceClient(base_url=f"{url}/models/tag")
    assert client.token_classification(TEXT, aggregation_strategy="first") == found
    assert client.token_classification(TEXT, ignore_labels=["PER"]) == []


def test_the_inference_client_classifies(url, predictors):
    client = InferenceClient(f"{url}/models/classify")
    wanted = [(one["label"], one["probability"]) for one in predictors["classify"](TEXT)]
    assert [(f.label, f.score) for f in client.text_classification(TEXT)] == wanted
    top = client.text_classification(TEXT, top_k=2, function_to_apply="softmax")
    assert [(f.label, f.score) for f in top] == wanted[:2]


def test_the_inference_client_answers(url, predictors):
    client = InferenceClient(f"{url}/models/answer")
    wanted = predictors["answer"](QUESTION, TEXT)
    answers = [f for f in wanted if f["label"] == "answer"]
    one = client.question_answering(QUESTION, TEXT)
    assert (one.answer, one.score, one.start, one.end) == tuple(
        answers[0][name] for name in ("text", "probability", "start", "end")
    )
    several = client.question_answering(QUESTION, TEXT, top_k=9, handle_impossible_answer=True)
    assert [f.score for f in several] == [f["probability"] for f in wanted]
    assert {f.answer for f in several} == {f["text"] for f in wanted} and "" in {
        f.answer for f in several
    }
    nothing = client.question_answering(QUESTION, "\u200b")
    assert (nothing.answer, nothing.start, nothing.end) == ("", 0, 0)


def test_parsing_in_hugging_faces_form(url, predictors):
    found = ask(url, "/models/parse", {"inputs": [TEXT, "Sí"]}).json
    for text, words in zip((TEXT, "Sí"), found, strict=True):
        wanted = predictors["parse"](text)
        assert [(w["word"], w["head"], w["relation"]) for w in words] == [
            (w["text"], w["head"], w["label"]) for w in wanted
        ]
        assert all(text[w["start"] : w["end"]] == w["word"] for w in words)


@pytest.mark.parametrize("kind", LABELS)
def test_own_form_is_what_predictor_gives(url, predictors, kind):
    second = TEXT if kind == "answer" else None
    one = ask(url, f"/predict/{kind}", {"text": TEXTS[7], "second": second})
    assert one.json["found"] == predictors[kind](TEXTS[7], second)
    assert one.json["model"] == kind and 0 < one.json["milliseconds"] < 1000 * one.seconds
    many = ask(url, f"/predict/{kind}", {"texts": TEXTS, "second": second})
    assert close(many.json["found"], predictors[kind](TEXTS, second))
    each = [second] * len(TEXTS) if second else None
    again = ask(url, f"/predict/{kind}", {"texts": TEXTS, "second": each})
    assert close(again.json["found"], many.json["found"])
    assert ask(url, f"/predict/{kind}", {"texts": []}).json["found"] == []


def test_batches_and_pairs_in_hugging_faces_form(url, predictors):
    found = ask(url, "/models/classify", {"inputs": TEXTS, "parameters": {"top_k": 1}}).json
    assert [f[0]["label"] for f in found] == [f[0]["label"] for f in predictors["classify"](TEXTS)]
    pair = ask(url, "/models/classify", {"inputs": {"text": "Sí", "text_pair": TEXT}}).json
    assert pair[0][0]["score"] == predictors["classify"]("Sí", TEXT)[0]["probability"]
    asked = [{"question": QUESTION, "context": text} for text in TEXTS[:3]]
    found = ask(url, "/models/answer", {"inputs": asked}).json
    assert len(found) == 3 and all(f["answer"] in t for f, t in zip(found, TEXTS, strict=False))


def test_fifty_clients_at_once_get_their_own_answers(url, predictors):
    wanted = {kind: predictors[kind](TEXTS) for kind in ("tag", "parse")}

    def client(number):
        kind = ("tag", "parse")[number % 2]
        place = random.Random(number).randrange(len(TEXTS))
        reply = ask(url, f"/predict/{kind}", {"text": TEXTS[place]})
        return reply.status == 200 and close(reply.json["found"], wanted[kind][place])

    with ThreadPoolExecutor(50) as pool:
        assert all(pool.map(client, range(200)))


def test_one_text_of_a_request_that_cannot_be_read(url):
    long = "la " * 2000
    reply = ask(url, "/predict/parse", {"texts": ["bien", long]})
    assert reply.status == 422 and "2,000 words" in reply.json["error"]
    with ThreadPoolExecutor(8) as pool:
        texts = ["bien", long] * 4
        found = list(pool.map(lambda t: ask(url, "/predict/parse", {"text": t}).status, texts))
    assert found == [200, 422] * 4


def test_a_pair_of_too_many_windows_is_refused_before_it_is_read(url, exports, predictors):
    marks = {"text": "¿ " * 1000, "second": "¡ " * 25_000}
    reply = ask(url, "/predict/answer", marks)
    assert reply.status == 422 and "windows of 48 sub-words" in reply.json["error"]
    assert reply.json["error"].endswith("expected at most 256") and reply.seconds < 5
    # Texts that are too much together are read one after another.
    questions, context = ["¿ " * 240, QUESTION, "¿ " * 241], "¿ " * 240
    reply = ask(url, "/predict/answer", {"texts": questions, "second": context})
    assert reply.status == 200, reply.body
    assert close(reply.json["found"], predictors["answer"](questions, context))
    with pytest.raises(InputError, match="windows"):
        Predictor(exports["answer"], threads=1, windows=256)(questions, context)


def test_what_is_served_is_said(url, exports):
    found = {m["name"]: m for m in ask(url, "/models").json["models"]}
    assert set(found) == set(LABELS)
    assert found["tag"]["labels"] == ["O", "B-PER", "I-PER"] and found["tag"]["buckets"]
    assert ask(url, "/models/parse").json == found["parse"]
    assert str(exports["tag"].parent) not in json.dumps(found)
    assert ask(url, "/health").json == {"status": "alive"}
    assert ask(url, "/ready").json == {"status": "ready"}
    page = ask(url, "/docs").body.decode()
    assert "POST /models/tag" in page and "src=" not in page and "http://HOST" in page
    head = ask(url, "/models", method="HEAD")
    assert head.status == 200 and head.body == b"" and int(head.headers["content-length"]) > 100


def test_metrics_count_what_was_asked(url):
    def figures():
        lines = ask(url, "/metrics").body.decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    before = figures()
    ask(url, "/predict/tag", {"texts": TEXTS[:5]})
    ask(url, "/predict/tag", {"texts": ["a" * 10_001]})
    after = figures()

    def more(name):
        return after[name] - before.get(name, 0)

    assert more('ligero_requests_total{model="tag",status="200"}') == 1
    assert more('ligero_requests_total{model="tag",status="422"}') == 1
    assert more('ligero_request_seconds_count{model="tag"}') == 1
    assert more('ligero_request_seconds_bucket{model="tag",le="+Inf"}') == 1
    assert more('ligero_batch_texts_sum{model="tag"}') == 5
    assert after['ligero_queue_length{model="tag"}'] == 0 and after["ligero_workers"] == 1
    assert after["ligero_worker_restarts_total"] == 0


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/predict/tag", {"text": "a" * 10_001}, "10,001 characters"),
        ("/predict/tag", {"text": " \n"}, "empty"),
        ("/predict/tag", b'{"text": "hola \\ud83d"}', "UTF-8"),
        ("/predict/tag", {"text": "uno", "second": "dos"}, "a pair of texts"),
        ("/predict/tag", {"text": 5}, "a number as text"),
        ("/predict/tag", {"texts": ["a", None]}, "expected a list of texts"),
        ("/predict/tag", {"texts": ["bien", ""]}, "texts:2"),
        ("/predict/tag", {"text": "a", "texts": ["a"]}, "or both"),
        ("/predict/tag", {"text": "a", "ruta": "/etc"}, "'ruta'"),
        ("/predict/tag", {"texts": ["a"] * 41}, "at most 40"),
        ("/predict/tag", {"text": "a " * 30_000}, "at most 50,000"),
        ("/predict/answer", {"text": "a " * 2000, "second": "a " * 2000}, "shorter"),
        ("/predict/answer", {"text": "uno"}, "expected a pair"),
        ("/predict/answer", {"texts": ["a", "b"], "second": ["c"]}, "2 texts and 1"),
        ("/predict/tag", [1], "a list as the body"),
        ("/models/tag", {"text": "a"}, "'text'"),
        ("/models/tag", {}, "no inputs"),
        ("/models/tag", {"inputs": {"text": "a"}}, "an object as inputs"),
        ("/models/answer", {"inputs": {"question": "a"}}, "nothing as context"),
        ("/models/tag", {"inputs": "a", "parameters": []}, "a list as parameters"),
        ("/models/tag", {"inputs": "a", "parameters": {"stride": 3}}, "'stride'"),
        ("/models/tag", {"inputs": "a", "parameters": {"top_k": 3}}, "'top_k'"),
        (
            "/models/tag",
            {"inputs": "a", "parameters": {"aggregation_strategy": "max"}},
            "simple or first",
        ),
        ("/models/classify", {"inputs": "a", "parameters": {"top_k": 0}}, "1 or more"),
        (
            "/models/classify",
            {"inputs": "a", "parameters": {"function_to_apply": "none"}},
            "softmax",
        ),
        (
            "/models/answer",
            {"inputs": {"question": "a", "context": "b"}, "parameters": {"doc_stride": 5}},
            "'doc_stride'",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_422(url, path, body, said):
    reply = ask(url, path, body)
    assert reply.status == 422 and said in reply.json["error"], reply.body


@pytest.mark.parametrize(
    ("status", "path", "body", "headers", "method"),
    [
        (400, "/predict/tag", b"{", {}, None),
        (400, "/predict/tag", b"", {}, "POST"),
        (400, "/predict/tag", b'{"text": "ni\xf1a"}', {}, None),
        (400, "/predict/tag", b'{"text": NaN}', {}, None),
        (400, "/predict/tag", b"[" * 100_000, {}, None),
        (400, "/predict/tag", b'{"text": ' + b"9" * 5000 + b"}", {}, None),
        (404, "/predict/otro", {"text": "a"}, {}, None),
        (404, "/", {"inputs": "a"}, {}, None),
        (404, "/models/../../etc/passwd", None, {}, None),
        (404, "/favicon.ico", None, {}, None),
        (405, "/predict/tag", None, {}, "GET"),
        (405, "/metrics", {"a": 1}, {}, None),
        (405, "/models", None, {}, "DELETE"),
        (405, "/models", None, {}, "OPTIONS"),
        (413, "/predict/tag", b" " * (1 << 20) + b"{}", {}, None),
        (415, "/predict/tag", {"text": "a"}, {"content_type": "text/plain"}, None),
        (422, "/predict/tag", {"text": "a"}, {"x_timeout_ms": "pronto"}, None),
        (431, "/health", None, {"cookie": "a" * 20_000}, None),
    ],
)  # fmt: skip
def test_other_errors(url, status, path, body, headers, method):
    reply = ask(url, path, body, method, **headers)
    assert reply.status == status, reply.body
    assert list(reply.json) == ["error"] and reply.headers["content-type"] == "application/json"
    assert status != 405 or reply.headers["allow"]


def connect(url):
    place = urlsplit(url)
    return socket.create_connection((place.hostname, place.port), timeout=10)


def test_bodies_that_come_slowly_or_not_at_all(url):
    head = b"POST /predict/tag HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    for sent in (head, head + b"content-length: 50\r\n\r\n{", b"P"):
        started = time.monotonic()
        heard = raw(url, sent)
        assert heard.startswith(b"HTTP/1.1 408 ") and b'{"error":' in heard, heard
        assert time.monotonic() - started < 2
    with connect(url) as line:  # drop by drop is slow, too
        for byte in head:
            line.sendall(bytes([byte]))
            time.sleep(0.02)
            if byte == ord("\n"):
                break
        assert rest(line).startswith(b"HTTP/1.1 408 ")


def test_bodies_in_pieces_and_requests_in_one_piece(url, predictors):
    wanted = json.dumps(forms._entities({})(predictors["tag"]("a")), separators=(",", ":")).encode()
    body = b'{"inputs": "a"}'
    head = b"POST /models/tag HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, body[i : i + 1]) for i in range(len(body)))
    chunked = head + b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    plain = head + b"content-length: %d\r\n\r\n%s" % (len(body), body)
    last = plain.replace(b"host: a", b"host: a\r\nconnection: close")
    heard = raw(url, chunked + plain + last)
    assert heard.count(b"HTTP/1.1 200 ") == 3 and heard.count(wanted) == 3
    with connect(url) as line:
        waits = last.replace(b"host: a", b"host: a\r\nexpect: 100-continue")
        start, _, content = waits.partition(b"\r\n\r\n")
        line.sendall(start + b"\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 100 ")
        line.sendall(content)
        assert b"HTTP/1.1 200 " in rest(line)
    upgrade = last.replace(b"connection: close", b"connection: upgrade\r\nupgrade: h2c")
    assert b"HTTP/1.1 200 " in raw(url, upgrade)
    endless = (
        head + b"transfer-encoding: chunked\r\n\r\n" + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 20
    )
    assert raw(url, endless).startswith(b"HTTP/1.1 413 ")


def test_a_token(secured):
    assert ask(secured, "/health").status == ask(secured, "/ready").status == 200
    for headers in ({}, {"authorization": "Bearer otro"}, {"authorization": "secreto"}):
        for path, body in (("/models", None), ("/", {"inputs": "a"}), ("/nada", None)):
            reply = ask(secured, path, body, **headers)
            assert reply.status == 401 and reply.headers["www-authenticate"] == "Bearer"
    right = {"authorization": "Bearer secreto"}
    assert ask(secured, "/", {"inputs": "a"}, **right).status == 200
    assert ask(secured, "/predict", {"text": "a"}, **right).status == 200
    client = InferenceClient(base_url=secured, token="secreto")
    assert client.token_classification(TEXT) == client.token_classification(TEXT)


def test_origins(secured, url):
    reply = ask(secured, "/models/otro", method="OPTIONS", origin="https://ejemplo.es")
    assert reply.status == 204 and "authorization" in reply.headers["access-control-allow-headers"]
    for path in ("/health", "/models"):  # an error is for the page to read, too
        found = ask(secured, path)
        assert found.headers["access-control-allow-origin"] == "https://ejemplo.es"
    assert "access-control-allow-origin" not in ask(url, "/health").headers


def test_too_many_clients_and_idle_ones(secured):
    time.sleep(1)  # those of other tests are gone
    silent = [connect(secured) for _ in range(8)]
    assert ask(secured, "/models").status == 401  # in the place of one that says nothing
    started = time.monotonic()
    assert [rest(line) for line in silent] == [b""] * 8 and time.monotonic() - started < 5
    lines = [connect(secured) for _ in range(8)]
    for line in lines:
        line.sendall(b"G")
    refused = raw(secured, b"GET /models HTTP/1.1\r\nhost: a\r\n\r\n")
    assert refused.startswith(b"HTTP/1.1 429 ") and b"retry-after" in refused
    # Who refused those would be killed for having much to do.
    assert ask(secured, "/health").status == ask(secured, "/ready").status == 200
    for line in lines:
        line.sendall(b"ET /health HTTP/1.1\r\n\r\n")
    assert all(rest(line).startswith(b"HTTP/1.1 200 ") for line in lines)


@pytest.mark.parametrize(
    ("status", "head"),
    [
        (401, b"POST /models/otro HTTP/1.1\r\ncontent-type: application/json"),
        (401, b"POST / HTTP/1.1\r\ncontent-type: application/json\r\nexpect: 100-continue"),
        (401, b"POST /nada HTTP/1.1"),
        (404, b"POST /nada HTTP/1.1\r\nauthorization: Bearer secreto"),
        (405, b"PUT /models HTTP/1.1\r\nauthorization: Bearer secreto"),
        (415, b"POST /predict HTTP/1.1\r\nauthorization: Bearer secreto"),
        (200, b"GET /health HTTP/1.1"),
        (204, b"OPTIONS / HTTP/1.1"),
    ],
)
def test_what_the_head_says_is_answered_before_the_body(secured, status, head):
    for body in (b"content-length: 1000", b"transfer-encoding: chunked"):
        started = time.monotonic()
        heard = raw(secured, head + b"\r\n" + body + b"\r\n\r\n")
        assert heard.startswith(b"HTTP/1.1 %d " % status), heard
        assert b"connection: close" in heard and b"access-control-allow-origin" in heard
        assert time.monotonic() - started < 5  # a body would have ten seconds


def test_a_body_behind_its_own_token_is_read(secured):
    right = {"authorization": "Bearer secreto", "expect": "100-continue"}
    assert ask(secured, "/", {"inputs": "a"}, **right).status == 200


def test_mangled_requests_never_break_the_server(url):
    chance = random.Random(7)
    body = json.dumps({"texts": [TEXT, "Sí"], "second": None}).encode()
    good = (
        b"POST /predict/tag HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
        b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
    )

    def mangled(data, many):
        made = bytearray(data)
        for _ in range(many):
            at = chance.randrange(len(made))
            what = chance.random()
            if what < 0.5:
                made[at] = chance.randrange(256)
            elif what < 0.75:
                del made[at : at + chance.randrange(1, 9)]
            else:
                made[at:at] = chance.choice(
                    [b"\0", b"\\ud800", b"[[", b"1e999", b"\xff", b'"', b"{"]
                )
        return bytes(made)

    cases = [mangled(body, 1 + n % 4) for n in range(400)]
    requests = [
        good.replace(b"%d" % len(body), b"%d" % len(case)) + case for case in cases
    ] + [mangled(good, 1 + n % 4) + body for n in range(200)]  # fmt: skip
    with ThreadPoolExecutor(60) as pool:
        heard = list(pool.map(lambda sent: raw(url, sent), requests))
    statuses = [int(h.split(b" ", 2)[1]) for h in heard if h]
    assert len(statuses) == len(requests) and set(statuses) <= {200, *range(400, 432)}
    assert {200, 400, 422} <= set(statuses)
    assert not any(b"Traceback" in h or b"/ligero/" in h for h in heard)
    assert ask(url, "/predict/tag", {"text": "a"}).status == 200


def test_what_is_nested_deeply_is_refused(url):
    for depth in range(900, 1000, 4):
        nested = b"[" * depth + b"]" * depth
        body = b'{"inputs": "a", "parameters": {"top_k": %s, "ignore_labels": 1}}' % nested
        assert ask(url, "/models/classify", body).status in (400, 422)
        body = b'{"inputs": "a", "parameters": {"top_k": %s}}' % nested
        assert ask(url, "/models/classify", body).status in (400, 422)


def test_names_of_models(exports, tmp_path):
    tag = exports["tag"]
    assert set(models.table([tag, f"otra={tag}"])) == {"tag", "otra"}
    for given, said in (
        ([tag, tag], "two models named tag"),
        ([f"a/b={tag}"], "the name 'a/b'"),
        ([tmp_path], "no exported model"),
        ([f"x={tmp_path}/nada"], "no such folder"),
        ([], "no folder"),
    ):
        with pytest.raises(InputError, match=said):
            models.table(given)


def test_settings_out_of_range_are_refused():
    for settings in ({"port": 70_000}, {"workers": 0}, {"queue": 0}, {"nada": 1}):
        with pytest.raises(InputError):
            config.build(config.ServeConfig, settings)
