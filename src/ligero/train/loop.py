"""THE loop: accumulate, clip, step, log, evaluate, save. It never asks what it is training."""

import contextlib
import ctypes
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch

from ligero.config import FitConfig
from ligero.errors import DivergedError
from ligero.runs import CHECKPOINTS, LOG, Log, NoLog, sweep
from ligero.train import checkpoint, optim, order, precision, ranks
from ligero.train.checkpoint import Position
from ligero.train.order import Ids
from ligero.train.progress import Progress

Watch = Callable[[str], None]


class LossSum(NamedTuple):
    """A loss as a sum and the weight to divide it by.

    As sums add up, micro-batches, bucketed batches and ranks do not change the gradient.
    """

    total: torch.Tensor
    weight: float


class Objective(Protocol):
    """What is learned. Pre-training, fine-tuning and distillation differ only here.

    rows, widths: [size], windows and longest window of each example, by which batches are cut.
    metric: the name, in what `evaluate` returns, of the figure that selects (higher is better).
    """

    size: int
    rows: Ids
    widths: Ids
    metric: str

    def enter(self, epoch: int) -> None:
        """An epoch is gone into, at its start or where a run goes on in it: what is its own, rows and
        widths too, is made ready. The size stays."""

    def batch(self, ids: Ids, epoch: int) -> Any:
        """The examples `ids`; whatever is drawn for them follows from seed, epoch and example.

        Its `tokens` says how many sub-words it has.
        """

    def loss(self, model: torch.nn.Module, batch: Any) -> LossSum:
        """The summed loss of a batch and its weight."""

    def evaluate(self, model: torch.nn.Module) -> dict[str, float]:
        """Metrics on validation data, with "loss" among them."""

    def names(self, ids: Ids) -> Sequence[str]:
        """What a person calls these examples."""


def prepare(threads: int | None = None) -> None:
    """Make torch deterministic, set its threads, and begin with the memory that is in use."""
    # cuBLAS is reproducible only with a fixed workspace, which it reads from here.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    # Deterministic mode would otherwise fill every new tensor with NaN before it is written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if threads:
        torch.set_num_threads(threads)
    _keep_memory()


def _keep_memory() -> None:
    """Let the C library keep freed memory instead of giving it back to the system.

    Every step needs the same large pieces again; having each cleared anew by the system took a
    seventh of a small model's step. The library's own limits, 128 KiB and twice that, are for
    programs that do not know what they will need.
    """
    trim, largest_of_heap = -1, -3
    with contextlib.suppress(OSError, AttributeError):  # not the GNU library
        library = ctypes.CDLL("libc.so.6")
        library.mallopt(largest_of_heap, 1 << 30)
        library.mallopt(trim, (1 << 31) - 1)
        # Of what an earlier training in this process has freed little fits this one: kept, too, it would
        # grow from one to the next.
        library.malloc_trim(0)


def fit(
    model: torch.nn.Module,
    objective: Objective,
    *,
    config: FitConfig,
    peak: float,
    seed: int,
    folder: Path,
    progress: Progress,
    watch: Watch = lambda metric: None,
) -> Position:
    """Train `model` in place; on return it holds the weights that scored best.

    peak: highest learning rate. folder: the run's; `checkpoints/` and `metrics.jsonl` are kept
    there, and a run that was interrupted continues from them to the same weights, to the bit.
    watch: is told the selecting metric's name whenever an evaluation stands in the log; what it
    raises ends the training.
    DivergedError when a loss or gradient is not finite; the last checkpoint stays as it was.
    """
    saved = folder / CHECKPOINTS
    device = next(model.parameters()).device.type
    if config.precision == "bf16" and not precision.has_bf16(device):
        progress.note(
            "bf16 is very slow on this processor, which has to imitate it; fp32 or auto is not"
        )
    # Of several processes the first writes; the others read what it has mended.
    first = ranks.rank() == 0
    optimizer = optim.create(model, config)
    if first:
        saved.mkdir(parents=True, exist_ok=True)
        sweep(saved)
        at = checkpoint.resume(saved, model, optimizer, progress.note)
    ranks.wait()
    if not first:
        at = checkpoint.resume(saved, model, optimizer, progress.note, mend=False)
    per_epoch = order.steps(objective.size, config.batch_size)
    total = config.steps or config.epochs * per_epoch
    every = config.evaluate_steps or per_epoch
    log = Log(folder / LOG, keep=at.log_bytes) if first else NoLog()
    last_saved = time.monotonic()
    batches: list[Ids] = []
    with progress.training(total, at) as bar:
        while at.step < total and not at.stopped:
            began = time.monotonic()
            epoch, place = divmod(at.step, per_epoch)
            if not batches or place == 0:
                objective.enter(epoch)
                lengths = objective.widths * objective.rows if config.bucketed else objective.widths
                batches = order.batches(
                    seed, epoch, lengths, config.batch_size, bucketed=config.bucketed
                )
            rate = partial(
                optim.rate, at.step, total=total, warmup=config.warmup, schedule=config.schedule
            )
            lr = rate(peak=peak)
            for group in optimizer.param_groups:
                group["lr"] = rate(peak=group.get("peak", peak))
            torch.manual_seed(order.key("dropout", seed, at.step, *ranks.tag()))
            loss, norm, tokens = step(
                model, objective, optimizer, batches[place], config, epoch=epoch, number=at.step + 1
            )
            at.step += 1
            at.tokens += tokens
            at.seconds += time.monotonic() - began
            log.write(step=at.step, loss=loss, norm=norm, lr=lr, tokens=at.tokens)
            bar.step(at.step, loss, tokens)
            ends = at.step == total or at.step % every == 0
            if ends:
                began = time.monotonic()
                _evaluate(model, objective, config, at, saved, log)
                at.seconds += time.monotonic() - began
                bar.evaluated(at, objective.metric)
                watch(objective.metric)
            if first and (ends or time.monotonic() - last_saved >= config.checkpoint_seconds):
                at.log_bytes = log.size
                checkpoint.save(saved, at, model, optimizer)
                last_saved = time.monotonic()
        if at.best is None:
            # No step was asked for: what there is at the start is the best there is.
            _evaluate(model, objective, config, at, saved, log)
    log.close()
    ranks.wait()
    assert at.best is not None
    checkpoint.load_weights(saved / at.best, model)
    ranks.wait()
    return at


