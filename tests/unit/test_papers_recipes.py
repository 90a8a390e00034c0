"""Recipes for the papers' tables: what the papers did, and what is put in its place at the small scale."""

import functools
import itertools
import tomllib
from pathlib import Path

import pytest

from ligero import config
from ligero.cli import main
from ligero.errors import InputError
from ligero.models import catalog as models
from ligero.papers import TABLES, recipe, speedy
from ligero.papers.own import tasks_of
from ligero.papers.table import Mean, figure
from ligero.tasks import catalog as tasks

FOLDER = Path(__file__).parents[2] / "recipes" / "glues"
FILES = {file.stem: file for file in sorted(FOLDER.glob("*.toml"))}
GRIDS = [name for name in FILES if name != "speedy-table-8"]
SPEEDY = [name for name in GRIDS if name.startswith("speedy")]

EACH = pytest.mark.parametrize("name", FILES)
EACH_GRID = pytest.mark.parametrize("name", GRIDS)

LARGE = {"albeto-large", "albeto-xlarge", "albeto-xxlarge"}
QUESTIONS = {"mlqa", "sqac", "tar-xquad"}
# ALBETO and DistilBETO, section 4.2; Speedy Gonzales, section 3.4.
BATCHES, EPOCHS = (16, 32, 64), (2, 3, 4)
RATES, RATES_OF_LARGE = (1e-5, 2e-5, 3e-5, 5e-5), (1e-6, 2e-6, 3e-6, 5e-6)


@functools.cache
def plan(name, scale="papers"):
    return recipe.read(FILES[name], scale)


def test_there_is_one_for_each_table():
    assert {plan(name).table.name for name in FILES} == set(TABLES)
    assert all(name == plan(name).table.name.replace("-", "-table-") for name in FILES)


@EACH
def test_its_first_lines_say_what_it_is_and_what_it_takes(name):
    made, text = plan(name), FILES[name].read_text(encoding="utf-8")
    begins = text.partition("\ntable =")[0]
    assert all(line.startswith("#") for line in begins.splitlines())
    said = " ".join(line.removeprefix("#").strip() for line in begins.splitlines())
    assert f"Table {made.table.number})" in said and "ur choice" in said and "Published" in said
    assert f"It takes {made.runs:,} trainings" in said
    assert f"recipes/glues/{name}.toml --scale small" in said
    assert max(map(len, text.splitlines())) <= 110


@EACH
def test_what_it_trains_fills_its_table(name):
    """Every cell of the table that is a trained model's, and of those that its means are over."""
    made = plan(name)
    trained = {(cell.verb, cell.model, cell.task) for cell in made.cells}
    assert len(trained) == len(made.cells)
    wanted = set()
    for row, column in made.table.places():
        if (figured := figure(row, column)) is not None:
            wanted.add((figured.verb, figured.model, figured.task))
        elif isinstance(column.made, Mean):
            wanted |= {(row.verb, row.model, task) for task in tasks_of(column.made)}
    assert wanted <= trained
    # What is trained beside it may teach.
    teachers = {("finetune", one, cell.task) for cell in made.cells for one in cell.teachers}
    assert trained == wanted | teachers
    assert made.rows == tuple(row.name for row in made.table.rows)
    filled = {c.name for c in made.table.columns if c.task or isinstance(c.made, Mean)}
    assert not filled & made.given.keys() and made.empty.keys() <= filled


@EACH_GRID
def test_fine_tuned_models_have_the_papers_grid(name):
    for cell in plan(name).cells:
        if cell.verb != "finetune":
            continue
        assert dict(cell.over) == {
            "fit.batch_size": BATCHES,
            "fit.epochs": EPOCHS,
            "fit.learning_rate": RATES_OF_LARGE if cell.model in LARGE else RATES,
        }
        assert cell.select == ("metric" if cell.task in QUESTIONS else "loss")
        assert cell.runs == 36 and cell.seeds == (0,)
        fit = config.build(config.FinetuneConfig, cell.fixed()).fit
        assert (fit.schedule, fit.warmup, fit.weight_decay, fit.clip) == ("linear", 0, 0, 1)
        assert (fit.select, fit.optimizer, fit.patience) == (cell.select, "adamw", 0)


