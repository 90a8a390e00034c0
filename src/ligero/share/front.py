"""The YAML at the top of a card, by which the hub lists, filters and tries a model."""

from ligero.report.tables import NAMES
from ligero.runtime.card import Card
from ligero.share import licences
from ligero.share.finished import Finished

# The hub's names for kinds of task. It has none for parsing, whose head is ligero's own class.
PIPELINES = {
    "tag": "token-classification",
    "classify": "text-classification",
    "answer": "question-answering",
}
# What the hub's box for trying a model out begins with.
TEXT = "Ana García vive en Córdoba y trabaja desde mayo en la Universidad de Granada."
QUESTION = "¿Dónde vive Ana García?"
# Tasks of the catalog whose texts come in pairs, which that box does not take.
PAIRS = ("pawsx", "xnli")
# What the hub calls figures where ligero calls them otherwise.
_METRICS = {"exact": "exact_match"}


def front(finished: Finished, title: str, licence: str) -> str:
    """The YAML, without the lines around it.

    title: what the model is called. licence: of the weights, by the hub's name of it.
    """
    from huggingface_hub import EvalResult, ModelCardData

    entry, start = finished.entry, finished.architecture
    repository = entry.hub.repository if entry and entry.hub else None
    results = [
        EvalResult(
            task_type=PIPELINES.get(finished.kind, finished.kind),
            dataset_type=repository or finished.results["task"],
            dataset_name=finished.title,
            dataset_split=finished.results["scored"],
            metric_type=_METRICS.get(figure, figure),
            metric_name=_named(finished, figure),
            metric_value=round(value, 2),
        )
        for figure, value in finished.scores.items()
    ]
    tags = ["ligero", "spanish", finished.kind, finished.config.get("model_type", "")]
    if any(finished.teachers()):
        tags.append("distillation")
    if finished.export:
        tags.append(Card.read(finished.export).format)
    tried = pipeline(finished)
    data = ModelCardData(
        language="es",
        license=licence,
        license_name="see-the-card" if licence == licences.OTHER else None,
        library_name="transformers" if tried else "ligero",
        pipeline_tag=tried,
        tags=[tag for tag in tags if tag],
        datasets=[repository] if repository else None,
        base_model=start.hub if start else None,
        model_name=title,
        eval_results=results or None,
        widget=_widget(finished) if tried else None,
    )
    written: str = data.to_yaml()
    return written


def pipeline(finished: Finished) -> str | None:
    """The pipeline of transformers that runs this model; None where none does."""
    return PIPELINES.get(finished.kind) if finished.model else None


def in_pairs(finished: Finished) -> bool:
    """Whether it is known to compare two texts."""
    return finished.entry is not None and finished.entry.name.removesuffix("-small") in PAIRS


def _named(finished: Finished, figure: str) -> str:
    interval = finished.interval(figure)
    return NAMES.get(figure, figure) + (f", 95% interval {interval}" if interval else "")


def _widget(finished: Finished) -> list[dict[str, str]] | None:
    if in_pairs(finished):
        return None
    return [{"text": QUESTION, "context": TEXT} if finished.kind == "answer" else {"text": TEXT}]
