"""The server under load and under attack: workers that die or hang, queues that are full, the end."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ligero.serve import serving
from served import TEXT, alive, ask, eventually, workers

BODY = {"text": TEXT}


@pytest.fixture(scope="module")
def served(exports):
    with serving(
        [exports["tag"], exports["parse"]], threads=1, queue=8, timeout_ms=5000, worker_seconds=2
    ) as server:
        ask(server.url, "/predict/tag", BODY)
        yield server


@pytest.fixture
def stopped(served):
    """The server's only worker, which does nothing until it is told to go on."""
    (worker,) = workers(served.process.pid)
    os.kill(worker, signal.SIGSTOP)
    yield worker
    if alive(worker):
        os.kill(worker, signal.SIGCONT)
    eventually(lambda: ask(served.url, "/predict/tag", BODY).status == 200)


def figure(url, name):
    lines = ask(url, "/metrics").body.decode().splitlines()
    return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def waiting(url, count):
    eventually(lambda: figure(url, 'ligero_queue_length{model="tag"}') == count, 2)


def test_work_that_is_late_is_dropped(served, stopped):
    with ThreadPoolExecutor(3) as pool:
        # The first is in the worker's hands, the others in the queue.
        sent = [
            pool.submit(ask, served.url, "/predict/tag", BODY, x_timeout_ms="300") for _ in "abc"
        ]
        waiting(served.url, 2)
        replies = [one.result() for one in sent]
    assert [r.status for r in replies] == [504] * 3
    assert all(0.25 < r.seconds < 1 for r in replies)
    assert figure(served.url, 'ligero_queue_length{model="tag"}') == 0


def test_a_full_queue_says_when_to_come_again(served, stopped):
    with ThreadPoolExecutor(9) as pool:
        sent = [pool.submit(ask, served.url, "/predict/tag", BODY) for _ in range(9)]
        waiting(served.url, 8)
        refused = [ask(served.url, "/predict/tag", BODY) for _ in range(30)]
        # Other models have queues of their own; a request goes in whole or not at all.
        assert ask(served.url, "/predict/parse", BODY, x_timeout_ms="50").status == 504
        os.kill(stopped, signal.SIGCONT)
        assert [one.result().status for one in sent] == [200] * 9
    assert {r.status for r in refused} == {429}
    assert all(int(r.headers["retry-after"]) >= 1 and r.json["error"] for r in refused)
    assert sorted(r.seconds for r in refused)[27] < 0.05
    assert ask(served.url, "/predict/tag", {"texts": ["a"] * 9}).status == 422


def test_who_hangs_up_waits_no_longer(served, stopped):
    def begun():
        return figure(served.url, "ligero_batch_texts_count")

    before = begun()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, served.url, "/predict/tag", BODY)
        eventually(lambda: begun() > before)
        with socket.create_connection(("127.0.0.1", int(served.url.rsplit(":", 1)[1]))) as line:
            line.sendall(
                b"POST /predict/tag HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
                b'content-length: 13\r\n\r\n{"text": "a"}'
            )
            waiting(served.url, 1)
        waiting(served.url, 0)
        os.kill(stopped, signal.SIGCONT)
        assert first.result().status == 200


def test_a_killed_worker_is_replaced(served, stopped):
    restarts = figure(served.url, "ligero_worker_restarts_total")
    with ThreadPoolExecutor(3) as pool:
        sent = [pool.submit(ask, served.url, "/predict/tag", BODY) for _ in range(3)]
        waiting(served.url, 2)
        os.kill(stopped, signal.SIGKILL)
        killed = time.monotonic()
        replies = [one.result() for one in sent]
    # Whose text it held is told at once; the others are read by the next one.
    assert sorted(r.status for r in replies) == [200, 200, 503]
    assert time.monotonic() - killed < 5
    failed = next(r for r in replies if r.status == 503)
    assert "retry-after" in failed.headers and "ended" in failed.json["error"]
    assert figure(served.url, "ligero_worker_restarts_total") == restarts + 1
    assert not alive(stopped) and len(workers(served.process.pid)) == 1


def test_a_worker_that_hangs_is_replaced(served, stopped):
    reply = ask(served.url, "/predict/tag", BODY)
    assert reply.status == 503 and 1.5 < reply.seconds < 4
    eventually(lambda: not alive(stopped))
    assert ask(served.url, "/predict/tag", BODY).status == 200


