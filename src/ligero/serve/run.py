"""One server, from its folders to its end."""

import asyncio
import contextlib
import importlib
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ligero.config import ServeConfig
from ligero.errors import InputError, LigeroError, excerpt
from ligero.report import tables
from ligero.serve.app import PROBES, App
from ligero.serve.http import Limits, Listener
from ligero.serve.metrics import Metrics
from ligero.serve.models import Model, table
from ligero.serve.page import report
from ligero.serve.pool import Pool
from ligero.serve.waiting import Waiting

TOKEN = "LIGERO_TOKEN"
# Seconds for what is queued when the server is told to end, and then for answers on their way.
DRAINING, GOODBYE = 7.0, 0.5
# How often to look whether all is done, in seconds.
LOOK = 0.02


def run(folders: Sequence[str | Path], config: ServeConfig) -> None:
    """Serve until a signal; raises as `models.table` and `report.read`, and LigeroError where nothing
    can be served."""
    models = table(folders)
    if config.default and config.default not in models:
        raise InputError(f"--default {excerpt(config.default)}", expected=", ".join(models))
    token = _token(config.token_file)
    shown = report.read(config.report) if config.report else report.NOTHING
    listening = _listen(config.host, config.port)
    with listening, asyncio.Runner(loop_factory=_loops()) as runner:
        runner.run(_serve(models, config, token, shown, listening))


async def _serve(
    models: dict[str, Model], config: ServeConfig, token: str | None, shown: Mapping[str, Any],
    listening: socket.socket,
) -> None:  # fmt: skip
    metrics, stop = Metrics(list(models)), asyncio.Event()
    pool = Pool(
        models, Waiting(list(models), config.queue, config.batch, config.wait_ms / 1000), metrics,
        workers=config.workers,
        threads=config.threads or max(1, (os.cpu_count() or 1) // config.workers),
        warm=config.warm, seconds=config.worker_seconds, wait=config.batch_wait_ms / 1000,
        give_up=stop.set,
    )  # fmt: skip
    app = App(models, pool, metrics, config, token, shown)
    limits = Limits(config.connections, config.max_body, config.read_seconds, config.idle_seconds)
    listener = Listener(
        app, limits, lambda status: metrics.requests.update([("", status)]),
        reads=app.reads, urgent=PROBES,
    )  # fmt: skip
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(listener.connection, sock=listening, backlog=1024)
    try:
        await pool.start()
        told = asyncio.create_task(_tell(models, pool, listening))
        await stop.wait()
        told.cancel()
        app.draining = True
        if pool.failed:
            raise pool.failed
        stop.clear()  # a second signal ends it at once
        await _until(lambda: stop.is_set() or not pool.busy, DRAINING)
    finally:
        server.close()
        listener.close()
        await pool.close()
        await _until(lambda: not listener.connections, GOODBYE)


async def _tell(models: dict[str, Model], pool: Pool, listening: socket.socket) -> None:
    """Print what is served, once it is."""
    while pool.ready < pool.count:
        await asyncio.sleep(LOOK)
    host, port = listening.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    rows = [
        [name, m.card.kind, m.card.precision, f"{m.card.bytes / 1e6:.1f}", f"{url}/models/{name}"]
        for name, m in models.items()
    ]
    tables.show(tables.terminal(["model", "kind", "precision", "MB", "address"], rows))
    print(f"page: {url}/ (to try the models in a browser; {url}/docs says how to ask)")
    print(f"ready: {url} (process {os.getpid()})", flush=True)


async def _until(done: Callable[[], bool], seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not done():
                await asyncio.sleep(LOOK)


def _loops() -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes event loops: uvloop's are faster, where it is installed."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ModuleNotFoundError:
        return asyncio.new_event_loop
    made: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return made


def _listen(host: str, port: int) -> socket.socket:
    """A socket at an address; LigeroError where it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise LigeroError(f"{host}:{port}: {error.strerror or error}") from None
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError as error:
        made.close()
        raise LigeroError(f"{host}:{port}: {error.strerror or error}") from None
    return made


def _token(file: str | None) -> str | None:
    """The token that clients must bring: a file's content, or the environment's."""
    if file is None:
        token = os.environ.get(TOKEN)
    else:
        try:
            token = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise InputError(f"no readable token ({error})", file=file) from None
    if token is None:
        return None
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(
            "a token that is empty or no plain ASCII", file=file or f"${TOKEN}",
            expected="one word, such as openssl rand -hex 32 gives",
        )  # fmt: skip
    return token
