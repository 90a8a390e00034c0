"""A whole pre-training: what it leaves, what it accepts, and what it refuses."""

import json
import shutil
import socket

import numpy as np
import pytest
import torch
import transformers

import small
import small_text
from ligero import config as settings
from ligero import vocab
from ligero.config import PretrainConfig
from ligero.corpus.shards import Shards
from ligero.errors import DamagedError, InputError
from ligero.models import build, catalog
from ligero.pretrain import stage

pytestmark = pytest.mark.usefixtures("one_thread")

FIRST, SECOND = 12 * 4 * 24, 7 * 3 * 32  # sub-words that the two phases see


@pytest.fixture(scope="module", autouse=True)
def models():
    """The small models, known to every test here."""
    with small.known():
        yield


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return small_text.make(tmp_path_factory.mktemp("stage"), 40, size=300)


def run(text, out, **changes):
    values = small_text.settings(text, out, **changes)
    return stage.pretrain(settings.build(PretrainConfig, values))


@pytest.fixture(scope="module")
def calm(text, tmp_path_factory, models):
    """A finished run and its results. Not to be changed: copy it."""
    out = tmp_path_factory.mktemp("calm") / "out"
    return out, run(text, out)


def half_written(folder):
    return [path for path in folder.rglob(".*") if path.name.endswith(".tmp")]


def test_results_say_what_was_done(calm, text):
    out, results = calm
    assert json.loads((out / "results.json").read_text()) == results
    assert [p["tokens"] for p in results["phases"]] == [FIRST, SECOND]
    assert results["tokens"] == FIRST + SECOND
    assert results["text"] == Shards(text / "train").tokens
    assert results["processes"] == 1
    logs = [
        [json.loads(line) for line in (out / f"phase-{n}" / "metrics.jsonl").open()] for n in (1, 2)
    ]
    assert [len([e for e in log if "loss" in e]) for log in logs] == [12, 7]
    assert [[e["step"] for e in log if "evaluation" in e] for log in logs] == [[5, 10, 12], [5, 7]]
    for log, phase in zip(logs, results["phases"], strict=True):
        assert log[-1]["evaluation"]["loss"] == phase["loss"]
        assert [e["tokens"] for e in log if "tokens" in e][-1] == phase["tokens"]
    assert logs[0][0]["tokens"] == 4 * 24
    assert half_written(out) == [] and not list(out.rglob("checkpoints"))


def test_the_model_is_transformers_own(calm, text):
    out, _ = calm
    stock = transformers.AutoModelForMaskedLM.from_pretrained(out / "model").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(out / "model")
    ours = build.load_tokenizer(text / "vocab")
    line = "La niña come pan, ¿no?"
    ids = tokenizer(line)["input_ids"]
    assert ids == ours.encode(line).ids and tokenizer.mask_token == "[MASK]"
    own = stage.language.load(out / "model", seed=0, whole=True).eval()
    with torch.no_grad():
        given = torch.tensor([ids])
        torch.testing.assert_close(stock(input_ids=given).logits, own(input_ids=given).logits)
    # Learned without dropout or with another one, it is fine-tuned with its architecture's.
    known = catalog.MODELS[small.STUDENT].config
    assert stock.config.attention_dropout == known["attention_dropout"]
    end = stage.checkpoint.load_file(out / "phase-2" / "end" / "model.safetensors")
    for name, p in own.named_parameters():
        assert torch.equal(p, end[name])
    assert tokenizer.model_max_length == 32


@pytest.mark.parametrize("kind, labels", [("tag", ["O", "B-PER"]), ("classify", ["a", "b"])])
def test_it_takes_a_head_and_a_finetuning(kind, labels, calm):
    from ligero.models.reference import resolve

    reference = resolve(str(calm[0]))
    model = build.load(build.locate(reference.weights), kind=kind, labels=labels, seed=0)
    loaded = stage.language.load(calm[0] / "model", seed=0)
    for (name, one), (_, other) in zip(
        model.base_model.named_parameters(), loaded.base_model.named_parameters(), strict=True
    ):
        assert torch.equal(one, other), name


def test_repeating_does_nothing(calm, text):
    out, results = calm
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.name != "lock"}
    assert run(text, out) == results
    # What does not change the result may change; so may where the same text lies.
    assert run(text, out, checkpoint_seconds=9.0) == results
    assert {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.name != "lock"} == before


