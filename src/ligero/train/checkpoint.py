"""Where a training run stands: weights, optimiser and position, in safetensors and JSON.

`step-N` is the state after N steps, with the log so far; `best-N` the weights that scored best.
Each is published whole with checksums (`runs.publish`). A damaged one is said to be so and the one
before it is used; as order and chance are functions of the step, the run then comes to the same end.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import copyfile, rmtree
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from ligero.errors import DamagedError
from ligero.runs import LOG, publish, read_json, verify, write_json

KEPT = 2
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


@dataclass
class Position:
    """How far a run has come.

    step: steps of the optimiser done. best: name of the folder with the best weights.
    score: what those scored, higher is better. metrics: all they were measured by. stale:
    evaluations since. log_bytes: size of metrics.jsonl. tokens: sub-words seen. seconds: time spent.
    """

    step: int = 0
    best: str | None = None
    score: float = float("-inf")
    metrics: dict[str, float] | None = None
    stale: int = 0
    log_bytes: int = 0
    tokens: int = 0
    seconds: float = 0.0
    stopped: bool = False


def save(
    folder: Path, position: Position, model: torch.nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    """Publish `step-N` under `folder` and drop what no kept checkpoint needs."""
    parameters = dict(model.named_parameters())
    with publish(folder / f"step-{position.step:08d}") as place:
        save_weights(model, place)
        moments = {
            f"{name}.{moment}": optimizer.state[p][moment].detach()
            for name, p in parameters.items()
            if p in optimizer.state
            for moment in _MOMENTS
        }
        save_file(moments, place / "optimizer.safetensors")
        write_json(place / "position.json", asdict(position))
        if (folder.parent / LOG).exists():
            copyfile(folder.parent / LOG, place / LOG)
    _prune(folder)


def best_name(step: int) -> str:
    """What the folder of the best weights is called when those are a step's."""
    return f"best-{step:08d}"


def save_best(folder: Path, step: int, model: torch.nn.Module) -> None:
    """Publish the weights as `best-N`."""
    with publish(folder / best_name(step)) as place:
        save_weights(model, place)


def resume(
    folder: Path,
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    say: Callable[[str], None],
    *,
    mend: bool = True,
) -> Position:
    """Load the newest whole checkpoint; its position, or the very beginning where there is none.

    mend: remove what is damaged or no longer needed, which one process does for all.
    """
    for path in _steps(folder):
        try:
            verify(path)
            position = Position(**read_json(path / "position.json"))
            if position.best is not None:
                verify(folder / position.best)
        except DamagedError as error:
            say(f"checkpoint {path.name} is damaged and not used ({error})")
            # It would count among the newest ones, which are kept, until the run has caught up.
            rmtree(path)
            continue
        load_weights(path, model)
        moments = load_file(path / "optimizer.safetensors")
        for name, p in model.named_parameters():
            if f"{name}.step" in moments:
                optimizer.state[p] = {m: moments[f"{name}.{m}"].to(p.device) for m in _MOMENTS}
        if not mend:
            return position
        # A kill may have come in the middle of this, too.
        _prune(folder)
        if (path / LOG).exists():
            # The log outside grows from line to line, so nothing vouches for it there.
            copyfile(path / LOG, folder.parent / LOG)
        say(f"continuing after step {position.step}")
        return position
    return Position()


def load_weights(folder: Path, model: torch.nn.Module) -> None:
    """Put the weights of a checkpoint into `model`, to the bit."""
    weights: dict[str, Any] = load_file(folder / "model.safetensors")
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(weights[name])


def save_weights(model: torch.nn.Module, place: Path) -> None:
    """Write `model.safetensors` into a folder that is being published."""
    # named_parameters names a tied weight once, so it is stored once.
    weights = {name: p.detach().contiguous() for name, p in model.named_parameters()}
    save_file(weights, place / "model.safetensors")


def _steps(folder: Path) -> list[Path]:
    """Checkpoints, the newest first."""
    return sorted(folder.glob("step-*"), reverse=True) if folder.is_dir() else []


def _prune(folder: Path) -> None:
    kept = _steps(folder)[:KEPT]
    needed = set()
    for path in kept:
        try:
            needed.add(read_json(path / "position.json")["best"])
        except (DamagedError, KeyError, TypeError):
            continue
    for path in _steps(folder)[KEPT:]:
        rmtree(path)
    for path in folder.glob("best-*"):
        if path.name not in needed:
            rmtree(path)
