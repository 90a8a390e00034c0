"""What `ligero push` writes about a model: its licence, its figures, how it was made. No network."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

import small
from ligero import cli, config, flags
from ligero.errors import InputError, LigeroError
from ligero.models import catalog as models
from ligero.runs import read_json, sha256, verify
from ligero.share import card, finished, licences, push, recipe, wire
from ligero.tasks import catalog
from ligero.train import trained

pytestmark = pytest.mark.usefixtures("one_thread", "known")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished fine-tuning of a tagger on files of one's own."""
    place = tmp_path_factory.mktemp("card")
    data = small.write(place / "data")
    command = small.finetune(data, place / "run")
    with small.known():
        assert cli.main([*command, "--window", "40", "--case", "false", "--seed", "3"]) == 0
    return place / "run"


@pytest.fixture(scope="module")
def compressed(tmp_path_factory):
    """A finished compression."""
    place = tmp_path_factory.mktemp("compressed")
    data = small.write(place / "data")
    with small.known():
        assert cli.main(small.compress(data, place / "out", place / "cache")) == 0
    return place / "out"


def of_catalog(found, task, model, weights="0" * 64):
    """The same model, as if it had been trained on a task of the catalog."""
    kind = catalog.find(task).kind
    return replace(
        found, kind=kind, results={**found.results, "task": task},
        begun={**found.begun, "task": task, "model": model, "weights": weights},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "names", "restricted"),
    [
        ("CC BY 4.0", ["cc-by-4.0"], False),
        ("CC-BY-4.0", ["cc-by-4.0"], False),
        ("CC BY-SA 3.0", ["cc-by-sa-3.0"], False),
        ("CC BY-NC 4.0", ["cc-by-nc-4.0"], True),
        ("CC BY 4.0; XQuAD: CC BY-SA 4.0", ["cc-by-4.0", "cc-by-sa-4.0"], False),
        ("CC BY 4.0 since release 2.9, GPL 3.0 before", ["cc-by-4.0", "gpl-3.0"], False),
        ("for research (EFE news, CoNLL-2002 shared task)", ["other"], True),
        ("none stated", [], False),
        ("your own data", [], False),
        ("researchers made it", [], False),
    ],
)
def test_licences_are_found_in_words(text, names, restricted):
    assert list(licences.read(text)) == names
    assert licences.restricts(text) is restricted


def test_every_licence_of_the_catalogs_is_understood():
    for entry in catalog.TASKS.values():
        assert licences.read(entry.licence), entry.name
    for model in models.MODELS.values():
        assert licences.read(model.licence) or model.licence == "none stated", model.name


@pytest.mark.parametrize(
    ("terms", "licence"),
    [
        (("Apache-2.0", "CC BY 4.0"), "cc-by-4.0"),
        (("Apache-2.0", "CC BY-NC 4.0"), "cc-by-nc-4.0"),
        (("CC-BY-4.0", "for research"), "other"),
        (("Apache-2.0", "free use for any purpose"), "apache-2.0"),
        (("CC-BY-4.0", "CC BY-SA 4.0"), "cc-by-sa-4.0"),
    ],
)
def test_the_strictest_licence_wins(terms, licence):
    named = dict(zip(("weights", "data"), terms, strict=True))
    assert licences.derived(named) == licence
    assert licences.derived(dict(reversed(named.items()))) == licence


@pytest.mark.parametrize(
    "terms",
    [("Apache-2.0", "none stated"), ("CC BY-SA 4.0", "CC BY-NC 4.0"), ("GPL 3.0", "CC BY-SA 4.0")],
)
def test_what_says_nothing_or_does_not_go_together_is_asked(terms):
    with pytest.raises(InputError, match="--license"):
        licences.derived(dict(enumerate(terms)))


def test_a_given_licence_is_named_as_the_hub_does():
    assert licences.given("CC BY 4.0") == "cc-by-4.0"
    assert licences.given("Apache 2.0") == "apache-2.0"
    assert licences.given("openrail") == "openrail"
    for wrong in ("free", "with\nlines", "a: b", "for any purpose"):
        with pytest.raises(InputError):
            licences.given(wrong)


