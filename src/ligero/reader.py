"""A model that has learned a task, opened: exported, or as it was trained."""

from pathlib import Path

from ligero import flags
from ligero.runtime import released
from ligero.runtime.card import is_exported
from ligero.tasks.kinds import OWN
from ligero.tasks.scoring import Reader


def open_reader(name: str, decoding: str = OWN) -> Reader:
    """An exported folder or a model that comes with ligero, which need no torch; else a run, a folder
    with a model, or a hub id.

    decoding: how a sentence's tags are chosen, "auto", "independent" or "valid" (`config.FitConfig`);
    "own": as the model was trained to.

    Raises as `runtime.Predictor` and `train.trained.load`, and LigeroError, which says what to
    install, where a model in torch is asked for without it.
    """
    if released.is_name(name) or is_exported(Path(name)):
        from ligero.runtime import Predictor

        return Predictor(name, decoding=decoding)
    flags.need(flags.TRAINING, "train")
    from ligero.train.trained import load

    return load(name, decoding=decoding)
