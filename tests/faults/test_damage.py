"""A damaged file is noticed by its checksum, said, and never used."""

import shutil
from pathlib import Path

import pytest

import small
from ligero.errors import DamagedError
from ligero.runs import publish, verify


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


DAMAGES = {"one bit": _flip, "half": _truncate, "empty": _empty, "gone": Path.unlink}
damages = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())

CHECKPOINT = [
    "manifest.json", "metrics.jsonl", "model.safetensors", "optimizer.safetensors", "position.json"
]  # fmt: skip


@pytest.fixture(scope="module")
def fine(forks, data, tmp_path_factory):
    """What an undisturbed fine-tuning leaves."""
    out = tmp_path_factory.mktemp("fine") / "out"
    assert forks.run(small.finetune(data, out), out.with_suffix(".log")) == 0
    return small.left(out)


@pytest.fixture(scope="module")
def broken_off(forks, data, tmp_path_factory):
    """A fine-tuning killed while it saved step 12 of 18: steps 10 and 11 are there."""
    out = tmp_path_factory.mktemp("broken-off") / "out"
    code = forks.run(small.finetune(data, out), out.with_suffix(".log"), dies=("step-00000012", 4))
    assert code == -9
    steps = sorted(path.name for path in (out / "checkpoints").glob("step-*"))
    assert steps == ["step-00000010", "step-00000011"]
    assert {path.name for path in (out / "checkpoints" / steps[1]).iterdir()} == set(CHECKPOINT)
    return out


@pytest.fixture
def continued(forks, data, broken_off, fine, tmp_path):
    """Continues the broken-off run after something was done to it; what it said."""

    def go_on(harm):
        out, log = tmp_path / "out", tmp_path / "log"
        shutil.copytree(broken_off, out)
        harm(out)
        assert forks.run(small.finetune(data, out), log) == 0, log.read_text()
        assert small.left(out) == fine
        return log.read_text()

    return go_on


def test_a_whole_checkpoint_is_continued(continued):
    said = continued(lambda out: None)
    assert "continuing after step 11" in said and "damaged" not in said


@damages
@pytest.mark.parametrize("file", CHECKPOINT)
def test_of_a_damaged_checkpoint_the_one_before_is_used(continued, file, damage):
    said = continued(lambda out: damage(out / "checkpoints" / "step-00000011" / file))
    assert "checkpoint step-00000011 is damaged and not used" in said
    assert "continuing after step 10" in said


@damages
def test_damaged_best_weights_are_not_kept(continued, damage):
    # Step 6 ended an epoch; step 12 did too, but was killed before a checkpoint named its weights.
    best = Path("checkpoints", "best-00000006", "model.safetensors")
    said = continued(lambda out: damage(out / best))
    assert said.count("is damaged and not used") == 2 and str(best) in said
    assert "continuing" not in said


def test_without_a_whole_checkpoint_the_run_begins_anew(continued):
    def harm(out):
        for step in (out / "checkpoints").glob("step-*"):
            _flip(step / "position.json")

    said = continued(harm)
    assert said.count("is damaged and not used") == 2
    assert "continuing" not in said


def test_a_run_begun_anew_keeps_its_new_checkpoints(forks, data, continued, tmp_path):
    def harm(out):
        for step in (out / "checkpoints").glob("step-*"):
            _empty(step / "position.json")
        killed = forks.run(small.finetune(data, out), tmp_path / "first", dies=("step-00000008", 4))
        assert killed == -9 and "is damaged" in (tmp_path / "first").read_text()

    # The damaged ones bear higher numbers than those that the new beginning made.
    assert "continuing after step 7" in continued(harm)


@damages
def test_a_damaged_log_is_taken_from_the_checkpoint(continued, damage):
    assert "continuing after step 11" in continued(lambda out: damage(out / "metrics.jsonl"))