@pytest.mark.parametrize("name", SPEEDY)
def test_students_have_the_papers_grid(name):
    made = plan(name)
    students = [cell for cell in made.cells if cell.verb == "distill"]
    assert {cell.model for cell in students} == set(speedy.STUDENTS)
    for cell in students:
        assert dict(cell.over) == {
            "fit.learning_rate": (5e-5, 1e-4),
            "fit.batch_size": BATCHES,
        }
        settings = config.build(config.DistillRunConfig, cell.fixed())
        told, fit = settings.distill, settings.fit
        assert (told.alpha, told.loss, told.temperature) == (0, "kl", 1)
        assert (fit.epochs, fit.patience, fit.select) == (50, 10, "loss")
        # Every fine-tuned model is a candidate, the paper's choice among them.
        assert cell.teachers == speedy.FINE_TUNED and speedy.TEACHERS[cell.task] in cell.teachers
        assert [c.model for c in made.candidates(cell)] == [
            c.model for c in made.cells
            if c.verb == "finetune" and c.task == cell.task and c.model in speedy.FINE_TUNED
        ]  # fmt: skip
        assert len(made.candidates(cell)) == 11


def test_the_cache_is_timed_as_the_paper_did():
    made = plan("speedy-table-8")
    teacher, *students = made.cells
    assert (teacher.model, teacher.task, teacher.runs) == ("albeto-xxlarge", "xnli", 1)
    for cell in students:
        assert (cell.settings["fit"]["epochs"], cell.seeds, cell.runs) == (5, (0, 1, 2), 3)
        assert cell.teachers == (speedy.TEACHERS["xnli"],)
        assert config.build(config.DistillRunConfig, cell.fixed()).fit.patience == 0
    assert set(made.empty) == {"hours_uncached", "hours_uncached_sd"}


def test_tables_of_the_same_trainings_have_the_same():
    assert plan("speedy-table-2").cells == plan("speedy-table-3").cells
    assert plan("speedy-table-2", "small").cells == plan("speedy-table-3", "small").cells
    parts = [cell for n in (3, 4, 5) for cell in plan(f"albeto-table-{n}").cells]
    assert sorted(parts, key=repr) == sorted(plan("albeto-table-6").cells, key=repr)


@EACH
def test_the_small_scale_is_of_small_models_and_free_tasks(name):
    made = plan(name, "small")
    assert made.cells and made.runs <= 100
    free = {e.name for e in tasks.TASKS.values() if e.name not in {*made.standing.missing}}
    for cell in made.cells:
        assert cell.model.startswith("ligero-") and models.find(cell.model).parameters < 8e6
        assert cell.task in free and (
            cell.task == "ner-conll2002" or cell.task != cell.stands_for[1]
        )
        if cell.verb == "distill":
            assert made.candidates(cell)
            assert all(one.startswith("ligero-") for one in cell.teachers)
    trained = [(cell.verb, cell.model, cell.task) for cell in made.cells]
    assert len(set(trained)) == len(trained)
    # What nothing stands for says why.
    assert all(made.standing.missing.values())
    assert set(made.standing.models) | set(made.standing.tasks) | set(made.standing.missing) == {
        *models.MODELS, *TABLES["speedy-2"].tasks(),
    }  # fmt: skip


def test_the_small_scale_is_the_same_everywhere():
    found: dict[str, dict[str, str]] = {"models": {}, "tasks": {}, "missing": {}}
    for name in GRIDS:
        small = tomllib.loads(FILES[name].read_text(encoding="utf-8"))["small"]
        for kind, known in found.items():
            for key, value in small.get(kind, {}).items():
                assert known.setdefault(key, value) == value


