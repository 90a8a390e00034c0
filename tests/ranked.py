"""One of a run's processes: `python -m torch.distributed.run ranked.py SETTINGS`.

SETTINGS is JSON: those of a pre-training, and what this process is to do beside it.
    step: a file to which the gradients of one step are written first, by the last process.
    dies: [number, step]: the process with this number kills itself before this step.
"""

import json
import os
import signal
import sys

import numpy as np
import torch
from safetensors.torch import save_file

import small
from ligero import config as settings
from ligero.config import PretrainConfig
from ligero.errors import LigeroError
from ligero.models.reference import resolve
from ligero.pretrain import stage
from ligero.train import loop, ranks


def main(values: dict, step: str | None = None, dies: list | None = None) -> None:
    config = settings.build(PretrainConfig, values)
    if dies is not None and int(os.environ["RANK"]) == dies[0]:
        _die_before(dies[1])
    with ranks.joined():
        if step is not None:
            gradients(config, step)
        stage.pretrain(config)


def gradients(config: PretrainConfig, file: str) -> None:
    text = stage.open_text(config)
    loop.prepare(1)
    model, _ = stage.ready(config, resolve(config.model), text)
    objective = stage.objective_of(config, config.phase, text)
    fit = stage.fit_config(config, config.phase)
    loss, tokens = loop.gradient(model, objective, np.arange(7), fit)
    gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    if ranks.rank() == ranks.count() - 1:
        told = {"loss": torch.tensor(loss), "tokens": torch.tensor(tokens)}
        save_file({**gradients, **{f"told.{n}": v for n, v in told.items()}}, file)
    ranks.wait()


def _die_before(number: int) -> None:
    take = loop.step

    def step(*arguments, **named):
        if named["number"] == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return take(*arguments, **named)

    loop.step = step


if __name__ == "__main__":
    small.register()
    try:
        main(**json.loads(sys.argv[1]))
    except LigeroError as error:
        # As the command line does.
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
