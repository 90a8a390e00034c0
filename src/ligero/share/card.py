"""The card of a model on the hub: what it is, what it was made of, how good it is, and what it is not.

All of it comes from what the run and the export wrote down; what they do not say is left out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ligero.models import catalog
from ligero.report import tables
from ligero.runs import read_json, sha256
from ligero.runtime.card import Card
from ligero.share import licences, recipe
from ligero.share.finished import EXPORT, Finished
from ligero.share.front import QUESTION, TEXT, front, in_pairs, pipeline
from ligero.tasks import word_shapes

_DOES = {
    "tag": "gives each word of a Spanish text a tag",
    "classify": "chooses a label for a Spanish text",
    "answer": "finds the answer to a question among the words of a Spanish text",
    "parse": "finds the head of each word of a Spanish sentence, and its relation to it",
}
_HOW = {"finetune": "Fine-tuned", "distill": "Distilled", "compress": "Distilled"}


def page(finished: Finished, repository: str, licence: str) -> str:
    """README.md: YAML for the hub, then the card for a person.

    repository: `owner/name`, or the name alone of a model that comes with ligero. licence: of the
    weights, by the hub's name of it.
    """
    title = repository.rpartition("/")[2]
    parts = [
        f"---\n{front(finished, title, licence)}\n---",
        f"# {title}",
        _restriction(finished, licence),
        _what(finished),
        _section("Use", _use(finished, repository)),
        _section("Figures", _figures(finished)),
        _section("Speed", _speed(finished)),
        _section("Licences and data", _data(finished, licence)),
        _section("How it was made", _making(finished)),
        _section("Limits", _limits(finished)),
        _section("Files", _files(finished, "" if title == repository else f"{EXPORT}/")),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(title: str, parts: Iterator[str]) -> str:
    text = "\n\n".join(parts)
    return f"## {title}\n\n{text}" if text else ""


def _restriction(finished: Finished, licence: str) -> str:
    """What stands at the top where not everyone may use the model for everything."""
    if licences.restricts(finished.data_licence):
        return (
            f"> **Its data restrict its use.** It was trained on {finished.title}, whose terms are: "
            f"{finished.data_licence}. Licence of these weights: {licence}."
        )
    if licences.restricts(licence):
        return f"> **Its use is restricted.** Licence of these weights: {licence}."
    return ""


def _what(finished: Finished) -> str:
    trained = f", trained on {finished.title}" if finished.title else ""
    facts = [
        f"- Parameters: {finished.parameters:,}.",
        f"- Reads at once: {finished.window} sub-words.",
    ]
    if finished.kind != "answer":
        shown = ", ".join(f"`{label}`" for label in finished.labels)
        facts.append(f"- Labels ({len(finished.labels)}): {shown}.")
    return (
        f"A model that {_DOES[finished.kind]}{trained}. Made with ligero (kind of task: "
        f"`{finished.kind}`).\n\n" + "\n".join(facts)
    )


def _use(finished: Finished, repository: str) -> Iterator[str]:
    text, more = f'"{TEXT}"', ""
    if finished.kind == "answer":
        text, more = f'"{QUESTION}"', f' --context "{TEXT}"'
    elif in_pairs(finished):
        text, more = '"Un texto."', ' --pair "Otro texto."'
    if "/" not in repository:
        yield f"```sh\nligero predict {repository} {text}{more}\nligero serve {repository}\n```"
        yield (
            "```python\nfrom ligero.runtime import Predictor\n\n"
            f'predictor = Predictor("{repository}")\npredictor({text})\n```'
        )
        return
    if finished.model:
        yield f"With ligero:\n\n```sh\nligero predict {repository} {text}{more}\n```"
    if tried := pipeline(finished):
        yield f"With transformers:\n\n```python\n{_opened(finished, repository, tried)}\n```"
    if finished.export:
        made = Card.read(finished.export)
        yield (
            f"Exported ({made.precision} on {made.format}), without torch or transformers:\n\n```sh\n"
            f"ligero pull {repository} --out modelo\nligero predict modelo/{EXPORT} {text}{more}\n```"
        )


def _opened(finished: Finished, repository: str, tried: str) -> str:
    if finished.kind == "answer":
        # transformers has dropped its pipeline for extractive answers, and kept the classes.
        return (
            "from transformers import AutoModelForQuestionAnswering, AutoTokenizer\n\n"
            f'model = AutoModelForQuestionAnswering.from_pretrained("{repository}")\n'
            f'tokenizer = AutoTokenizer.from_pretrained("{repository}")'
        )
    text = f'"{TEXT}"'
    if in_pairs(finished):
        text = '{"text": "Un texto.", "text_pair": "Otro texto."}'
    # A word's tag is that of its first sub-word, which is how the model learned it.
    first = ', aggregation_strategy="first"' if finished.kind == "tag" else ""
    return (
        "from transformers import pipeline\n\n"
        f'model = pipeline("{tried}", model="{repository}"{first})\nmodel({text})'
    )


def _figures(finished: Finished) -> Iterator[str]:
    results = finished.results
    if not finished.scores:
        return
    count = results.get("examples", {}).get(results["scored"])
    texts = f" ({count:,} texts)" if count else ""
    rows = [
        [tables.NAMES.get(figure, figure), f"{value:.2f}", finished.interval(figure)]
        for figure, value in finished.scores.items()
    ]
    yield (
        f"On the {results['scored']} split of {finished.title}{texts}, in percent, with 95% intervals "
        f"by resampling texts.\n\n{tables.markdown(['', 'score', '95% interval'], rows)}"
    )
    if len(results["models"]) > 1:
        yield f"The models of the same run:\n\n{tables.markdown(*tables.comparison(results))}"
    if told := tables.worth(results):
        yield told


def _speed(finished: Finished) -> Iterator[str]:
    machine = finished.results.get("machine")
    if machine and "seconds_per_1000" in finished.row:
        yield (
            f"In torch: {finished.row['seconds_per_1000']:.2f} s for 1,000 texts, tokenising included "
            f"({_listed(machine)})."
        )
    gate = finished.export / "gate.json" if finished.export else None
    if gate is None or not gate.is_file():
        return
    report = read_json(gate)
    chosen, metric = report["chosen"], report["task"]["metric"]
    fast, slow = report["milliseconds"][chosen], report["milliseconds"]["original"]
    # Milliseconds say nothing without the machine; a ratio of times taken in turn does.
    named = report.get("machine")
    times = (
        f"{fast:.2f} ms, the original in torch {slow:.2f} ms ({named})"
        if named
        else f"{slow / fast:.1f} times as fast as the original in torch"
    )
    score = next(v for v in report["verdicts"] if v["precision"] == chosen)["score"][metric]
    yield (
        f"Exported ({chosen} on {report['runtime']}), one text of the usual length, timed in turn: "
        f"{times}. Its {metric} on {report['task']['split']}: {score:.2f}, the original's "
        f"{report['original'][metric]:.2f}."
    )


def _data(finished: Finished, licence: str) -> Iterator[str]:
    entry, start, results = finished.entry, finished.architecture, finished.results
    lines = [f"- Licence of these weights: {licence}."]
    if start:
        lines.append(f"- They started as {start.name}: {start.licence}.")
    for row in finished.teachers():
        known = catalog.MODELS.get(row["model"].partition(":")[0])
        terms = f": {known.licence}" if known else ""
        lines.append(f"- They learned from the outputs of {row['model']}{terms}.")
    if entry:
        lines += [
            f"- Data: {entry.title}: {entry.licence}.",
            f"- Where the data come from: {entry.source}.",
            f"- To be cited: {entry.citation}.",
        ]
    elif results:
        lines.append(f"- Data: {finished.title}; their terms are not told here.")
    if counts := results.get("examples"):
        lines.append(f"- Examples: {', '.join(f'{n:,} {name}' for name, n in counts.items())}.")
    notes = results.get("notes", [entry.note] if entry and entry.note else [])
    yield "\n".join([*lines, *(f"- Note: {note}." for note in notes)])


def _making(finished: Finished) -> Iterator[str]:
    if not finished.begun:
        return
    row, begun = finished.row, finished.begun
    start = "random weights" if begun["weights"] is None else recipe.public(begun["model"])
    yield (
        f"{_HOW[finished.command]} from {start} by ligero {finished.version}: "
        f"{row['steps']:,} steps, {row['tokens']:,} sub-words, {row['seconds']:,.0f} s. "
        "The command, with every setting that is not at its default:"
    )
    yield f"```sh\n{recipe.command(finished)}\n```"


def _limits(finished: Finished) -> Iterator[str]:
    lines = ["- It is for Spanish alone."]
    if finished.scores:
        lines.append(
            f"- Its figures are those of {finished.title}; on texts of another kind expect less."
        )
    if finished.results.get("scored") == "dev":
        lines.append(
            "- There was no test file: the texts that scored it also chose its checkpoint."
        )
    if finished.model:
        lines.append(
            f"- Longer texts than {finished.window} sub-words are read by ligero in overlapping "
            "windows, which transformers does not do by itself."
        )
        if finished.kind == "parse":
            lines.append("- Its head is a class of ligero's: plain transformers does not load it.")
        if finished.decoding != "independent":
            lines.append(
                f"- ligero chooses the tags of a sentence together (`{finished.decoding}`); "
                "transformers takes the best of each word, which is not what the figures are of."
            )
        if word_shapes.step(finished.config):
            lines.append(
                "- It knows words' case by token types that ligero gives; transformers, which does not "
                "give them, has it read all as lower case."
            )
    yield "\n".join(lines)


def _files(finished: Finished, exported: str) -> Iterator[str]:
    rows = []
    if finished.model:
        files = sorted(finished.model.glob("*.safetensors"))
        rows += [[f"`{file.name}`", f"`{sha256(file)}`"] for file in files]
    if finished.export:
        files = [f for f in sorted(finished.export.iterdir()) if f.stem in ("model", "head")]
        rows += [[f"`{exported}{file.name}`", f"`{sha256(file)}`"] for file in files]
    if data := finished.begun.get("data"):
        rows.append(["texts and labels of all splits", f"`{data}`"])
    if start := finished.begun.get("weights"):
        rows.append(["the checkpoint it started from", f"`{start}`"])
    yield tables.markdown(["", "SHA-256"], rows)


def _listed(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())