@pytest.mark.parametrize("name", ["albeto-table-6", "speedy-table-3"])
def test_columns_that_need_no_training_have_their_command(name, capsys):
    made = plan(name)
    assert set(made.given) == (
        {"parameters"} if name == "albeto-table-6" else {"parameters", "speedup"}
    )
    (command,) = set(made.given.values())
    assert command.startswith("ligero bench --cost")
    main(command.split()[1:])
    told = capsys.readouterr().out
    assert all(row.model in told for row in made.table.rows)


def test_a_cell_is_a_recipe_of_a_search():
    search = pytest.importorskip("ligero.search.plan")
    made = plan("speedy-table-6", "small")
    for cell in made.cells:
        found = search.make(cell.recipe("runs/teacher" if cell.verb == "distill" else None), "here")
        trials = found.grid()
        assert len(trials) == cell.runs
        settings = [trial.settings for trial in trials]
        assert {s.data.task for s in settings} == {cell.task}
        assert {getattr(s, "student", None) or s.model for s in settings} == {cell.model}
        assert {s.fit.learning_rate for s in settings} == set(cell.over["fit.learning_rate"])
        assert found.search.select == cell.select


def test_points_are_every_combination():
    cell = plan("albeto-table-3").cells[0]
    points = [tuple(point.values()) for point in cell.points()]
    assert points == list(itertools.product(BATCHES, EPOCHS, RATES))
    assert list(cell.points()[0]) == ["fit.batch_size", "fit.epochs", "fit.learning_rate"]


BASE = """
table = "albeto-3"
tasks = ["ner-conll2002"]
[finetune]
models = ["albeto-tiny"]
[finetune.over]
"fit.epochs" = [2]
"""


