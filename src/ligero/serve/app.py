"""Requests to answers: who may ask, what an address means, and what goes wrong in one line."""

import asyncio
import hmac
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ligero.config import ServeConfig
from ligero.errors import InputError
from ligero.serve import forms, openapi, page
from ligero.serve import metrics as figures
from ligero.serve.messages import RefusedError, Request, Response, as_json, refusal
from ligero.serve.metrics import Metrics
from ligero.serve.models import Model
from ligero.serve.pool import Pool
from ligero.serve.waiting import Ask

# By which a client lowers the deadline of one request, in milliseconds.
TIMEOUT = "x-timeout-ms"
# What tells that the server lives and can be asked. To refuse them is to have it started again.
PROBES = ("/health", "/ready")
Form = Callable[[Mapping[str, Any], str], forms.Wanted]


@dataclass(frozen=True)
class Offer:
    """What one method of one address does. model: whose it is, "" where it is nobody's.

    public: whether it needs no token. reads: whether it takes a body, of JSON.
    """

    answer: Callable[[Request], Awaitable[Response]]
    model: str = ""
    public: bool = False
    reads: bool = False


class App:
    """The answer to every request. Raises nothing; whatever goes wrong is an answer too.

    report: what the page's second view draws (`page.report`).
    """

    def __init__(
        self, models: dict[str, Model], pool: Pool, metrics: Metrics, config: ServeConfig,
        token: str | None, report: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self.models, self.pool, self.metrics, self.config = models, pool, metrics, config
        self.draining = False
        self._token = token.encode() if token else None
        default = config.default or (next(iter(models)) if len(models) == 1 else None)
        self._openapi = openapi.document(models, default, secured=bool(token))
        self._docs = openapi.page(self._openapi).encode()
        self._offers = self._table(default, page.document(report))

    async def __call__(self, request: Request) -> Response:
        """Answer, count, and log where that is asked for (never a text)."""
        offer = self._offer(request)
        try:
            self._check(offer, request)
            response = await offer.answer(request)
        except RefusedError as error:
            response = refusal(error, close=self.draining)
        except asyncio.CancelledError:
            raise  # the client is gone
        except Exception:
            # A defect of ligero: whoever runs the server sees it all, the client nothing of it.
            traceback.print_exc(file=sys.stderr)
            response = refusal(RefusedError(500, "an error of the server's own"))
        if self.config.cors:
            origin = {"access-control-allow-origin": self.config.cors, "vary": "origin"}
            response = replace(response, headers={**origin, **response.headers})
        seconds = time.perf_counter() - request.since
        self.metrics.requests[offer.model, response.status] += 1
        if offer.model and response.status == 200:
            self.metrics.seconds[offer.model].add(seconds)
        if self.config.log:
            words = [time.strftime("%Y-%m-%dT%H:%M:%S"), request.method, repr(request.path[:100])]
            print(*words, response.status, f"{1000 * seconds:.1f} ms", file=sys.stderr, flush=True)
        return response

    def reads(self, request: Request) -> bool:
        """Whether a request's answer hangs on its body: if not, nobody needs to wait for that."""
        offer = self._offer(request)
        try:
            self._check(offer, request)
        except RefusedError:
            return False
        return offer.reads

    def _offer(self, request: Request) -> Offer:
        offers = self._offers.get(request.path, {})
        return offers.get(request.method, Offer(partial(self._none, offers)))

    def _check(self, offer: Offer, request: Request) -> None:
        """RefusedError for what the head of a request says already."""
        if not offer.public:
            self._authorise(request)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if offer.reads and kind != "application/json":
            raise RefusedError(415, "found no JSON; expected content-type: application/json")

    def _table(self, default: str | None, report: page.File) -> dict[str, dict[str, Offer]]:
        """Address -> method -> what it does. No request reaches anything that is not here."""
        facts = {
            "models": self._models, "metrics": self._metrics, "openapi.json": self._document,
            "docs": self._page, "report.json": report.answer,
        }  # fmt: skip
        offers = {f"/{name}": Offer(answer) for name, answer in facts.items()}
        # The page can ask for a token only where it is there without one; it knows of no model. Who
        # looks whether a server is ready, such as Kubernetes, has no token either.
        public = {"/health": self._health, "/ready": self._ready} | {
            address: file.answer for address, file in page.files().items()
        }
        offers |= {address: Offer(answer, public=True) for address, answer in public.items()}
        table = {address: {"GET": offer, "HEAD": offer} for address, offer in offers.items()}
        table["/"]["POST"] = Offer(self._nobody)
        for name, model in self.models.items():
            known = Offer(partial(self._facts, model))
            theirs = Offer(
                partial(self._predict, model, forms.hugging_face, False), name, reads=True
            )
            ours = Offer(partial(self._predict, model, forms.own, True), name, reads=True)
            table[f"/models/{name}"] = {"GET": known, "HEAD": known, "POST": theirs}
            table[f"/predict/{name}"] = {"POST": ours}
            if name == default:
                table["/"]["POST"] = theirs
                table["/predict"] = {"POST": ours}
        return table

    async def _none(self, offers: Mapping[str, Offer], request: Request) -> Response:
        if request.method == "OPTIONS" and self.config.cors:
            allowed = {
                "access-control-allow-methods": "GET, POST",
                "access-control-allow-headers": f"authorization, content-type, {TIMEOUT}",
                "access-control-max-age": "600",
            }
            return Response(204, b"", headers=allowed)
        if offers:
            allow = {"allow": ", ".join(offers)}
            raise RefusedError(405, f"{request.method} is not for this address", allow)
        if request.path.startswith(("/models/", "/predict")):
            await self._nobody(request)
        raise RefusedError(404, "nothing has this address; see /docs")

    async def _nobody(self, request: Request) -> Response:
        known = ", ".join(self.models)
        raise RefusedError(404, f"no model has this address; known: {known}")

    async def _health(self, request: Request) -> Response:
        return as_json({"status": "alive"})

    async def _ready(self, request: Request) -> Response:
        if self.draining or not self.pool.ready:
            why = "ending" if self.draining else "loading"
            raise RefusedError(503, why, {"retry-after": "1"})
        return as_json({"status": "ready"})

    async def _models(self, request: Request) -> Response:
        return as_json({"models": [model.facts for model in self.models.values()]})

    async def _facts(self, model: Model, request: Request) -> Response:
        return as_json(model.facts)

    async def _metrics(self, request: Request) -> Response:
        queues = {name: line.size for name, line in self.pool.waiting.lines.items()}
        text = self.metrics.text(queues, self.pool.ready)
        return Response(200, text.encode(), figures.KIND)

    async def _document(self, request: Request) -> Response:
        return as_json(self._openapi)

    async def _page(self, request: Request) -> Response:
        policy = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return Response(200, self._docs, "text/html; charset=utf-8", policy)

    def _authorise(self, request: Request) -> None:
        if self._token is None or (request.method == "OPTIONS" and self.config.cors):
            return  # a browser asks by OPTIONS what it may, before it sends a token
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode("latin-1"), self._token)
        if scheme.lower() != "bearer" or not right:
            raise RefusedError(401, "no token, or a wrong one", {"www-authenticate": "Bearer"})

    async def _predict(self, model: Model, form: Form, timed: bool, request: Request) -> Response:
        if self.draining:
            raise RefusedError(503, "the server is ending", {"retry-after": "5"})
        # Before the body is parsed: to say no must cost little when there is too much to do.
        self.pool.waiting.check(model.name)
        deadline = asyncio.get_running_loop().time() + self._timeout(request)
        try:
            wanted = form(forms.parse(request.body), model.card.kind)
            most = min(self.config.max_texts, self.config.queue)
            if len(wanted.texts) > most:
                raise InputError(f"{len(wanted.texts):,} texts", expected=f"at most {most:,}")
            model.check(wanted.texts, self.config.max_characters)
        except InputError as error:
            raise RefusedError(422, str(error)) from None
        found = []
        if wanted.texts:
            found = await self.pool.ask(Ask(model.name, wanted.texts, deadline))
        shown = wanted.shown(found)
        if timed:
            milliseconds = round(1000 * (time.perf_counter() - request.since), 3)
            return as_json({"model": model.name, "found": shown, "milliseconds": milliseconds})
        return as_json(shown)

    def _timeout(self, request: Request) -> float:
        """Seconds that a request may take: the server's, or fewer where the client says so."""
        most, given = self.config.timeout_ms, request.headers.get(TIMEOUT)
        if given is None:
            return most / 1000
        if not (given.isascii() and given.isdecimal() and len(given) < 10 and int(given)):
            raise RefusedError(422, f"found {TIMEOUT} that is no number; expected milliseconds")
        return min(most, int(given)) / 1000
