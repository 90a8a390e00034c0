"""What datatrove does that comes nearest to `ligero corpus build`; run by `benchmarks/corpus.py`.

    PYTHON benchmarks/corpus_datatrove.py STEP INPUT OUT WORKERS LID

PYTHON has datatrove and spaCy installed. STEP is one of STEPS, INPUT a folder of JSON lines, one
file for each worker, LID fastText's model of languages, or "" to judge none. OUT/times.json says how
long each executor took. Nothing is compressed.
"""

# mypy: disable-error-code="import-not-found"

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LANGUAGE = "spa"


Executors = dict[str, tuple[list[Any], int]]
"""Name -> the steps of one, and its tasks: 0 for as many as there are workers."""


def language(lid: str) -> list[Any]:
    """The filter of languages, if there is a model for it."""
    from datatrove.pipeline.filters import LanguageFilter

    if not lid:
        return []
    made = LanguageFilter(languages="es", language_threshold=0)
    made.model.MODEL_URL = lid
    return [made]


def nearest(lid: str) -> list[Any]:
    """What does, of datatrove's steps, what our rules do to a line; no text is dropped as too short."""
    from datatrove.pipeline.filters import C4QualityFilter
    from datatrove.pipeline.formatters import FTFYFormatter, PIIFormatter, SymbolLinesFormatter

    c4 = C4QualityFilter(
        filter_no_terminal_punct=False, min_num_sentences=-1, min_words_per_line=-1,
        filter_curly_bracket=False, language=LANGUAGE,
    )  # fmt: skip
    return [*language(lid), FTFYFormatter(), PIIFormatter(), SymbolLinesFormatter(), c4]


def usual(lid: str) -> list[Any]:
    """The filters of datatrove's own example (FineWeb), with Spanish for English, and formatters."""
    from datatrove.pipeline import filters
    from datatrove.pipeline.formatters import FTFYFormatter, PIIFormatter, SymbolLinesFormatter

    return [
        *language(lid),
        filters.GopherRepetitionFilter(language=LANGUAGE),
        filters.GopherQualityFilter(language=LANGUAGE, min_stop_words=None),
        filters.C4QualityFilter(filter_no_terminal_punct=False, language=LANGUAGE),
        filters.FineWebQualityFilter(language=LANGUAGE),
        FTFYFormatter(),
        PIIFormatter(),
        SymbolLinesFormatter(),
    ]


def exact(given: str, out: Path, cleaning: list[Any]) -> Executors:
    """Cleaning, then documents that were there before, then lines."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup import exact_dedup, sentence_dedup
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter

    def text(document: Document) -> str:
        return document.text

    def place(name: str) -> str:
        return str(out / name)

    whole = exact_dedup.ExactDedupConfig(content_getter=text)
    lines = sentence_dedup.SentDedupConfig(
        n_sentences=1, split_sentences=False, min_doc_words=-1, min_num_sentences=-1
    )
    return {
        "clean, sign documents": (
            [
                JsonlReader(given, compression=None),
                *cleaning,
                JsonlWriter(place("clean"), compression=None),
                exact_dedup.ExactDedupSignature(place("signed"), whole),
            ],
            0,
        ),
        "find copies": (
            [exact_dedup.ExactFindDedups(place("signed"), place("found"), whole)],
            1,
        ),
        "drop copies, sign lines": (
            [
                JsonlReader(place("clean"), compression=None),
                exact_dedup.ExactDedupFilter(place("found"), whole),
                JsonlWriter(place("documents"), compression=None),
                sentence_dedup.SentenceDedupSignature(
                    place("lines"), config=lines, language=LANGUAGE
                ),
            ],
            0,
        ),
        "find lines": (
            [sentence_dedup.SentenceFindDedups(place("lines"), place("repeats"), config=lines)],
            1,
        ),
        "drop lines": (
            [
                JsonlReader(place("documents"), compression=None),
                sentence_dedup.SentenceDedupFilter(
                    place("repeats"), config=lines, language=LANGUAGE
                ),
                JsonlWriter(place("text"), compression=None),
            ],
            0,
        ),
    }


def near(given: str, out: Path) -> Executors:
    """MinHash as datatrove has it by default: 5 words, 14 buckets of 8 hashes; its four stages."""
    from datatrove.pipeline.dedup import minhash
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter

    def place(name: str) -> str:
        return str(out / name)

    config = minhash.MinhashConfig()
    return {
        "sign": (
            [
                JsonlReader(given, compression=None),
                minhash.MinhashDedupSignature(place("signatures"), config, language=LANGUAGE),
            ],
            0,
        ),
        "buckets": (
            [minhash.MinhashDedupBuckets(place("signatures"), place("buckets"), config=config)],
            config.num_buckets,
        ),
        "cluster": ([minhash.MinhashDedupCluster(place("buckets"), place("gone"), config)], 1),
        "drop": (
            [
                JsonlReader(given, compression=None),
                minhash.MinhashDedupFilter(place("gone")),
                JsonlWriter(place("text"), compression=None),
            ],
            0,
        ),
    }


STEPS: dict[str, Callable[[str, Path, str], Executors]] = {
    "exact": lambda given, out, lid: exact(given, out, nearest(lid)),
    "usual": lambda given, out, lid: exact(given, out, usual(lid)),
    "near": lambda given, out, lid: near(given, out),
}


def main() -> None:
    """Run the executors one after the other, and write down how long each took."""
    from datatrove.executor import LocalPipelineExecutor

    step, given, out, workers, lid = sys.argv[1:]
    place, times = Path(out), {}
    for name, (pipeline, tasks) in STEPS[step](given, place, lid).items():
        began = time.perf_counter()
        tasks, logs = tasks or int(workers), str(place / "log" / name)
        LocalPipelineExecutor(
            pipeline, tasks=tasks, workers=min(tasks, int(workers)), logging_dir=logs
        ).run()
        times[name] = time.perf_counter() - began
    (place / "times.json").write_text(json.dumps(times))


if __name__ == "__main__":
    main()
