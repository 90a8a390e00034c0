"""What no model at all reaches on the tasks of recipes/glues-small.toml: what its scores stand beside.

    LIGERO_DATA=… python benchmarks/baselines.py

The commonest label; for tags each word's commonest one (unknown words: PROPN if capitalised, else
NOUN); for trees each word under the one after it, with its commonest relation; for answers three words
in a row at random. It writes `benchmarks/results/baselines.json`.
"""

import datetime
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ligero.config import DataConfig
from ligero.runs import write_json
from ligero.tasks import source
from ligero.tasks.example import Example
from ligero.tasks.kinds.kind import Prediction
from ligero.tasks.metrics import Tallies, bootstrap, by_group, total

RESULTS = Path(__file__).parent / "results" / "baselines.json"
TASKS = (
    "topics-sib200", "pos-ancora-small", "ud-ancora-small", "ner-conll2002", "tar-small",
    "news-topics", "xnli-small", "pawsx-small",
)  # fmt: skip

Guess = Callable[[Example], Prediction]


def main() -> None:
    """Score the baseline of each task on its test data."""
    found = {name: scored(source.load(DataConfig(task=name))) for name in TASKS}
    write_json(RESULTS, {"date": datetime.date.today().isoformat(), "tasks": found})
    for name, row in found.items():
        print(f"{name}: {row['metric']} {row['test'][row['metric']]:.2f}")


def scored(task: source.Task) -> dict[str, Any]:
    """The figures of a task's baseline on its test data, and their intervals."""
    guess = GUESSES[task.kind.name](task.train.examples)
    examples = task.test.examples
    tallies = task.kind.tallies(examples, [guess(e) for e in examples], task.labels)

    def figures(sums: Tallies) -> dict[str, Any]:
        return task.kind.figures(sums, task.labels)

    return {
        "metric": task.metric,
        "test": {key: float(value) for key, value in figures(total(tallies)).items()},
        "interval": bootstrap(by_group(tallies, [task.kind.group(e) for e in examples]), figures),
    }


def classify(train: tuple[Example, ...]) -> Guess:
    """The commonest label."""
    label, _ = Counter(e.gold["label"][0] for e in train).most_common(1)[0]
    return lambda e: {"label": (str(label),)}


def tag(train: tuple[Example, ...]) -> Guess:
    """Each word's commonest tag."""
    known = commonest(train, "tag")
    entities = any(tag.startswith("B-") for tag in known.values())

    def unknown(word: str) -> str:
        return "O" if entities else "PROPN" if word[0].isupper() else "NOUN"

    return lambda e: {"tag": tuple(known.get(w, unknown(w)) for w in words(e))}


def parse(train: tuple[Example, ...]) -> Guess:
    """Each word under the one after it, the last one being the root."""
    known = commonest(train, "relation")

    def guess(e: Example) -> Prediction:
        found = words(e)
        heads = [*map(str, range(2, len(found) + 1)), "0"]
        relations = [*(known.get(w, "nmod") for w in found[:-1]), "root"]
        return {"head": tuple(heads), "relation": tuple(relations)}

    return guess


def answer(train: tuple[Example, ...]) -> Guess:
    """Three words in a row of the context, at random."""
    rng = random.Random(0)

    def guess(e: Example) -> Prediction:
        spans = e.words or ()
        first = rng.randrange(max(1, len(spans) - 2))
        return {"answer": (e.texts[1][spans[first][0] : spans[min(first + 2, len(spans) - 1)][1]],)}

    return guess


def words(e: Example) -> list[str]:
    """The forms of an example's words."""
    return [e.texts[-1][start:end] for start, end in e.words or ()]


def commonest(train: tuple[Example, ...], choice: str) -> dict[str, str]:
    """word -> the label it has most often."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for e in train:
        for word, label in zip(words(e), e.gold[choice], strict=True):
            counts[word][str(label)] += 1
    return {word: each.most_common(1)[0][0] for word, each in counts.items()}


GUESSES = {"classify": classify, "tag": tag, "parse": parse, "answer": answer}

if __name__ == "__main__":
    main()
