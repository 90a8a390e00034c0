"""A worker: a process that holds every model and reads texts for the server, one batch at a time.

`python -m ligero.serve.worker DESCRIPTOR`: the socket to the server. It is told the folders first,
and answers {"ready": process id} or {"failed": message}; then each {"model", "texts", "seconds"} is
answered by lists, for each text in order what was found in it, or a message that says why it cannot be
read: one list of all texts, or one for each.
"""

import itertools
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from ligero.errors import InputError, LigeroError
from ligero.runtime import Predictor
from ligero.serve import wire

# Windows that are read before the server hears of it, and so the most that a text may have. A text of
# 50,000 characters has some 35, of 512 sub-words; a pair that is all marks, each with each, thousands,
# with which a worker would be busy for minutes.
WINDOWS = 256


def main(descriptor: int) -> None:
    """Answer until the server is gone."""
    # A terminal's Ctrl-C goes to all processes: the server decides when its workers end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    connection = socket.socket(fileno=descriptor)
    threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
    order = wire.receive(connection)
    if order is None:
        return
    try:
        predictors = {
            name: Predictor(folder, threads=order["threads"], windows=WINDOWS)
            for name, folder in order["folders"].items()
        }
        for predictor in predictors.values():
            if order["warm"]:
                _compile(predictor, order["batch"])
    except LigeroError as error:
        connection.sendall(wire.pack({"failed": str(error)}))
        return
    connection.sendall(wire.pack({"ready": os.getpid()}))
    while (batch := wire.receive(connection)) is not None:
        for found in read(predictors[batch["model"]], batch["texts"], batch["seconds"]):
            connection.sendall(wire.pack(found))


def read(predictor: Predictor, texts: list[str], seconds: list[str | None]) -> Iterator[list[Any]]:
    """What is found in each text, or the message of its error: all in one list, or, where they cannot be
    read together, each in its own as soon as it is known."""
    others: Any = seconds if any(second is not None for second in seconds) else None
    try:
        found: list[Any] = list(predictor(texts, others))
    except InputError as error:
        if len(texts) == 1:
            yield [str(error)]
            return
    else:
        yield found
        return
    for text, second in zip(texts, seconds, strict=True):
        yield from read(predictor, [text], [second])


def _compile(predictor: Predictor, batch: int) -> None:
    """Meet every length, alone and in batches, before the first request does."""
    engine = predictor.engine
    for width, rows in itertools.product(engine.buckets, sorted({1, min(4, batch), batch})):
        zeros = np.zeros((rows, width), dtype=np.int64)
        engine.run(
            {name: zeros + 1 if name == "attention_mask" else zeros for name in engine.inputs}
        )


def _end_with(connection: socket.socket) -> None:
    """End this process when the other side of its socket is gone, though a batch be in work."""
    watch = select.poll()
    # No event is asked for: that the other side hung up is told unasked, and nothing else is.
    watch.register(connection, 0)
    watch.poll()
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