def test_the_same_again_gives_the_same_bits_and_another_seed_others(calm, text, tmp_path):
    run(text, tmp_path / "again")
    assert small.left(tmp_path / "again") == small.left(calm[0])
    run(text, tmp_path / "other", seed=1)
    mine, other = small.left(calm[0]), small.left(tmp_path / "other")
    assert mine["model/model.safetensors"] != other["model/model.safetensors"]


def test_phases_of_one_length_read_other_windows(text, tmp_path):
    phase = {"length": 24, "batch_size": 4, "steps": 2, "learning_rate": 0.0}
    run(text, tmp_path / "out", phase=phase, then=[phase], dropout=0.0)
    losses = [
        [json.loads(line).get("loss") for line in (tmp_path / "out" / f"phase-{n}/metrics.jsonl").open()]
        for n in (1, 2)
    ]  # fmt: skip
    assert losses[0] != losses[1]


def test_a_damaged_phase_is_done_again_to_the_same_bits(calm, text, tmp_path):
    out = shutil.copytree(calm[0], tmp_path / "out")
    expected = small.left(out)
    file = out / "phase-1" / "end" / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    run(text, out)
    assert small.left(out) == expected
    # What a kill may leave lying about goes as well.
    (out / "manifest.json").unlink()
    left = out / "phase-1" / f".end~{socket.gethostname()}~99999999.tmp"
    left.mkdir()
    (out / "phase-2" / "checkpoints").mkdir()
    run(text, out)
    assert not left.exists() and not (out / "phase-2" / "checkpoints").exists()


@pytest.mark.parametrize("folder", ["train", "valid"])
@pytest.mark.parametrize("name", ["tokens.npy", "words.npy"])
def test_a_changed_byte_of_the_text_is_told_by_name(text, tmp_path, folder, name):
    copy = shutil.copytree(text, tmp_path / "text")
    file = sorted((copy / folder).glob("part-*"))[-1] / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(DamagedError, match=f"{file.parent.name}/{name}"):
        run(copy, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_begun_otherwise_is_refused_and_told_what_differs(calm, text, tmp_path):
    out = shutil.copytree(calm[0], tmp_path / "out")
    cases = {
        "seed": {"seed": 3}, "phase.steps": {"phase": {"length": 24, "batch_size": 4, "steps": 13}},
        "then": {"then": []}, "objective": {"objective": "replaced"}, "dropout": {"dropout": 0.0},
        "batch_tokens": {"batch_tokens": 65}, "mask.rate": {"mask": {"rate": 0.3}},
    }  # fmt: skip
    for name, changes in cases.items():
        with pytest.raises(InputError, match=rf"begun with .*{name} ="):
            run(text, out, **changes)
    with pytest.raises(InputError, match=r"begun with .*text ="):
        run(text, out, shards=str(text / "valid"))
    with pytest.raises(InputError, match=r"begun with .*valid ="):
        run(text, out, valid=str(text / "train"))
    assert small.left(out) == small.left(calm[0])


def test_another_vocabulary_is_refused(calm, text, tmp_path):
    other = vocab.train(small_text.documents(40), algorithm="bpe", size=310)
    vocab.save(other, tmp_path / "vocab", max_length=64)
    for name in ("train", "valid"):
        small_text.write(tmp_path / name, small_text.documents(40), tmp_path / "vocab", 1)
    with pytest.raises(InputError, match="shards of another tokenizer"):
        run(text, tmp_path / "a", valid=str(tmp_path / "valid"))
    with pytest.raises(InputError, match="shards of another tokenizer"):
        run(tmp_path, tmp_path / "b", model=str(calm[0]))
    with pytest.raises(InputError, match="shards of another tokenizer"):
        teacher = {"teacher": str(calm[0] / "model")}
        run(tmp_path, tmp_path / "c", objective="distilbert", distilbert=teacher)
    with pytest.raises(InputError, match=r"begun with .*vocabulary ="):
        run(tmp_path, shutil.copytree(calm[0], tmp_path / "d"))
    assert not [n for n in "abc" if (tmp_path / n).exists()]


REFUSED = {
    "no --shards": {"shards": ""},
    "no --valid": {"valid": ""},
    "no finished shards": {"shards": "nowhere"},
    "no teacher": {"objective": "distilbert"},
    "which learn sentence order": {"objective": "masked+order"},
    "sub-words of text": {"then": [{"length": 8000, "steps": 1}]},
    "windows of 600 sub-words": {"then": [{"length": 600, "steps": 1}]},
    "shares of one whole": {"mask": {"mask": 0.9, "random": 0.2}},
    "unknown model": {"model": "ligero-tinny"},
    "layers": {"layers": 0},
    "steps": {"then": [{"length": 24, "steps": 0}]},
}


@pytest.mark.parametrize("told", REFUSED)
def test_what_cannot_go_well_is_refused_before_anything_begins(told, text, tmp_path):
    with pytest.raises(InputError, match=told) as error:
        run(text, tmp_path / "out", **REFUSED[told])
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def teacher(text, tmp_path_factory, models):
    """A BERT that learned words and order."""
    out = tmp_path_factory.mktemp("teacher") / "out"
    return out, run(text, out, model=small.TEACHER, objective="masked+order", then=[])


def test_words_and_order(teacher):
    out, results = teacher
    assert {"loss", "accuracy", "order_loss", "order_accuracy"} <= results["phases"][0].keys()
    stock = transformers.AutoModelForPreTraining.from_pretrained(out / "model")
    assert type(stock).__name__ == "BertForPreTraining"
    masked = transformers.AutoModelForMaskedLM.from_pretrained(out / "model").eval()
    given = torch.arange(5, 15)[None]
    with torch.no_grad():
        torch.testing.assert_close(
            masked(input_ids=given).logits, stock.eval()(input_ids=given).prediction_logits
        )


def test_a_distilbert_of_a_teachers_run(teacher, text, tmp_path):
    where = {"teacher": str(teacher[0] / "model")}
    results = run(
        text, tmp_path / "out", objective="distilbert", distilbert=where, layers=1, then=[]
    )
    stock = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "out" / "model")
    assert type(stock).__name__ == "DistilBertForMaskedLM" and stock.config.n_layers == 1
    assert results["phases"][0]["loss"] > 0


