"""Many jobs: each done once, in folders that appear whole; what dies is done again, what fails is said."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from ligero import jobs, runs
from ligero.errors import InputError, LigeroError

# -- Jobs, by the names under which workers find them.


def square(folder: Path, number: int, log: str) -> None:
    with Path(log).open("a") as file:
        file.write(f"{number}\n")
    (folder / "square.json").write_text(json.dumps(number**2))


def die_once(folder: Path, mark: str) -> None:
    """Die of SIGKILL the first time, as one does whose memory is used up."""
    if not Path(mark).exists():
        Path(mark).write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    (folder / "done").write_text("")


def die(folder: Path, log: str) -> None:
    with Path(log).open("a") as file:
        file.write("died\n")
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(folder: Path) -> None:
    raise InputError("a riddle", file="a.txt", line=3, expected="text")


def stumble(folder: Path) -> None:
    raise ZeroDivisionError("a defect")


def threads(folder: Path) -> None:
    (folder / "threads").write_text(os.environ["POLARS_MAX_THREADS"])


def work_long(folder: Path, started: str) -> None:
    Path(started).write_text(str(os.getpid()))
    time.sleep(60)


def named(function, folder, **arguments):
    return jobs.Job(folder, f"test_jobs:{function.__name__}", arguments)


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Workers find the functions of this file."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


@pytest.mark.parametrize("workers", [1, 3])
def test_every_job_is_done_once_and_repeating_does_only_what_is_missing(tmp_path, workers):
    log = tmp_path / "log"

    def squares():
        return [named(square, tmp_path / str(n), number=n, log=str(log)) for n in range(7)]

    with jobs.Workers(workers) as crew:
        crew.run(squares(), "squares")
        crew.run(squares(), "squares")  # all are there
    assert sorted(map(int, log.read_text().split())) == list(range(7))
    for number in range(7):
        assert json.loads((tmp_path / str(number) / "square.json").read_text()) == number**2
        runs.verify(tmp_path / str(number))
    (tmp_path / "4" / runs.MANIFEST).unlink()
    jobs.run(squares(), workers)
    assert sorted(map(int, log.read_text().split())) == [0, 1, 2, 3, 4, 4, 5, 6]


def test_jobs_are_made_only_a_few_ahead_of_the_workers(tmp_path):
    ahead = []

    def source():
        for number in range(12):
            done = len([p for p in tmp_path.glob("[0-9]*") if runs.is_published(p)])
            ahead.append(number - done)
            yield named(square, tmp_path / str(number), number=number, log=str(tmp_path / "log"))

    jobs.run(source(), 2)
    assert len(ahead) == 12
    assert max(ahead) <= 4, "two under way and two ahead"


def test_a_job_whose_worker_died_is_said_and_done_again(tmp_path):
    said = []
    work = [
        named(die_once, tmp_path / "dies", mark=str(tmp_path / "mark")),
        *(named(square, tmp_path / str(n), number=n, log=str(tmp_path / "log")) for n in range(4)),
    ]
    jobs.run(work, 2, said.append)
    assert said == ["dies: its worker died (SIGKILL); done again"]
    assert all(runs.is_published(job.folder) for job in work)


def test_a_job_that_kills_every_worker_is_given_up_and_the_others_are_finished(tmp_path):
    log, said = tmp_path / "deaths", []
    work = [
        named(die, tmp_path / "dies", log=str(log)),
        *(named(square, tmp_path / str(n), number=n, log=str(tmp_path / "log")) for n in range(6)),
    ]
    with pytest.raises(
        LigeroError, match=rf"dies: its worker died {jobs.ATTEMPTS} times \(SIGKILL\)"
    ):
        jobs.run(work, 2, said.append)
    assert log.read_text().split() == ["died"] * jobs.ATTEMPTS
    assert all(runs.is_published(job.folder) for job in work[1:])
    assert not runs.is_published(tmp_path / "dies")


@pytest.mark.parametrize("workers", [1, 2])
def test_after_a_failure_the_others_are_finished_and_the_first_one_is_raised(tmp_path, workers):
    said = []
    work = [
        named(square, tmp_path / "0", number=0, log=str(tmp_path / "log")),
        named(refuse, tmp_path / "refuses"),
        named(stumble, tmp_path / "stumbles"),
        named(square, tmp_path / "1", number=1, log=str(tmp_path / "log")),
    ]
    with pytest.raises(InputError) as caught:
        jobs.run(work, workers, said.append)
    assert str(caught.value) == "a.txt:3: found a riddle; expected text"
    assert (caught.value.file, caught.value.line) == ("a.txt", 3)
    assert said == ["jobs: 2 failed; this is the first"]
    assert runs.is_published(tmp_path / "0") and runs.is_published(tmp_path / "1")
    assert not (tmp_path / "refuses").exists()
    assert not list(tmp_path.glob(".*.tmp"))


def test_a_defect_comes_with_the_workers_traceback(tmp_path):
    with pytest.raises(RuntimeError, match=r"(?s)in stumble.*ZeroDivisionError: a defect"):
        jobs.run([named(stumble, tmp_path / "stumbles")] * 2, 2)


def test_workers_share_out_the_cores(tmp_path, monkeypatch):
    for name in jobs.THREADS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(jobs, "cores", lambda: 6)
    jobs.run([named(threads, tmp_path / str(n)) for n in range(3)], 3)
    assert {(tmp_path / str(n) / "threads").read_text() for n in range(3)} == {"2"}
    assert "POLARS_MAX_THREADS" not in os.environ


def test_no_workers_are_refused():
    with pytest.raises(InputError, match="0 workers"):
        jobs.Workers(0)


def test_workers_end_when_the_first_process_is_killed(tmp_path):
    started = [tmp_path / "one", tmp_path / "two"]
    code = (
        "from pathlib import Path\nfrom ligero import jobs\n"
        "if __name__ == '__main__':\n"
        f"    jobs.run([jobs.Job(Path({str(tmp_path)!r}) / str(n), 'test_jobs:work_long',"
        f" {{'started': s}}) for n, s in enumerate({[str(s) for s in started]!r})], 2)\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    process = subprocess.Popen([sys.executable, str(script)])
    try:
        wait_for(lambda: all(s.exists() and s.read_text() for s in started))
    finally:
        process.kill()
        process.wait()
    workers = [int(s.read_text()) for s in started]
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def wait_for(what, seconds=30.0):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


# -- Work that grows in its folder


def grow(folder: Path, stumbles: bool, leaves: bool = True) -> None:
    """Count its beginnings in its folder, and stop once half-way."""
    folder.mkdir(exist_ok=True)
    with (folder / "begun").open("a") as file:
        file.write("x")
    if stumbles and (folder / "begun").read_text() == "x":
        raise InputError("half of it")
    if leaves:
        runs.write_manifest(folder)


@pytest.mark.parametrize("workers", [1, 2])
def test_work_that_grows_goes_on_in_its_folder(tmp_path, workers):
    name = f"test_jobs:{grow.__name__}"
    work = [jobs.Job(tmp_path / n, name, {"stumbles": n == "a"}, grows=True) for n in "ab"]
    with pytest.raises(InputError, match="half of it"):
        jobs.run(work, workers)
    assert not runs.is_published(tmp_path / "a") and runs.is_published(tmp_path / "b")
    jobs.run(work, workers)
    assert {n: (tmp_path / n / "begun").read_text() for n in "ab"} == {"a": "xx", "b": "x"}
    runs.verify(tmp_path / "a")


def test_work_that_grows_must_leave_its_manifest(tmp_path):
    work = jobs.Job(
        tmp_path / "a", "test_jobs:grow", {"stumbles": False, "leaves": False}, grows=True
    )
    with pytest.raises(RuntimeError, match=r"test_jobs:grow returned and left no manifest\.json"):
        jobs.run([work], 1)


# -- Jobs that are chosen by what came of others


@pytest.mark.parametrize("workers", [1, 2])
def test_a_job_is_read_only_when_a_worker_is_free_for_it(tmp_path, workers):
    ended, waiting = [], []

    def source():
        for number in range(8):
            waiting.append(number - len(ended))
            yield named(square, tmp_path / str(number), number=number, log=str(tmp_path / "log"))

    with jobs.Workers(workers) as crew:
        crew.run(source(), eager=False, finished=lambda job, error: ended.append(job.folder.name))
    assert sorted(ended) == list("01234567")
    assert max(waiting) == workers - 1


@pytest.mark.parametrize("workers", [1, 2])
def test_each_job_that_ends_is_told_once_those_done_before_too(tmp_path, workers):
    ended = []
    work = [
        named(square, tmp_path / "0", number=0, log=str(tmp_path / "log")),
        named(refuse, tmp_path / "refuses"),
        named(square, tmp_path / "1", number=1, log=str(tmp_path / "log")),
    ]
    work[0].do()
    with jobs.Workers(workers, print) as crew, pytest.raises(InputError):
        crew.run(work, finished=lambda job, error: ended.append((job.folder.name, type(error))))
    none = type(None)
    assert sorted(ended, key=str) == [("0", none), ("1", none), ("refuses", InputError)]


def test_quiet_shows_no_bar(tmp_path):
    shown = {}
    for quiet in (False, True):
        screen = Console(file=io.StringIO(), force_terminal=True, width=100)
        job = named(square, tmp_path / str(quiet), number=0, log=str(tmp_path / "log"))
        jobs.Workers(1, console=screen).run([job], "squares", quiet=quiet)
        shown[quiet] = screen.file.getvalue()
    assert "squares" in shown[False] and shown[True] == ""