@pytest.mark.parametrize(
    ("task", "model", "licence"),
    [
        ("ner-conll2002", "ligero-tiny", "other"),
        ("xnli-small", "ligero-tiny", "cc-by-nc-4.0"),
        ("news-topics", "beto-cased", "cc-by-4.0"),
        ("pawsx", "ligero-tiny", "apache-2.0"),
    ],
)
def test_data_that_restrict_use_are_said_at_the_top(run, task, model, licence):
    found = of_catalog(finished.find(str(run)), task, model)
    entry = catalog.find(task)
    assert found.licence() == licence
    made = ModelCard(card.page(found, "ana/modelo", licence))
    assert made.data.license == licence
    top = made.text.strip().splitlines()[2]
    assert (entry.licence in top) == licences.restricts(entry.licence)
    assert entry.licence in made.text and entry.citation in made.text
    assert made.data.base_model == models.MODELS[model].hub


def test_nothing_is_derived_of_what_is_not_known(run):
    found = finished.find(str(run))
    for wrong in (found, of_catalog(found, "news-topics", "albeto-tiny")):
        with pytest.raises(InputError, match="--license"):
            wrong.licence()
    with pytest.raises(InputError, match="--license"):
        finished.find(str(run / "model")).licence()
    # Weights drawn at random owe nothing to the name of their shape.
    assert of_catalog(found, "news-topics", "albeto-tiny", None).licence() == "cc-by-4.0"
    # A file of one's own that is called as a task is not that task; nor is one of another kind.
    own = replace(
        found, results={**found.results, "task": "ner-conll2002", "licence": "your own data"}
    )
    assert own.entry is None
    assert replace(found, results={**found.results, "task": "mldoc"}).entry is None


def test_figures_and_hashes_are_those_of_the_run(run):
    found = finished.find(str(run))
    made = ModelCard(card.page(found, "ana/modelo", "apache-2.0"))
    results = read_json(run / "results.json")
    row = results["models"]["model"]
    told = {result.metric_type: result.metric_value for result in made.data.eval_results}
    assert told == {name: round(row["test"][name], 2) for name in results["conventions"]["ligero"]}
    low, high = row["interval"]["f1"]
    assert f"| F1 | {row['test']['f1']:.2f} | {low:.2f} to {high:.2f} |" in made.text
    assert sha256(run / "model" / "model.safetensors") in made.text
    assert read_json(run / "config.json")["identity"]["data"] in made.text
    assert f"{row['parameters']:,}" in made.text
    assert made.data.language == "es" and made.data.pipeline_tag == "token-classification"
    assert str(run.parent) not in made.content
    for absent in ("None", "nan", "## Speed"):
        assert absent not in made.content


def test_the_command_repeats_the_run(run):
    found = finished.find(str(run))
    _, *words = shlex.split(recipe.command(found))
    chosen = cli.parser().parse_args(words)
    again = flags.read(chosen, config.FinetuneConfig)
    begun = found.begun
    assert config.identity(again.fit) == begun["fit"]
    assert (again.seed, again.model) == (3, small.STUDENT)
    assert config.identity(again.vocab) == begun["vocab"]
    # Settings at their default are left out.
    assert "--optimizer" not in words and "--case" not in words


def test_a_compression_and_a_distillation_repeat_too(compressed):
    for place, cls in (
        (compressed, config.CompressConfig),
        (compressed / "student", config.DistillRunConfig),
    ):
        found = finished.find(str(place))
        _, *words = shlex.split(recipe.command(found))
        again = flags.read(cli.parser().parse_args(words), cls)
        fit = again.student_fit if cls is config.CompressConfig else again.fit
        assert config.identity(fit) == found.begun["fit"]
        assert config.identity(again.distill) == found.begun["distill"]
        assert again.teacher and again.student == small.STUDENT
        assert (
            found.row["test"] == read_json(compressed / "results.json")["models"]["student"]["test"]
        )
        page = card.page(found, "ana/modelo", "mit")
        assert str(compressed.parent) not in page and "distillation" in ModelCard(page).data.tags
    assert "## Speed" in card.page(finished.find(str(compressed)), "ana/modelo", "mit")


