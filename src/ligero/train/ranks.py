"""Several processes of one run, started by torchrun: each takes a share of every step's batch.

A run does not depend on how many there are: batches, order and the schedule are those of one
process, the shares' gradients are summed, and every process takes the same step. So a run begun on
two may go on on one, or on four.
"""

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

from ligero.errors import LigeroError

T = TypeVar("T")

# A process that is gone is noticed at once, one that hangs after this.
PATIENCE = timedelta(minutes=10)


def rank() -> int:
    """This process's number, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def count() -> int:
    """How many processes the run has."""
    return dist.get_world_size() if dist.is_initialized() else 1


def tag() -> tuple[int, ...]:
    """What distinguishes this process's draws from the first one's: nothing, for the first."""
    return (rank(),) if rank() else ()


@contextlib.contextmanager
def joined() -> Iterator[None]:
    """Join the processes that torchrun started, if it did, and part at the end.

    LigeroError where another process ends before its time.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        yield
        return
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        dist.init_process_group("nccl" if cuda else "gloo", timeout=PATIENCE)
        yield
        # After an error the others may be gone, and this would wait for them.
        dist.destroy_process_group()
    except (RuntimeError, dist.DistError) as error:
        if not _is_about_others(error):
            raise
        raise _alone(_first_line(error)) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(*_: object) -> None:
    """torchrun has seen a process end before this one did, and stops the rest."""
    raise _alone("stopped by torchrun")


def _alone(told: str) -> LigeroError:
    return LigeroError(
        f"another of the run's {os.environ['WORLD_SIZE']} processes ended ({told}); "
        "the same command continues from the last checkpoint, on any number of processes"
    )


def share(pieces: Sequence[T]) -> Sequence[T]:
    """This process's part of a step's pieces: every count-th, beginning with its own number."""
    return pieces[rank() :: count()]


def add_up(parameters: Sequence[torch.nn.Parameter], figures: Sequence[float]) -> list[float]:
    """Sum gradients in place, and figures, over all processes; the figures' sums.

    A parameter without a gradient here counts as zero: another process may have one.
    """
    if count() == 1:
        return list(figures)
    for p in parameters:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
    grads = [p.grad for p in parameters if p.grad is not None]
    # One message, not one for each of a hundred tensors.
    flat = torch.cat([g.reshape(-1) for g in grads])
    dist.all_reduce(flat)
    for g, part in zip(grads, flat.split([g.numel() for g in grads]), strict=True):
        g.copy_(part.view_as(g))
    sums = torch.tensor(list(figures), dtype=torch.float64, device=flat.device)
    dist.all_reduce(sums)
    return sums.tolist()


def told(answer: bool) -> bool:
    """The first process's answer, in every process."""
    if count() == 1:
        return answer
    said = torch.tensor([int(answer)])
    said = said.cuda() if torch.cuda.is_available() else said
    dist.broadcast(said, 0)
    return bool(said.item())


def wait() -> None:
    """Wait until every process is here."""
    if count() > 1:
        dist.barrier()


def _is_about_others(error: BaseException) -> bool:
    text = str(error).lower()
    return isinstance(error, dist.DistError) or any(
        word in text for word in ("connection", "gloo", "nccl", "peer", "timed out", "socket")
    )


def _first_line(error: BaseException) -> str:
    text = next(iter(str(error).splitlines()), type(error).__name__)
    return text if len(text) <= 100 else text[:97] + "…"
