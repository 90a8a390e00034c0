"""Runs of ligero that start at once: a process that has imported everything forks for each.

Importing torch and transformers takes seconds, and a test that kills a run thirty times cannot wait
for them thirty times. The server itself computes nothing, so there is no thread to lose in a fork.
"""

import importlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


class Forks:
    """`with Forks() as forks`: one run at a time, each in a process of its own."""

    def __enter__(self):
        single = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
        environment = {**os.environ, **single, "TOKENIZERS_PARALLELISM": "false"}
        self._server = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
            env=environment,
        )  # fmt: skip
        assert self._server.stdout.readline() == b"ready\n"
        return self

    def __exit__(self, *_):
        self._server.stdin.close()
        self._server.wait(60)

    def start(
        self,
        arguments: Sequence[str],
        log: Path,
        *,
        dies: tuple[str, int] | None = None,
        largest: int | None = None,
    ) -> int:
        """Begin `ligero ARGUMENTS`; its process id. Its output is appended to `log`.

        dies: (text, n) kills it with SIGKILL right before it touches for the n-th time a file or
        folder with this text in its name. largest: bytes that a file may have; writing more fails
        as on a disk that is full.
        """
        job = {"arguments": list(arguments), "log": str(log), "dies": dies, "largest": largest}
        self._server.stdin.write(json.dumps(job).encode() + b"\n")
        return int(self._server.stdout.readline())

    def ended(self, seconds: float = 0.0) -> bool:
        """Whether the run has ended; waits so long for it."""
        return bool(select.select([self._server.stdout], [], [], seconds)[0])

    def code(self) -> int:
        """Wait for the end of the run; its exit code, or minus the signal that ended it."""
        return int(self._server.stdout.readline())

    def run(self, arguments: Sequence[str], log: Path, **how) -> int:
        """Begin a run and wait for it; its exit code."""
        self.start(arguments, log, **how)
        return self.code()


def _serve() -> None:
    import small

    models = "transformers.models"
    for name in (
        "ligero.compress",
        "ligero.pretrain.stage",
        f"{models}.bert.modeling_bert",
        f"{models}.modernbert.modeling_modernbert",
    ):
        importlib.import_module(name)
    small.register()
    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _child(**json.loads(line))
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _child(
    arguments: list[str], log: str, dies: tuple[str, int] | None, largest: int | None
) -> None:
    code = 70
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        if largest is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
        if dies is not None:
            _die_at(*dies)
        from ligero import cli

        code = cli.main(arguments)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _die_at(text: str, times: int) -> None:
    touches = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.scandir"}
    seen = 0

    def watch(event: str, arguments: tuple) -> None:
        nonlocal seen
        if event in touches and text in str(arguments):
            seen += 1
            if seen == times:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


if __name__ == "__main__":
    _serve()