def step(
    model: torch.nn.Module,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    ids: Ids,
    config: FitConfig,
    *,
    epoch: int,
    number: int,
) -> tuple[float, float, int]:
    """One step of the optimiser: mean loss, norm of the gradient before clipping, sub-words seen."""
    total, tokens = gradient(model, objective, ids, config, epoch=epoch, number=number)
    norm = float(torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip))
    if not norm < float("inf"):
        raise _diverged("gradient", number, objective.names(ids))
    optimizer.step()
    return total, norm, tokens


def gradient(
    model: torch.nn.Module,
    objective: Objective,
    ids: Ids,
    config: FitConfig,
    *,
    epoch: int = 0,
    number: int = 0,
) -> tuple[float, int]:
    """Leave the gradient of the mean loss over `ids` in the parameters; that loss, and sub-words.

    However the examples are cut into micro-batches, the sum is divided once, by the whole weight.
    """
    device = next(model.parameters()).device
    model.train()
    model.zero_grad(set_to_none=True)
    total = weight = 0.0
    tokens = 0
    pieces = order.micro_batches(
        ids,
        objective.rows,
        objective.widths,
        most_tokens=config.batch_tokens,
        parts=config.accumulation * ranks.count(),
    )
    for part in ranks.share(pieces):
        batch = objective.batch(part, epoch)
        with precision.autocast(config.precision, device):
            loss = objective.loss(model, batch)
        value = float(loss.total.detach())
        if not abs(value) < float("inf"):
            raise _diverged("loss", number, objective.names(part))
        loss.total.backward()
        total += value
        weight += loss.weight
        tokens += batch.tokens
    parameters = [p for p in model.parameters() if p.requires_grad]
    total, weight, seen = ranks.add_up(parameters, (total, weight, tokens))
    tokens = int(seen)
    for p in parameters:
        if p.grad is not None:
            p.grad.div_(max(weight, 1.0))
    return total / max(weight, 1.0), tokens


def _evaluate(
    model: torch.nn.Module,
    objective: Objective,
    config: FitConfig,
    at: Position,
    saved: Path,
    log: Log | NoLog,
) -> None:
    metrics = objective.evaluate(model)
    score = -metrics["loss"] if config.select == "loss" else metrics[objective.metric]
    log.write(step=at.step, evaluation=metrics)
    # The first evaluation counts even when its score is not a number: there must be a best one.
    if at.best is None or score > at.score or config.select == "last":
        at.best = checkpoint.best_name(at.step)
        if ranks.rank() == 0:
            checkpoint.save_best(saved, at.step, model)
        at.score, at.metrics, at.stale = score, metrics, 0
    else:
        at.stale += 1
    at.stopped = bool(config.patience) and at.stale >= config.patience


def _diverged(what: str, step: int, names: Sequence[str]) -> DivergedError:
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return DivergedError(
        f"the {what} stopped being finite at step {step}, examples {shown}; "
        "a third of the learning rate, or a longer warm-up, usually helps"
    )
