"""Figures of a running server, in Prometheus' text format (version 0.0.4)."""

import bisect
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

KIND = "text/plain; version=0.0.4; charset=utf-8"
# Upper ends, in seconds and in texts.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
TEXTS = (1, 2, 4, 8, 16, 32, 64)


class Histogram:
    """How many values lay at or below each of some ends."""

    def __init__(self, ends: Sequence[float]) -> None:
        self.ends, self.counts, self.sum = ends, [0] * (len(ends) + 1), 0.0

    def add(self, value: float) -> None:
        """Count one."""
        self.counts[bisect.bisect_left(self.ends, value)] += 1
        self.sum += value

    def lines(self, name: str, model: str) -> Iterator[str]:
        """Its samples; buckets are cumulative."""
        total = 0
        for end, count in zip((*map(str, self.ends), "+Inf"), self.counts, strict=True):
            total += count
            yield f'{name}_bucket{{model="{model}",le="{end}"}} {total}'
        yield f'{name}_sum{{model="{model}"}} {self.sum:.9g}'
        yield f'{name}_count{{model="{model}"}} {total}'


class Metrics:
    """requests: of (model, status), the model "" where none was meant. restarts: of workers."""

    def __init__(self, models: Sequence[str]) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.seconds = {name: Histogram(SECONDS) for name in models}
        self.batches = {name: Histogram(TEXTS) for name in models}
        self.restarts = 0

    def text(self, queues: Mapping[str, int], workers: int) -> str:
        """All of it. queues: texts that wait for each model. workers: that are ready."""
        lines = _head("ligero_requests_total", "counter", "Requests answered.")
        lines += [
            f'ligero_requests_total{{model="{model}",status="{status}"}} {count}'
            for (model, status), count in sorted(self.requests.items())
        ]
        lines += _head(
            "ligero_request_seconds", "histogram", "Seconds to an answer with status 200."
        )
        for model, histogram in self.seconds.items():
            lines += histogram.lines("ligero_request_seconds", model)
        lines += _head("ligero_queue_length", "gauge", "Texts that wait for a worker.")
        lines += [f'ligero_queue_length{{model="{m}"}} {size}' for m, size in queues.items()]
        lines += _head("ligero_batch_texts", "histogram", "Texts read in one batch.")
        for model, histogram in self.batches.items():
            lines += histogram.lines("ligero_batch_texts", model)
        lines += _head("ligero_workers", "gauge", "Workers that are ready.")
        lines.append(f"ligero_workers {workers}")
        lines += _head("ligero_worker_restarts_total", "counter", "Workers started again.")
        lines.append(f"ligero_worker_restarts_total {self.restarts}")
        return "\n".join(lines) + "\n"


def _head(name: str, kind: str, about: str) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
