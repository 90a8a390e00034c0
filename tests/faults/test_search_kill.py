"""A search killed at random, again and again, ends as if nothing had happened."""

import json
import random
import signal

import pytest

import small

KILLS = 10


def recipe(folder, data, way):
    """Six trials of some twelve steps."""
    tried = {
        "grid": '"fit.learning_rate" = [1e-3, 2e-3, 4e-3]\n"fit.batch_size" = [8, 16]\n',
        "adaptive": '"fit.learning_rate" = { low = 1e-4, high = 1e-2, log = true }\n',
    }[way]
    files = "\n".join(f'{name} = "{data / name}.conll"' for name in ("train", "dev", "test"))
    path = folder / f"{way}.toml"
    path.write_text(
        f'model = "{small.STUDENT}"\n[data]\n{files}\n[vocab]\nsize = 300\n'
        "[fit]\nepochs = 2\nbatch_size = 8\ncheckpoint_seconds = 0\n"
        f'[search]\nway = "{way}"\ntrials = 6\n[search.over]\n{tried}',
        encoding="utf-8",
    )
    return path


def told(out):
    """All that a search came to and that does not tell the time."""
    found = json.loads((out / "results.json").read_text())
    for one in found["outcomes"]:
        del one["seconds"]
        for split in ("dev", "test"):
            one[split].pop("seconds_per_1000", None)
    for group in found["groups"]:
        del group["seconds"]
    return found["groups"], found["outcomes"]


@pytest.mark.parametrize("way", ["grid", "adaptive"])
def test_a_search_killed_ten_times_ends_the_same(forks, data, tmp_path, way):
    path = recipe(tmp_path, data, way)
    log = tmp_path / "log"
    calm, torn = tmp_path / "calm", tmp_path / "torn"
    assert forks.run(["search", str(path), "--out", str(calm)], log) == 0, log.read_text()
    rng = random.Random(0)
    kills = 0
    while True:
        # A touch of any file of the search: between trials, within one, or as an outcome is written.
        how = {"dies": (str(torn), rng.randint(5, 350))} if kills < KILLS else {}
        code = forks.run(["search", str(path), "--out", str(torn)], log, **how)
        if code == 0:
            break
        assert code == -signal.SIGKILL, log.read_text()
        kills += 1
    assert kills == KILLS
    assert told(torn) == told(calm)
    assert small.left(torn) == small.left(calm)
    assert not list((torn / "outcomes").glob(".*.tmp"))