def test_what_plain_transformers_does_not_do_is_said(run):
    found = finished.find(str(run))
    plain = card.page(found, "ana/modelo", "mit")
    crf = card.page(replace(found, decoding="crf"), "ana/modelo", "mit")
    assert "`crf`" in crf and "`crf`" not in plain
    parse = ModelCard(card.page(replace(found, kind="parse"), "ana/modelo", "mit"))
    assert parse.data.library_name == "ligero" and parse.data.pipeline_tag is None
    asks = ModelCard(card.page(replace(found, kind="answer"), "ana/modelo", "mit"))
    assert "context" in asks.data.widget[0] and "Labels" not in asks.text


def test_the_task_card_is_the_one_that_training_writes():
    assert trained.CARD == finished.TASK_CARD


@pytest.mark.parametrize("damage", ["results.json", "model/model.safetensors", "model/ligero.json"])
def test_a_damaged_run_is_not_shared(run, tmp_path, damage, capsys):
    import shutil

    shutil.copytree(run, tmp_path / "run")
    file = tmp_path / "run" / damage
    file.write_bytes(file.read_bytes()[:-2])
    out = tmp_path / "out"
    command = ["push", str(tmp_path / "run"), "ana/m", "--license", "mit"]
    assert cli.main([*command, "--dry-run", "--out", str(out)]) != 0
    assert not out.exists() and capsys.readouterr().err.count("\n") == 1


def test_a_dry_run_writes_the_folder_and_keeps_what_else_lies_there(run, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["push", str(run), "ana/m", "--license", "mit", "--dry-run", "--out", str(out)]
    assert cli.main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {n: (out / n).stat().st_size for n in told["files"]} == told["files"]
    assert {"README.md", "config.json", "model.safetensors", "ligero.json"} <= set(told["files"])
    # Its own earlier folder is replaced, another's is not.
    assert cli.main(command) == 0
    # The hub is not asked what it has; what would go from there is said all the same.
    deleted = next(line for line in capsys.readouterr().out.splitlines() if "deleted" in line)
    assert all(kind in deleted for kind in ("config.json", "*.safetensors*", "export/*"))
    assert told["deleted"] == list(push.LEFT)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note").write_text("keep")
    command[-1] = str(tmp_path / "mine")
    assert cli.main(command) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert (tmp_path / "mine" / "note").read_text() == "keep"


def test_a_dry_run_fills_the_folder_one_stands_in(run, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    command = ["push", str(run), "ana/m", "--license", "mit", "--dry-run", "--out", "."]
    assert cli.main(command) == 0
    assert verify(Path())["repository"] == "ana/m"
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_what_others_wrote_cannot_steer_the_terminal(tmp_path):
    evil = "\x1b]0;x\x07\x9b2J\u202e"
    parcel = push.Parcel(tmp_path, "ana/m", "mit", {f"{evil}a.json": 1}, f"own data ({evil})")
    lines = push.contents(parcel, [f"export/{evil}\nb"]).splitlines()
    assert len(lines) == 5 and all(line.isprintable() for line in lines)
    with pytest.raises(LigeroError) as told, wire.sending("ana/m"):
        raise ValueError(f"no such file {evil}")
    assert str(told.value).isprintable() and "no such file" in str(told.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "ana/m"], "no such folder"),
        (["RUN", "ana"], "OWNER/NAME"),
        (["RUN", "../m"], "OWNER/NAME"),
        (["RUN", "ana/m"], "--license"),
        (["RUN", "ana/m", "--license", "mit", "--out", "x"], "--dry-run"),
        (["RUN", "ana/m", "--license", "mit", "--dry-run", "--export", "RUN"], "export"),
        (["RUN/vocab", "ana/m", "--license", "mit", "--dry-run"], "config.json"),
    ],
)
def test_what_cannot_be_pushed_is_told_in_one_line(
    run, tmp_path, monkeypatch, capsys, arguments, said
):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["push", *(a.replace("RUN", str(run)) for a in arguments)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and said in err
    assert not list(tmp_path.iterdir())
