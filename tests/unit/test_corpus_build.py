"""A corpus from its files: the same whoever builds it, and what a naive program would leave."""

import json
import subprocess
import sys

import polars as pl
import pytest

import small_corpus
from ligero import runs
from ligero.corpus.build import Settings, build
from ligero.errors import InputError

PART = 16_000  # bytes: about ten parts


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return small_corpus.write(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def built(files, tmp_path_factory):
    """Builds a corpus with some settings; its documents and its results."""

    def go(workers=1, **settings):
        out = tmp_path_factory.mktemp("out") / "corpus"
        results = build(files, out, Settings(part_bytes=PART, **settings), workers)
        return out, results

    return go


def texts(out):
    parts = sorted((out / "text").glob("part-*"))
    assert len(parts) > 5
    return pl.concat([pl.read_parquet(part / "text.parquet") for part in parts]).rows()


def is_whole(line):
    """Whether a line is a sentence or several, and no piece of one."""
    letters = [character for character in line if character.isalpha()]
    return letters[:1] != [] and letters[0].isupper() and line.rstrip('"»”’)]')[-1:] in set(".!?…")


@pytest.fixture(scope="module")
def alone(built):
    return built(workers=1)


@pytest.mark.parametrize("workers", [2, 7])
def test_any_number_of_workers_leaves_the_same_bytes(built, alone, workers):
    out, results = built(workers=workers)
    assert results == alone[1]
    assert small_corpus.left(out) == small_corpus.left(alone[0])
    runs.verify(out)


def test_where_parts_are_cut_changes_nothing_that_stays(files, alone, tmp_path):
    build(files, tmp_path / "out", Settings(part_bytes=3 * PART), 1)
    parts = sorted((tmp_path / "out" / "text").glob("part-*"))
    assert len(parts) < 10
    assert pl.concat([pl.read_parquet(p / "text.parquet") for p in parts]).rows() == texts(alone[0])


def test_exact_copies_go_as_a_naive_program_would_have_it(built):
    everything = texts(built(copies=False, near_copies=False)[0])
    seen, lines_seen, expected = set(), set(), []
    copied = repeated = 0
    for name, text in everything:
        if text in seen:
            copied += 1
            continue
        seen.add(text)
        kept = []
        for line in text.split("\n"):
            if len(line) >= 40 and is_whole(line) and line in lines_seen:
                repeated += 1
                continue
            lines_seen.add(line)
            kept.append(line)
        if "".join(kept).strip():
            expected.append((name, "\n".join(kept)))
    out, results = built(near_copies=False)
    assert texts(out) == expected
    assert copied > 20 and repeated > 20
    assert results["documents_copied"] == copied
    assert results["lines_repeated"] == repeated
    assert results["documents_kept"] == len(expected)


def test_near_copies_go_and_with_them_no_line_that_nothing_else_holds(built, alone):
    cleaned = dict(texts(built(copies=False, near_copies=False)[0]))
    kept = texts(alone[0])
    exact = built(near_copies=False)[1]
    assert alone[1]["documents_nearly_copied"] > 15
    assert alone[1]["documents_copied"] == exact["documents_copied"]
    names = [name for name, _ in kept]
    # A line's only witness may be a near copy that went; whatever document stays keeps its lines,
    # or an earlier one that stays has them.
    held = {line for _, text in kept for line in text.split("\n")}
    lost = [line for name in names for line in cleaned[name].split("\n") if line not in held]
    assert lost == []


def test_a_short_line_may_repeat_and_a_long_one_may_not(alone):
    lines = [line for _, text in texts(alone[0]) for line in text.split("\n")]
    assert lines.count(small_corpus.ASIDE) == 1
    assert lines.count(small_corpus.SHORT) > 20


@pytest.mark.parametrize(
    ("line", "may_go"),
    [
        ("Consulte el texto completo de esta noticia en la edición impresa.", True),
        ("—¿Y qué quiere usted que haga yo con todo ese dinero, señora?", True),
        ("«El Poder Ejecutivo reglamentará la presente ley en treinta días».", True),
        ("La Contaduría General de la Nación habilitará los créditos necesarios", False),
        ("siguientes efectos respecto al funcionamiento de sus órganos sociales:", False),
        ("presente ley, que se publicará en el Boletín Oficial de la República.", False),
        ("—Sí, señor.", False),
    ],
)
def test_only_whole_sentences_of_some_length_go_where_they_repeat(tmp_path, line, may_go):
    file = tmp_path / "a.jsonl"
    texts = [f"Esto se dice una sola vez: {word}.\n{line}" for word in ("uno", "dos", "tres")]
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    results = build([file], tmp_path / "out", Settings(near_copies=False), 1)
    assert results["lines_repeated"] == (2 if may_go else 0)
    assert results["cleaning"]["lines"] == [6, 6], "cleaning must not have touched it"


def test_results_add_up(alone):
    out, results = alone
    rows = texts(out)
    dropped = ("documents_copied", "documents_nearly_copied", "documents_emptied")
    assert results["documents_read"] == len(rows) + sum(results[name] for name in dropped)
    assert results["documents_kept"] == len(rows)
    assert results["bytes_kept"] == sum(len(text.encode()) for _, text in rows)
    assert results["characters_kept"] == sum(len(text) for _, text in rows)
    assert results["cleaning"]["documents"] == [240, results["documents_read"]]
    copies = results["copies"]
    for name in ("documents", "lines", "bytes"):
        assert copies[name][0] == results["cleaning"][name][1]
    assert copies["documents"][1] == len(rows)
    assert copies["bytes"][1] == sum(len(text.encode()) - text.count("\n") for _, text in rows)
    counted = {name: count["lines"] for name, count in copies["rules"].items()}
    assert counted == {
        "copies": results["documents_copied"],
        "near copies": results["documents_nearly_copied"],
        "repeated lines": results["lines_repeated"],
    }
    taken = sum(count["taken"] for count in copies["rules"].values())
    assert copies["bytes"][0] - copies["bytes"][1] == taken
    repeated = {before for _, _, before, _ in copies["rules"]["repeated lines"]["samples"]}
    assert repeated and all(len(line) >= 40 for line in repeated)


def test_a_finished_corpus_is_left_alone_and_other_settings_are_refused(files, alone):
    before = {p: p.stat().st_mtime_ns for p in alone[0].rglob("*.parquet")}
    assert build(files, alone[0], Settings(part_bytes=PART), 1) == alone[1]
    assert {p: p.stat().st_mtime_ns for p in alone[0].rglob("*.parquet")} == before
    with pytest.raises(InputError, match="near_copies"):
        build(files, alone[0], Settings(part_bytes=PART, near_copies=False), 1)


def test_nothing_to_read_or_nothing_left_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        build([tmp_path / "none.txt"], tmp_path / "out")
    empty = tmp_path / "empty.txt"
    empty.write_text("\n\n\n")
    with pytest.raises(InputError, match="no document"):
        build([empty], tmp_path / "out", workers=1)
    unread = tmp_path / "bad.jsonl"
    unread.write_text('{"text": "Una frase."}\n{"text": \n')
    with pytest.raises(InputError) as caught:
        build([unread], tmp_path / "out-2", workers=1)
    assert caught.value.file == unread and caught.value.line == 2


MEASURE = """
import json, sys
from ligero.corpus.build import Settings, build
files, out, part = json.loads(sys.argv[1])
build(files, out, Settings(part_bytes=part), 1)
# Not getrusage: its figure begins with that of the process that started this one.
status = open("/proc/self/status").read()
print(int(status.split("VmHWM:")[1].split()[0]) * 1024)
"""


def test_memory_follows_the_parts_and_not_the_input(tmp_path, monkeypatch):
    """Four times the text, in parts of one size, takes hardly more memory."""
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    peaks, sizes = [], []
    for times in (4, 16):
        file = tmp_path / f"{times}.jsonl"
        with file.open("w") as lines:
            for seed in range(times):
                for text in small_corpus.documents(1000, seed):
                    lines.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
        arguments = json.dumps([[str(file)], str(tmp_path / f"out-{times}"), 1 << 19])
        run = subprocess.run(
            [sys.executable, "-c", MEASURE, arguments], capture_output=True, text=True, check=True
        )
        peaks.append(int(run.stdout))
        sizes.append(file.stat().st_size)
    print(f"\npeaks {peaks[0]:,} and {peaks[1]:,} for {sizes[0]:,} and {sizes[1]:,} bytes")
    assert sizes[1] - sizes[0] > 8 << 20
    # What holds the text, holds it several times over: as read, in lines, as written.
    assert peaks[1] - peaks[0] < sizes[1] - sizes[0]