def test_others_go_on_when_one_worker_is_killed(exports):
    with serving([exports["tag"]], workers=2, threads=1) as served:
        wanted = ask(served.url, "/predict/tag", BODY).json["found"]
        with ThreadPoolExecutor(8) as pool:
            sent = [pool.submit(ask, served.url, "/predict/tag", BODY) for _ in range(100)]
            os.kill(workers(served.process.pid)[0], signal.SIGKILL)
            replies = [one.result() for one in sent]
        good = [r for r in replies if r.status == 200]
        assert {r.status for r in replies} <= {200, 503} and len(good) >= 84
        assert all(
            [f["label"] for f in r.json["found"]] == [f["label"] for f in wanted] for r in good
        )
        eventually(lambda: figure(served.url, "ligero_workers") == 2)


def test_the_end_waits_for_what_is_queued(exports):
    with serving([exports["tag"]], threads=1) as served:
        (worker,) = workers(served.process.pid)
        os.kill(worker, signal.SIGSTOP)
        with ThreadPoolExecutor(4) as pool:
            sent = [pool.submit(ask, served.url, "/predict/tag", BODY) for _ in range(4)]
            waiting(served.url, 3)
            served.process.terminate()
            eventually(lambda: ask(served.url, "/ready").status == 503, 2)
            late = ask(served.url, "/predict/tag", BODY)
            assert late.status == 503 and late.headers["connection"] == "close"
            assert ask(served.url, "/health").status == 200
            os.kill(worker, signal.SIGCONT)
            assert [one.result().status for one in sent] == [200] * 4
        assert served.process.wait(5) == 0
        eventually(lambda: not alive(worker))


def test_a_second_signal_ends_it_at_once(exports):
    with serving([exports["tag"]], threads=1) as served:
        (worker,) = workers(served.process.pid)
        os.kill(worker, signal.SIGSTOP)
        with ThreadPoolExecutor(3) as pool:
            sent = [pool.submit(ask, served.url, "/predict/tag", BODY) for _ in range(3)]
            waiting(served.url, 2)
            served.process.terminate()
            eventually(lambda: ask(served.url, "/ready").status == 503, 2)
            served.process.terminate()
            assert [one.result().status for one in sent] == [503] * 3
        assert served.process.wait(4) == 0 and not alive(worker)


def test_no_worker_outlives_the_server(exports):
    with serving([exports["tag"]], workers=2, threads=1) as served:
        theirs = workers(served.process.pid)
        assert len(theirs) == 2 and all(map(alive, theirs))
        served.process.kill()
        eventually(lambda: not any(map(alive, theirs)), 3)


def test_a_worker_that_cannot_start_ends_the_server(exports, tmp_path):
    folder = tmp_path / "tag"
    shutil.copytree(exports["tag"], folder)
    words = [sys.executable, "-m", "ligero", "serve", str(folder), "--port", "0"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout and server.stderr
        next(line for line in server.stdout if line.startswith("ready"))
        (folder / "tokenizer.json").write_text("{}")
        os.kill(workers(server.pid)[0], signal.SIGKILL)
        assert server.wait(20) == 1
        said = server.stderr.read()
    assert said.count("\n") == 1 and "no worker could start, 3 times" in said
    assert "tokenizer.json" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["./nada"], "nada"),
        (["sin/nada"], "no such folder"),
        (["FOLDER", "FOLDER"], "two models named tag"),
        (["FOLDER", "--default", "otro"], "--default 'otro'"),
        (["FOLDER", "--token-file", "nada"], "nada: no readable token"),
        (["FOLDER", "--workers", "0"], "workers"),
        (["FOLDER", "--host", "192.0.2.1"], "192.0.2.1"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(exports, words, said, capsys, monkeypatch):
    from ligero import cli

    monkeypatch.chdir(exports["tag"].parent.parent)
    given = [str(exports["tag"]) if word == "FOLDER" else word for word in words]
    assert cli.main(["serve", *given, "--port", "0"]) in (1, 2)
    assert said in capsys.readouterr().err


def test_a_port_that_is_taken(exports, served, capsys):
    from ligero import cli

    port = served.url.rsplit(":", 1)[1]
    assert cli.main(["serve", str(exports["tag"]), "--port", port]) == 1
    assert f"127.0.0.1:{port}" in capsys.readouterr().err


def test_the_log_holds_no_texts(exports, capfd):
    settings = {"log": True, "batch_wait_ms": 40}
    with serving([exports["tag"]], threads=1, **settings) as served:
        replies = [ask(served.url, "/predict/tag", BODY) for _ in range(2)]
        ask(served.url, "/predict/nada?text=Nieves", {"text": "Nieves"})
    # A batch that is not full is kept open.
    assert all(r.status == 200 and r.seconds > 0.04 for r in replies)
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 3 and "POST '/predict/tag' 200" in lines[0] and " 404 " in lines[2]
    assert not any("Nieves" in line for line in lines)