@damages
@pytest.mark.parametrize("file", ["scores.safetensors", "manifest.json"])
def test_damaged_teacher_outputs_are_computed_again(forks, data, calm, tmp_path, file, damage):
    said = _student_again(forks, data, calm, tmp_path, file, damage)
    if (file, damage) != ("manifest.json", Path.unlink):
        assert "damaged" in said
    assert "0 from the cache" in said


def test_whole_teacher_outputs_are_used(forks, data, calm, tmp_path):
    said = _student_again(forks, data, calm, tmp_path, "manifest.json", lambda path: None)
    assert ", 0 computed" in said


def _student_again(forks, data, calm, place, file, damage):
    """Train the last student of a finished road again, over damaged teacher outputs; what was said."""
    shutil.copytree(calm.out, place / "out")
    shutil.copytree(calm.cache, place / "cache")
    shutil.rmtree(place / "out" / "student")
    (place / "out" / "manifest.json").unlink()
    (shard,) = (place / "cache").rglob("shard-*")
    damage(shard / file)
    code = forks.run(small.compress(data, place / "out", place / "cache"), place / "log")
    said = (place / "log").read_text()
    assert code == 0, said
    assert small.left(place) == small.left(calm.place)
    return said


FINISHED = [
    "student/model/model.safetensors", "student/model/manifest.json", "student/manifest.json",
    "student-alone/model/config.json", "teacher/model/tokenizer.json", "teacher/metrics.jsonl",
    "teacher/results.json", "vocab/tokenizer.json", "README.md", "manifest.json",
]  # fmt: skip


@pytest.mark.parametrize("file", FINISHED)
@pytest.mark.parametrize("damage", [_flip, _empty], ids=["one bit", "empty"])
def test_a_finished_road_that_was_damaged_is_repaired(forks, data, calm, tmp_path, file, damage):
    out, log = tmp_path / "out", tmp_path / "log"
    shutil.copytree(calm.place, tmp_path, dirs_exist_ok=True)
    log.unlink()
    damage(out / file)
    again = small.compress(data, out, tmp_path / "cache")
    assert forks.run(again, log) == 0, log.read_text()
    assert "finished before, but damaged since" in log.read_text()
    assert small.left(tmp_path) == small.left(calm.place)
    for folder in (out, *(path.parent for path in out.glob("*/manifest.json"))):
        verify(folder)
    log.unlink()
    assert forks.run(again, log) == 0 and "damaged" not in log.read_text()


@damages
@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "ligero.json"])
def test_a_damaged_model_gives_no_result(forks, data, calm, tmp_path, file, damage):
    out, log = tmp_path / "out", tmp_path / "log"
    shutil.copytree(calm.out, out)
    damage(out / "student" / "model" / file)
    for arguments in (
        ["predict", str(out), "Ana García vive en Perú ."],
        ["evaluate", str(out), str(data / "test.conll")],
        small.finetune(data, tmp_path / "other", model=str(out)),
    ):
        log.unlink(missing_ok=True)
        assert forks.run(arguments, log) == 1
        (line,) = log.read_text().splitlines()
        assert line.startswith("ligero: ") and file in line
    assert not (tmp_path / "other").exists()


def test_no_flipped_bit_of_a_manifest_is_more_than_a_damage(tmp_path):
    folder = tmp_path / "folder"
    with publish(folder, made_from="x") as inside:
        (inside / "a.txt").write_text("a")
        (inside / "b.txt").write_text("bb")
    manifest = folder / "manifest.json"
    whole = manifest.read_bytes()
    unseen = 0
    for place in range(len(whole)):
        content = bytearray(whole)
        content[place] ^= 1 << place % 8
        manifest.write_bytes(content)
        try:
            assert verify(folder)["files"].keys() == {"a.txt", "b.txt"}
            unseen += 1
        except DamagedError:
            pass
    # White space, and facts beside the files, which whoever reads them compares.
    assert unseen < len(whole) / 2
