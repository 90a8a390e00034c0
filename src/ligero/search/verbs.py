"""`ligero search`, `ligero teacher` and `ligero papers`: flags, and what is called and printed. No logic."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ligero import flags
from ligero.runs import write_json, write_text

Table = tuple[list[str], list[list[str]]]


def add_search(parser: Any) -> None:
    """Give `ligero search` its flags."""
    parser.add_argument("recipe", metavar="RECIPE", help="a TOML file with a table [search.over]")
    _shared(parser, "search")
    parser.set_defaults(run=_search)


def add_teacher(parser: Any) -> None:
    """Give `ligero teacher` its flags."""
    parser.add_argument(
        "recipe", metavar="RECIPE", help="a TOML file with candidates, student, [data] and [fit]"
    )
    _shared(parser, "teacher")
    parser.set_defaults(run=_teacher)


def add_papers(parser: Any) -> None:
    """Give `ligero papers` its flags."""
    parser.add_argument(
        "recipe",
        metavar="RECIPE",
        help="a table's recipe, such as recipes/glues/speedy-table-2.toml",
    )
    parser.add_argument(
        "--scale", choices=("papers", "small"), default="papers",
        help="the papers' models and grids, or small ones on free data (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--plan", action="store_true", help="say what it takes; nothing is trained")
    _shared(parser, "papers")
    parser.set_defaults(run=_papers)


def _shared(parser: Any, verb: str) -> None:
    parser.add_argument(
        "--out", metavar="DIR", help=f"its folder (runs/{verb}-RECIPE); processes may share it"
    )
    parser.add_argument(
        "--workers", type=flags.count, metavar="N", default=1,
        help="trials at once on this machine (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--cluster", metavar="ADDRESS", help="a Ray cluster: ray://HOST:PORT, auto, or local"
    )
    parser.add_argument(
        "--gpus", type=float, metavar="X", default=0.0,
        help="of a GPU, for each trial on a cluster (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--cpus", type=float, metavar="X", default=1.0,
        help="processors for each trial on a cluster (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def _search(chosen: argparse.Namespace) -> None:
    flags.need(flags.TRAINING, "train")
    from ligero.report import search as report
    from ligero.search import drive, rounds
    from ligero.search.view import View

    out = _out(chosen, "search")
    recipe = rounds.read(chosen.recipe, out)
    with _crew(chosen) as workers:
        for searches in recipe:
            view = View(searches)
            with view.shown():
                drive.run(searches, workers, view.ended)
    _leave(chosen, out, recipe.results(), report.chosen, report.page)


def _teacher(chosen: argparse.Namespace) -> None:
    flags.need(flags.TRAINING, "train")
    from ligero.report import search as report
    from ligero.search import teacher
    from ligero.search.view import told

    out = _out(chosen, "teacher")
    with _crew(chosen) as workers:
        found = teacher.choose(chosen.recipe, out, workers, told)
    _leave(chosen, out, found, report.teachers, report.teachers_page)


def _papers(chosen: argparse.Namespace) -> None:
    from ligero.papers import recipe

    plan = recipe.read(chosen.recipe, chosen.scale)
    if chosen.plan:
        models = len({cell.model for cell in plan.cells})
        tasks = len({cell.task for cell in plan.cells})
        print(
            f"{plan.table.title}: {plan.runs:,} trainings ({models} models, {tasks} tasks, "
            f"{len(plan.cells)} searches)"
        )
        return
    flags.need(flags.TRAINING, "train")
    from ligero.report import papers as report
    from ligero.report import papers_writers as writers
    from ligero.report import tables
    from ligero.search import paper
    from ligero.search.view import told_of

    out = _out(chosen, "papers")
    if chosen.scale == "small" and not chosen.out:
        out = out.with_name(f"{out.name}-small")
    with _crew(chosen) as workers:
        found = paper.fill(plan, out, workers, told_of)
    page = report.planned(plan, found.figures, found.reasons)
    write_json(out / "results.json", found.as_dict())
    write_text(out / "README.md", writers.markdown(page))
    write_text(out / "table.tex", writers.latex(page))
    write_text(out / "table.html", writers.html([page]))
    if chosen.json:
        print(json.dumps(found.as_dict(), ensure_ascii=False))
        return
    tables.show(writers.terminal(page))
    print(f"\nall of it: {out}/README.md, table.tex, table.html")


def _crew(chosen: argparse.Namespace) -> Any:
    """Whoever is to do the trials."""
    from ligero.cluster import crew

    return crew(chosen.workers, chosen.cluster, gpus=chosen.gpus, cpus=chosen.cpus)


def _out(chosen: argparse.Namespace, verb: str) -> Path:
    return Path(chosen.out or Path("runs") / f"{verb}-{Path(chosen.recipe).stem}")


def _leave(
    chosen: argparse.Namespace,
    out: Path,
    found: dict[str, Any],
    table: Callable[[dict[str, Any]], Table],
    page: Callable[[dict[str, Any]], str],
) -> None:
    """Results and page in the folder; the table, or JSON, on the terminal."""
    from ligero.report import tables

    write_json(out / "results.json", found)
    write_text(out / "README.md", page(found))
    if chosen.json:
        print(json.dumps(found, ensure_ascii=False))
        return
    tables.show(tables.terminal(*table(found)))
    print(f"\nall of it: {out}/README.md")
