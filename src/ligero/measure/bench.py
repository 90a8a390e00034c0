"""Models beside each other: what they cost, how long they take, what memory they need."""

import datetime
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.progress import Progress

from ligero import machine
from ligero.bars import bars
from ligero.errors import InputError
from ligero.measure import candidates, cost, latency, memory
from ligero.measure.candidates import Candidate, Opened

PACKAGES = ("ligero", "numpy", "torch", "transformers", "openvino", "onnxruntime")


@dataclass(frozen=True)
class Settings:
    """How models are measured.

    lengths: of the texts, sub-words. batch: texts of one call. threads: of the processor. rounds:
    that count; of the papers' protocol as many measures, 100 at most. attentions: of models that
    transformers runs. device: "cpu" or "cuda". memory: whether memory is measured too.

    Raises InputError for what cannot be measured.
    """

    lengths: tuple[int, ...] = (32, 128, 512)
    batch: int = 1
    threads: int = 2
    rounds: int = 100
    attentions: tuple[str, ...] = ("sdpa",)
    device: str = "cpu"
    memory: bool = False

    def __post_init__(self) -> None:
        for name in ("batch", "threads", "rounds"):
            if getattr(self, name) < 1:
                raise InputError(f"--{name} {getattr(self, name)}", expected="1 or more")
        if not self.lengths or min(self.lengths) < 1:
            lengths = ",".join(map(str, self.lengths))
            raise InputError(
                f"--lengths {lengths}", expected="lengths of 1 or more, such as 32,128"
            )
        for name, given, known in (
            ("attention", self.attentions, candidates.ATTENTIONS),
            ("device", (self.device,), candidates.DEVICES),
        ):
            if not given or set(given) - set(known):
                raise InputError(f"--{name} {','.join(given)}", expected=" or ".join(known))


def costs(names: Sequence[str], settings: Settings) -> dict[str, Any]:
    """What models cost, as JSON, without running them: see `cost_of`. Raises as `bench` does."""
    chosen = _chosen(names, settings, fetch=False)
    length = max(settings.lengths)
    return {"length": length, "models": [cost_of(c, length) for c in chosen]}


def bench(
    names: Sequence[str], settings: Settings, say: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Models measured beside BETO, as JSON.

    date; machine, with the load before and after; settings; reference: its label; length: at which
    models: cost (see `cost_of`); latency: length -> label -> `latency.summary`, `seconds` of each
    round (None where the reference sat one out), `speedup` over the reference with low and high,
    `papers`: `latency.alone`; memory: label -> `memory.taken` at the greatest length, or None.

    say: is told what goes on. Raises InputError for an unknown model, a folder that is none, and
    lengths beyond a model's.
    """
    chosen = _chosen(names, settings, fetch=True)
    length = max(settings.lengths)
    load = [os.getloadavg()[0]]
    ready = {}
    for candidate in chosen:
        say(f"loading {candidate.label}")
        ready[candidate.label] = candidate.open(settings.threads, settings.device)
    taken = {
        str(n): _timed(ready, n, settings, reference=chosen[0].label) for n in settings.lengths
    }
    found: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "machine": _machine(settings),
        "settings": asdict(settings),
        "reference": chosen[0].label,
        "length": length,
        "models": [cost_of(c, length) for c in chosen],
        "latency": taken,
        "memory": None,
    }
    if settings.memory:
        found["memory"] = {}
        for candidate in chosen:
            say(f"memory of {candidate.label}, in a process of its own")
            found["memory"][candidate.label] = memory.taken(
                candidate, length=length, batch=settings.batch, threads=settings.threads,
                device=settings.device,
            )  # fmt: skip
    found["machine"]["load"] = [round(one, 2) for one in (*load, os.getloadavg()[0])]
    return found


def cost_of(candidate: Candidate, length: int) -> dict[str, Any]:
    """What a candidate costs, as JSON.

    label, name, how, family, precision; parameters: of the encoder, as stored; effective: with
    those of tied layers as often as they are applied; bytes: of its files, or of its weights where
    there are none; macs, papers_macs: of one text at a length, in either convention.
    """
    s = candidate.shape
    return {
        "label": candidate.label,
        "name": candidate.name,
        "how": candidate.how,
        "family": s.family,
        "precision": candidate.precision,
        "parameters": cost.encoder_parameters(s),
        "effective": cost.effective_parameters(s),
        "bytes": candidate.bytes,
        "macs": cost.macs(s, length),
        "papers_macs": cost.papers_macs(s, length),
    }


def _chosen(names: Sequence[str], settings: Settings, *, fetch: bool) -> list[Candidate]:
    """The reference first, then all that was asked for, each once."""
    found = {c.label: c for c in (candidates.reference(),)}
    for name in names:
        for candidate in candidates.find(name, settings.attentions, fetch=fetch):
            found.setdefault(candidate.label, candidate)
    for candidate in found.values():
        if max(settings.lengths) > candidate.longest:
            raise InputError(
                f"a length of {max(settings.lengths)} for {candidate.name}",
                expected=f"at most its {candidate.longest} sub-words (--lengths)",
            )
    return list(found.values())


def _timed(
    ready: dict[str, Opened], length: int, settings: Settings, *, reference: str
) -> dict[str, Any]:
    """What `bench` gives of one length."""
    calls = {label: opened(length, settings.batch) for label, opened in ready.items()}
    warmup = min(latency.WARMUP, settings.rounds)
    measures = min(latency.MEASURES, settings.rounds)
    with bars(Console(stderr=True)) as progress:
        seconds = latency.in_turn(
            calls, rounds=settings.rounds, warmup=warmup, reference=reference,
            after=_ticks(progress, f"length {length}", settings.rounds + warmup),
        )  # fmt: skip
        tick = _ticks(progress, f"length {length}, papers'", len(calls))
        papers = {}
        for label, call in calls.items():
            papers[label] = latency.alone(call, measures=measures)
            tick()
    return {
        label: {
            **latency.summary(took, settings.batch),
            "speedup": asdict(latency.ratio(seconds[reference], took)),
            "papers": papers[label],
            "seconds": [None if one != one else round(float(one), 7) for one in took],
        }
        for label, took in seconds.items()
    }


def _ticks(progress: Progress, what: str, total: int) -> Callable[[], None]:
    task = progress.add_task(what, total=total)
    return lambda: progress.advance(task)


def _machine(settings: Settings) -> dict[str, Any]:
    facts = machine.facts(
        PACKAGES, threads=settings.threads, device=candidates.device_name(settings.device)
    )
    return facts | {"processor": machine.processor()}