def test_what_holds_for_one_model_or_task_lies_over_what_holds_for_all(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(
        BASE.replace('["albeto-tiny"]', '["albeto-tiny", "albeto-base"]')
        + "[finetune.fit]\nwarmup = 0.2\n[finetune.other.albeto-base]\nfit.warmup = 0.3\nseeds = [1, 2]\n"
        '[finetune.other.albeto-base.over]\n"fit.epochs" = [3]\n"fit.batch_size" = [8]\n'
        '[finetune.other.ner-conll2002]\nselect = "metric"\n'
        '[small.models]\nalbeto-base = "ligero-tiny:random"\n'
        '[small.tasks]\nner-conll2002 = "ner-conll2002"\n'
        '[small.finetune.over]\n"fit.learning_rate" = [1e-3]\n'
    )
    tiny, base = recipe.read(file).cells
    assert (tiny.settings["fit"], tiny.select, tiny.seeds) == ({"warmup": 0.2}, "metric", (0,))
    assert dict(tiny.over) == {"fit.epochs": (2,)}
    assert (base.settings["fit"], base.seeds, base.runs) == ({"warmup": 0.3}, (1, 2), 2)
    assert dict(base.over) == {"fit.epochs": (3,), "fit.batch_size": (8,)}
    made = recipe.read(file, "small")
    (cell,) = made.cells
    # The small grid stands in place of all others; other settings stay.
    assert dict(cell.over) == {"fit.learning_rate": (1e-3,)}
    assert (cell.model, cell.stands_for) == ("ligero-tiny:random", ("albeto-base", "ner-conll2002"))
    assert cell.settings["fit"] == {"warmup": 0.3} and made.rows == ("albeto-base",)
    assert made.standing.missing["albeto-tiny"] == recipe.NOTHING


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('"albeto-3"', '"albeto-33"', "unknown table in .*own.toml 'albeto-33': did you mean albeto-3"),
        ('table = "albeto-3"', "", "own.toml: found no table; expected table"),
        ("ner-conll2002", "ner-conll2003", "unknown task in .*own.toml .*did you mean ner-conll2002"),
        ("albeto-tiny", "albeto-tiney", "unknown model of albeto-3 in .*own.toml .*albeto-tiny"),
        # A model of the catalog that is no row of the table.
        ("albeto-tiny", "bertin", "unknown model of albeto-3 in .*own.toml 'bertin'"),
        ("tasks =", "task =", "unknown key in .*own.toml 'task': did you mean tasks"),
        ("fit.epochs", "fit.epoch", "own.toml: finetune albeto-tiny on ner-conll2002.fit 'epoch'"),
        ("[2]", "[2, 2.5]", "own.toml: finetune albeto-tiny .*epochs = '2.5'"),
        ("[2]", "[]", "own.toml: found fit.epochs = ..].; expected a list"),
        ("[2]", "[[2]]", "own.toml: found fit.epochs = .*expected a list"),
        ('"fit.epochs"', '"model.x"', "own.toml: finetune albeto-tiny .*model = "),
        ("models =", "model =", "own.toml: found nothing to train; expected models"),
        ('["albeto-tiny"]', '["albeto-tiny"]\nmodel = "x"', "own.toml: found model in finetune; .*models"),
        ('["albeto-tiny"]', '["albeto-tiny"]\nfit.select = "loss"', "own.toml: found fit.select in .*select"),
        ('fit.epochs" = [2]', 'data.task" = ["xnli"]', "own.toml: found data.task in .*tasks to say it"),
        ('["albeto-tiny"]', '["albeto-tiny"]\nselect = "lost"', "unknown select in .*own.toml 'lost'"),
        ('["albeto-tiny"]', '["albeto-tiny"]\nseeds = [-1]', "own.toml: finetune .*seed = '-1'"),
        ('["albeto-tiny"]', '["albeto-tiny"]\nfit = 3', "own.toml: finetune .*fit = '3'.*a table"),
        ("[finetune.over]", "[finetune.other.bert.over]", "unknown model or task of finetune.other in"),
        ("[finetune.over]", "[finetune.other.albeto-tiny.other]", "unknown key of finetune in .*own"),
        ("[finetune.over]", "[given]\ncolumns = [\"ner\"]\n[x]", "unknown key in .*own.toml 'x'"),
        ("[finetune.over]\n", "[given]\ncolumns = [\"ner\"]\n#", "unknown column in .*own.toml 'ner'"),
        ("[finetune.over]\n", "[given]\ncommand = 3\n#", "own.toml: found given without a command"),
        ("[finetune.over]\n", "[empty]\nner = \"no\"\n#", "unknown column of empty in .*own.toml 'ner'"),
        ("[finetune.over]\n", "[small.model]\n#", "unknown key of small in .*own.toml 'model'"),
        ("[finetune.over]\n", "[small.models]\na = 3\n#", "own.toml: found models.a = '3'; expected text"),
        ("[finetune.over]\n", "[small.models]\nalbeto-tiny = \"x\"\n#", "unknown model of small.models in"),
        ("[finetune.over]\n", "[small.missing]\nx = \"x\"\n#", "unknown model or task of small.missing"),
        ("[finetune.over]\n", "[small.tasks]\nner-conll2002 = \"x\"\n#", "unknown task of small.tasks in"),
        ("[finetune.over]\n", "[small.tasks]\nner-conll2002 = \"xnli-small\"\n#", "a task of its kind, tag"),
        ("[finetune]", "[[finetune]]", "own.toml: found finetune = .*expected a table"),
        ("[finetune]", "[distill]\nteachers = [\"bertin\"]\n[x]", "unknown key in .*own.toml 'x'"),
        (BASE, BASE.split("[")[0] + '["ner-conll2002"]\n[distill]\nteachers = ["bertin"]\n',
         "own.toml: found teachers that are not trained"),
        ("table", "= table", "own.toml: not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_one_line_with_the_file(tmp_path, old, new, said):
    file = tmp_path / "own.toml"
    file.write_text(BASE)
    recipe.read(file)
    assert old in BASE
    file.write_text(BASE.replace(old, new, 1))
    with pytest.raises(InputError, match=said) as caught:
        recipe.read(file)
    assert "own.toml" in str(caught.value) and "\n" not in str(caught.value)


def test_another_scale_is_unknown():
    with pytest.raises(InputError, match="unknown scale 'big'"):
        recipe.read(FILES["albeto-table-3"], "big")