def test_a_teacher_without_the_vocabularys_head_is_refused(teacher, text, tmp_path):
    whole = transformers.AutoModel.from_pretrained(teacher[0] / "model")
    build.save(whole, build.load_tokenizer(text / "vocab"), tmp_path / "bare", max_length=32)
    with pytest.raises(InputError, match="a model that guesses hidden sub-words"):
        run(text, tmp_path / "out", objective="distilbert",
            distilbert={"teacher": str(tmp_path / "bare")})  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_replaced_tokens_leave_an_encoder(text, tmp_path):
    results = run(text, tmp_path / "out", objective="replaced", optimizer="lamb")
    stock = transformers.AutoModel.from_pretrained(tmp_path / "out" / "model")
    assert results["parameters"] == sum(p.numel() for p in stock.parameters())
    assert {"judge_loss", "generator_accuracy"} <= results["phases"][1].keys()
    end = stage.checkpoint.load_file(tmp_path / "out" / "phase-2" / "end" / "model.safetensors")
    for name, p in stock.named_parameters():
        assert torch.equal(p, end[f"judge.model.{name}"]), name


def test_going_on_from_a_run_begins_where_it_ended(calm, text, tmp_path):
    """Also where the shards' vocabulary is written in another way than a model's is."""
    still = {"length": 24, "batch_size": 4, "steps": 1, "learning_rate": 0.0}
    run(text, tmp_path / "out", model=str(calm[0]), phase=still, then=[])
    names = ("model.safetensors", "tokenizer.json")
    for name in names:
        one, other = (folder / "model" / name for folder in (calm[0], tmp_path / "out"))
        assert one.read_bytes() == other.read_bytes()
    compact = tmp_path / "compact"
    shutil.copytree(text / "vocab", compact / "vocab")
    file = compact / "vocab" / "tokenizer.json"
    file.write_text(json.dumps(json.loads(file.read_text()), separators=(",", ":")))
    for name in ("train", "valid"):
        small_text.write(compact / name, small_text.documents(30), compact / "vocab", 1)
    run(compact, compact / "out", phase=still, then=[])
    run(compact, compact / "more", model=str(compact / "out"), phase=still, then=[])
    assert (compact / "more" / "manifest.json").exists()


def test_bf16_and_recomputed_activations(text, tmp_path):
    results = run(text, tmp_path / "a", precision="bf16", recompute=True, then=[])
    assert np.isfinite(results["phases"][0]["loss"])
    pair = [
        run(text, tmp_path / name, recompute=name == "b", dropout=0.0, then=[]) for name in "bc"
    ]
    losses = [p["phases"][0]["loss"] for p in pair]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
