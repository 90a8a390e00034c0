"""The verbs: parse, call, print. No logic.

What a verb needs is imported when it is called, so that `ligero --help` answers at once.
"""

import argparse
import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ligero import __version__, config, flags
from ligero.corpus import verbs as corpus
from ligero.errors import InputError, LigeroError
from ligero.export import verbs as export
from ligero.measure import verbs as measure
from ligero.pretrain import verbs as pretrain
from ligero.report import verbs as frontier
from ligero.runs import write_json
from ligero.search import verbs as search
from ligero.serve import verbs as serve
from ligero.share import verbs as share
from ligero.vocab import verbs as vocab

COMMAND = "ligero"


class Parser(argparse.ArgumentParser):
    """argparse with errors in one line, as everywhere in ligero."""

    def error(self, message: str) -> NoReturn:
        """What was wrong, and where to look."""
        raise InputError(f"{message}; see {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code."""
    try:
        chosen = parser().parse_args(arguments)
        chosen.run(chosen)
    except LigeroError as error:
        print(f"{COMMAND}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"{COMMAND}: stopped; the same command continues where it was", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
    except OSError as error:
        # A disk that is full, a folder that went away: nothing of ligero's, so no traceback.
        where = f"{error.filename}: " if error.filename else ""
        print(f"{COMMAND}: {where}{error.strerror or error}", file=sys.stderr)
        return 1
    return 0


def parser() -> Parser:
    """The command line: every verb and flag of ligero."""
    whole = Parser(
        prog=COMMAND,
        description="Small, fast, honest language models for Spanish.",
        epilog="Start with: ligero demo, or ligero compress --train mi.conll --dev … --test …",
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=f"{COMMAND} {__version__}")
    verbs = whole.add_subparsers(dest="verb", required=True, metavar="VERB", title="the road")

    def verb(name: str, run: Callable[[argparse.Namespace], None], text: str) -> Parser:
        made: Parser = verbs.add_parser(name, help=text, description=text, allow_abbrev=False)
        made.set_defaults(run=run)
        return made

    made = verb("compress", _compress, "fine-tune a teacher, distil a lighter student, compare")
    _settings(made, config.CompressConfig)
    made = verb("suite", _suite, "compress on many tasks by one recipe; one table")
    made.usage = f"{made.prog} RECIPE [--out DIR] [--setting VALUE ...]"
    made.add_argument(
        "recipe", metavar="RECIPE", help="a TOML file, such as recipes/glues-small.toml"
    )
    flags.add(made, config.CompressConfig)
    made = verb("finetune", _finetune, "train one model by gold labels")
    _settings(made, config.FinetuneConfig)
    made = verb("distill", _distill, "train one student by a finished teacher")
    _settings(made, config.DistillRunConfig)
    what = "train with many settings by one recipe, and find the best"
    search.add_search(verbs.add_parser("search", help=what, description=what, allow_abbrev=False))
    what = "choose a teacher: by loss, by score, or by what a student makes of it"
    search.add_teacher(verbs.add_parser("teacher", help=what, description=what, allow_abbrev=False))
    what = "a table of the papers, trained anew, beside what they published"
    search.add_papers(verbs.add_parser("papers", help=what, description=what, allow_abbrev=False))

    what = "make a trained model ready for use: fast, small, checked against the original"
    export.add(verbs.add_parser("export", help=what, description=what, allow_abbrev=False))

    what = "answer over HTTP: several exported models, on any processor"
    serve.add(verbs.add_parser("serve", help=what, description=what, allow_abbrev=False))

    made = verb("evaluate", _evaluate, "score a trained model on labelled data")
    made.add_argument(
        "model", metavar="FOLDER", help="a finished run, a model's folder, or a hub id"
    )
    made.add_argument("files", nargs="*", metavar="FILE", help="labelled files; or give --task")
    made.add_argument("--task", help="a task of the catalog: its test file is scored")
    made.add_argument("--split", metavar="NAME", help="another of its files: dev, train")
    _hub(made)
    made.add_argument("--data", metavar="DIR", help="folder with its files (else $LIGERO_DATA)")
    made.add_argument("--format", help="the files' format; guessed where left out")
    made.add_argument("--encoding", help="the files' encoding; guessed where left out")
    made.add_argument(
        "--decoding", choices=("own", "auto", "independent", "valid"), default="own",
        help="a sentence's tags: each alone; as BIO or BIOES allows (auto: where they are such); own: as the "
        "model was trained to",
    )  # fmt: skip
    made.add_argument("--paper", action="store_true", help="the papers' conventions beside ours")
    made.add_argument(
        "--predictions", metavar="DIR", help="write what was found in the official scorers' formats"
    )
    made.add_argument("--out", metavar="FILE", help="write the results there as JSON")
    made.add_argument("--json", action="store_true", help="print JSON instead of a table")

    made = verb("predict", _predict, "show what a trained model finds in a text")
    made.add_argument(
        "model", metavar="FOLDER", help="a finished run, a model's folder, or a hub id"
    )
    made.add_argument("texts", nargs="*", metavar="TEXT", help="texts; without any, lines of input")
    made.add_argument(
        "--pair", "--context", metavar="TEXT",
        help="second text, for models that compare two; the context, for those that answer questions",
    )  # fmt: skip
    made.add_argument("--out", metavar="FILE", help="write what was found there as JSON")
    made.add_argument("--json", action="store_true", help="print one JSON object a line")

    made = verb("check", _check, "say what labelled files hold, before training on them")
    made.add_argument("files", nargs="*", metavar="FILE", help="train first; or give --task")
    made.add_argument("--task", help="a task of the catalog: those of its files at hand")
    made.add_argument("--data", metavar="DIR", help="folder with its files (else $LIGERO_DATA)")
    _hub(made)
    made.add_argument("--format", help="the files' format; guessed where left out")
    made.add_argument("--kind", help="the kind of task, where a format serves several")
    made.add_argument("--encoding", help="the files' encoding; guessed where left out")
    made.add_argument("--model", metavar="NAME", help="measure lengths by this model's tokenizer")
    made.add_argument("--all", action="store_true", help="all repeated and changed rows")
    made.add_argument("--out", metavar="FILE", help="write the whole report there as JSON")
    made.add_argument("--json", action="store_true", help="print JSON instead of tables")

    what = "raw Spanish text to clean text, and to shards of sub-words"
    corpus.add(verbs.add_parser("corpus", help=what, description=what, allow_abbrev=False))
    what = "text to a vocabulary of sub-words, and what any vocabulary is worth"
    vocab.add(verbs.add_parser("vocab", help=what, description=what, allow_abbrev=False))
    what = "pre-train an encoder on raw text; a recipe can be shrunk to a budget"
    pretrain.add(verbs.add_parser("pretrain", help=what, description=what, allow_abbrev=False))
    what = "what models cost and how long they take, beside BETO"
    measure.add(verbs.add_parser("bench", help=what, description=what, allow_abbrev=False))
    what = "all that was trained and exported: quality against cost, as a page and pictures"
    frontier.add_report(verbs.add_parser("report", help=what, description=what, allow_abbrev=False))
    what = "the best exported model of a task within a latency budget on this machine"
    frontier.add_choose(verbs.add_parser("choose", help=what, description=what, allow_abbrev=False))
    what = "put a trained model on the Hugging Face hub, with a card that says what it is"
    share.add_push(verbs.add_parser("push", help=what, description=what, allow_abbrev=False))
    what = "fetch a model from the Hugging Face hub, checked, without anything that runs code"
    share.add_pull(verbs.add_parser("pull", help=what, description=what, allow_abbrev=False))
    made = verb("tasks", _tasks, "list the known tasks, and which of them are at hand")
    made.add_argument("name", nargs="?", metavar="TASK", help="all about this one")
    made.add_argument("--data", metavar="DIR", help="folder with their files (else $LIGERO_DATA)")
    verb("models", _models, "list the known models")
    made = verb("demo", _demo, "write made-up Spanish data to try ligero on")
    made.add_argument("folder", help="where to write them")
    made.add_argument("--seed", type=int, default=0, help="other seeds, other sentences")
    return whole


def _settings(parser: Parser, cls: type) -> None:
    """One flag for each setting; `task` stands alone, and a TOML file may give them all."""
    # argparse would begin by listing all of fifty flags.
    parser.usage = f"{parser.prog} [TASK] [--config TOML] [--setting VALUE ...]"
    parser.add_argument("task", nargs="?", help="a task of the catalog (ligero tasks lists them)")
    parser.add_argument("--config", metavar="TOML", help="a file of settings; flags come over it")
    flags.add(parser, cls)
    parser.set_defaults(settings=cls)


def _hub(parser: Parser) -> None:
    parser.add_argument(
        "--hub", choices=("true", "false"), default="false",
        help="fetch what the catalog knows on the hub and is not at hand",
    )  # fmt: skip


def _config(chosen: argparse.Namespace) -> Any:
    """The settings of a verb: its TOML file, and flags over it."""
    return flags.read(chosen, chosen.settings, chosen.task)


def _compress(chosen: argparse.Namespace) -> None:
    settings = _config(chosen)
    _need_training()
    from ligero import compress
    from ligero.report import tables

    results = compress.compress(settings)
    _print_results(results)
    print(f"\n{tables.worth(results)}")
    folder = results["folder"]
    print(f'all of it: {folder}/README.md; try: {COMMAND} predict {folder} "texto"')


def _suite(chosen: argparse.Namespace) -> None:
    given = flags.given(chosen)
    out = given.pop(("place", "out"), str(Path("runs") / f"suite-{Path(chosen.recipe).stem}"))
    _need_training()
    from ligero import suite
    from ligero.report import suite as report
    from ligero.report import tables

    tables.show(tables.terminal(*report.table(suite.run(chosen.recipe, out, given))))
    print(f"\nall of it: {out}/README.md")


def _finetune(chosen: argparse.Namespace) -> None:
    settings = _config(chosen)
    _need_training()
    from ligero import compress

    _print_results(compress.finetune(settings))


def _distill(chosen: argparse.Namespace) -> None:
    settings = _config(chosen)
    if not settings.teacher:
        raise InputError("no teacher", expected="--teacher FOLDER (ligero finetune makes one)")
    _need_training()
    from ligero import compress

    _print_results(compress.distill(settings))


def _evaluate(chosen: argparse.Namespace) -> None:
    if bool(chosen.files) == bool(chosen.task):
        raise InputError("nothing to score, or two things", expected="FILE... or --task NAME")
    if chosen.split and not chosen.task:
        raise InputError(f"--split {chosen.split}", expected="--task NAME with it")
    _make_room(chosen.out)
    from ligero import evaluate

    data = config.DataConfig(
        task=chosen.task, folder=chosen.data, hub=chosen.hub == "true",
        format=chosen.format, encoding=chosen.encoding,
    )  # fmt: skip
    results = evaluate.evaluate(
        chosen.model, chosen.files, data,
        split=chosen.split or "test", predictions=chosen.predictions, decoding=chosen.decoding,
    )  # fmt: skip
    if chosen.out:
        write_json(Path(chosen.out), results)
    if chosen.json:
        print(json.dumps(results, ensure_ascii=False))
    else:
        for note in results["notes"]:
            print(f"{COMMAND}: {note}", file=sys.stderr)
        _print_results(results, paper=chosen.paper)
        _print_details(results["details"])


def _predict(chosen: argparse.Namespace) -> None:
    from ligero import predict
    from ligero.report import tables

    _make_room(chosen.out)
    if not chosen.texts and isinstance(sys.stdin, io.TextIOWrapper):
        # Bytes that do not decode are let through to where the error can name their line.
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
    texts = chosen.texts or (line.rstrip("\n") for line in sys.stdin)
    answers = []
    for text, found in predict.predict(chosen.model, texts, chosen.pair):
        answer = {"text": text, "found": found}
        if chosen.out:
            answers.append(answer)
        if chosen.json:
            print(json.dumps(answer, ensure_ascii=False), flush=True)
        else:
            tables.show(predict.shown(text, found))
    if chosen.out:
        write_json(Path(chosen.out), answers)


def _check(chosen: argparse.Namespace) -> None:
    from ligero import check
    from ligero.report import check as page
    from ligero.report import tables

    data = config.DataConfig(
        task=chosen.task,
        folder=chosen.data,
        hub=chosen.hub == "true",
        format=chosen.format,
        kind=chosen.kind,
        encoding=chosen.encoding,
    )
    _make_room(chosen.out)
    report = check.check(chosen.files, data, model=chosen.model)
    if chosen.out:
        write_json(Path(chosen.out), report)
    if chosen.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        for part in page.shown(report, everything=chosen.all):
            tables.show(part)
    # Every file's error, not the first alone.
    for message in report["errors"]:
        print(f"{COMMAND}: {message}", file=sys.stderr)
    if report["errors"]:
        raise InputError(f"{len(report['errors'])} of the files cannot be read")


def _tasks(chosen: argparse.Namespace) -> None:
    from ligero.report import tables
    from ligero.report import tasks as report
    from ligero.tasks import catalog, source

    if not chosen.name:
        tables.show(tables.terminal(*source.listing(chosen.data)))
        return
    for part in report.shown(catalog.find(chosen.name), chosen.data):
        tables.show(part)


def _models(chosen: argparse.Namespace) -> None:
    from ligero.models import catalog
    from ligero.report import tables
    from ligero.runtime import released

    rows = [
        [m.name, m.about, tables.millions(m.parameters), m.licence, _weights_of(m)]
        for m in catalog.MODELS.values()
    ]
    tables.show(tables.terminal(["model", "", "parameters", "licence", "weights"], rows))
    if ready := [released.card(name) for name in released.names()]:
        print(f"\nReady for use, exported ({COMMAND} predict NAME, {COMMAND} serve NAME):\n")
        rows = [
            [
                c.name,
                c.kind,
                tables.millions(c.model["parameters"]),
                f"{c.bytes / 1e6:.1f}",
                c.licence,
            ]
            for c in ready
        ]
        tables.show(tables.terminal(["model", "kind", "parameters", "MB", "its data"], rows))


def _weights_of(model: Any) -> str:
    if model.released:
        return f"with ligero, {model.layers} of its layers" if model.layers else "with ligero"
    return model.hub or "created at random"


def _demo(chosen: argparse.Namespace) -> None:
    from ligero import demo

    demo.write(Path(chosen.folder), seed=chosen.seed)
    data = " ".join(
        f"--{split} {chosen.folder}/{split}.conll" for split in ("train", "dev", "test")
    )
    print(
        f"{chosen.folder}: sentences made up by ligero (seed {chosen.seed}), to try it without real data;\n"
        "scores on them say nothing about real Spanish. The road on them, or on your own files:\n"
        f"  ligero compress {data} --unlabeled {chosen.folder}/text.txt"
    )


def _need_training() -> None:
    flags.need(flags.TRAINING, "train")


def _print_results(results: dict[str, Any], *, paper: bool = False) -> None:
    from ligero.report import tables

    tables.show(tables.terminal(*tables.comparison(results, paper=paper)))


def _print_details(details: dict[str, Any]) -> None:
    """The scores of each label, for each file that was scored."""
    from ligero.report import tables

    for name, labels in details.items():
        if labels:
            print(f"\n{name}")
            tables.show(tables.terminal(*tables.details(labels)))


def _make_room(file: str | None) -> None:
    """Make the folder of a file that is to be written, before the work and not after it."""
    if file:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
