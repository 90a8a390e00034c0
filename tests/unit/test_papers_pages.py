"""Pages of the papers' tables: every number is there, in its place, in each way of writing."""

import html
import html.parser
import re
import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from ligero.papers import TABLES
from ligero.papers.own import ITSELF, Standing, Value
from ligero.papers.table import Figure
from ligero.report import papers, papers_writers
from ligero.report.papers import sheet
from ligero.report.papers_writers import in_latex, in_markdown

SMALL = Standing(
    {"beto-cased": "ligero-tiny", "albeto-tiny": "ligero-nano", "albeto-base-2": "ligero-tiny-2"},
    {"mldoc": "news-topics", "xnli": "xnli-small", "ner-conll2002": "ner-conll2002"},
    {"mlqa": "too large", "bertin": "nothing stands for it"},
)
HOSTILE = 'no <script>alert("&")</script> | a_b *c* `d` $x$ \\end{table} 100% #1 ~ ^ {y}\nnext'

scores = st.floats(0, 100)
halves = st.none() | st.floats(0, 10)
own_values = st.builds(
    lambda value, half, seeds: Value(value, None if half is None else value - half,
                                     None if half is None else value + half, seeds),
    scores, halves, st.integers(1, 5),
)  # fmt: skip


@st.composite
def sheets(draw):
    table = TABLES[draw(st.sampled_from(sorted(TABLES)))]
    places = sorted(table.values)
    own = draw(st.dictionaries(st.sampled_from(places), own_values, max_size=len(places)))
    return sheet(table, own, standing=draw(st.sampled_from([ITSELF, SMALL])), notes=(HOSTILE,))


def lines(page):
    """What a page must show: the texts of each line, and which of its figures are marked."""
    return [
        ([*line.labels, *(s.text for s in line.cells)], [s.best for s in line.cells])
        for _, some in page.sections
        for line in some
    ]


class Rows(html.parser.HTMLParser):
    """The rows of tables that have figures: their texts, and which of their figures are bold."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.asked, self.tags, self.within = [], [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.asked += [value for key, value in attributes if key in ("src", "href")]
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append(["", False])
            self.within = True
        elif tag == "b":
            self.rows[-1][-1][1] = True

    def handle_endtag(self, tag):
        self.within = self.within and tag not in ("td", "th")

    def handle_data(self, data):
        if self.within:
            self.rows[-1][-1][0] += data

    def figures(self, width, labels):
        found = [row for row in self.rows if len(row) == width]
        return [
            ([text.replace("−", "-") for text, _ in row], [bold for _, bold in row[labels:]])
            for row in found
        ]


def of_markdown(text, labels):
    rows = [line for line in text.split("\n") if line.startswith("| ")][2:]
    found = []
    for row in rows:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        if cells[0].startswith("*") and not cells[1]:
            continue
        bold = [cell.startswith("**") for cell in cells[labels:]]
        found.append(([plain_markdown(cell) for cell in cells], bold))
    return found


def plain_markdown(text):
    return re.sub(r"\\(.)", r"\1", re.sub(r"^\*\*(.*)\*\*$", r"\1", text))


def of_latex(text, labels):
    body = text.split(r"\bottomrule")[0].split(r"\midrule", 1)[1]
    found = []
    for row in body.split("\n"):
        if not row.endswith(r"\\") or row.startswith(r"\multicolumn"):
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)&", row.removesuffix(r" \\"))]
        bold = [cell.startswith(r"\textbf") for cell in cells[labels:]]
        found.append(([plain_latex(cell) for cell in cells], bold))
    return found


def plain_latex(text):
    text = re.sub(r"^\\textbf\{(.*)\}$", r"\1", text).replace("$-$", "-")
    for sign, said in papers_writers._LATEX_SIGNS.items():
        if sign != "\\":
            text = text.replace(said, sign)
    return text


def shown(page, width=400):
    console = Console(width=width, color_system=None)
    with console.capture() as kept:
        console.print(papers_writers.terminal(page))
    return kept.get()


@settings(max_examples=60, deadline=None)
@given(sheets())
def test_every_number_is_in_its_place_in_every_writing(page):
    expected = lines(page)
    width = len(expected[0][0])
    assert (
        Rows(papers_writers.fragment(page)).figures(width, page.labels)[-len(expected) :]
        == expected
    )
    assert of_markdown(papers_writers.markdown(page), page.labels) == expected
    assert of_latex(papers_writers.latex(page), page.labels) == expected
    text, at = shown(page), 0
    for texts, _ in expected:
        found = re.search(r"\s+".join(re.escape(t) for t in texts if t), text[at:])
        assert found, texts
        at += found.end()


@settings(max_examples=60, deadline=None)
@given(sheets())
def test_a_page_is_well_formed_whatever_is_said_in_it(page):
    read = Rows(papers_writers.html([page, replace(page, name="other")]))
    assert "script" not in read.tags and all(link.startswith("#") for link in read.asked)
    latex = papers_writers.latex(page)
    bare = re.sub(r"\\[{}]", "", latex)
    assert bare.count("{") == bare.count("}")
    begun, ended = (re.findall(rf"\\{word}\{{(\w+)\}}", latex) for word in ("begin", "end"))
    assert sorted(begun) == sorted(ended) and len(begun) == 3
    form = re.search(r"\\begin\{tabular\}\{(\w+)\}", latex)[1]
    for row in re.findall(r"^(.*) \\\\$", latex, re.M):
        spans = [int(n) for n in re.findall(r"\\multicolumn\{(\d+)\}", row)]
        cells = len(re.findall(r"(?<!\\)&", row)) + 1
        assert cells - len(spans) + sum(spans) == len(form), row
    rows = [line for line in papers_writers.markdown(page).split("\n") if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1


@given(st.text())
def test_latex_prints_any_text_as_it_is(text):
    left = re.sub(r"\\(text\w+\{\}|[{}&%$#_])|\$\\pm\$|^\(?\$-\$", "", in_latex(text))
    assert not re.search(r"[\\{}&%$#_~^<>|±]", left)
    assert all(c < "\u0180" or c in "–—‘’“”…" for c in left)


@given(st.text())
def test_markdown_prints_any_text_as_it_is(text):
    written = in_markdown(text)
    assert plain_markdown(written) == " ".join(text.split()) or written.startswith("\\*")
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>|~&#]", re.sub(r"\\.", "", written))


def test_a_difference_says_whether_it_is_one():
    table = TABLES["albeto-3"]
    column = table.columns[0].name
    own = {
        ("beto-cased", column): Value(98.90, 98.60, 99.20),
        ("albeto-tiny", column): Value(98.04, 97.90, 98.30),
        ("albeto-base", column): Value(97.08),
        ("distilbeto", column): Value(97.499),
    }
    found = papers.triples(table, own)
    assert [s.text for s in found["beto-cased", column]] == ["98.84", "98.90 ±0.30", "(+0.06)"]
    kinds = {row: found[row, column].difference.kind for row, _ in own}
    assert kinds == {
        "beto-cased": "within", "albeto-tiny": "better", "albeto-base": "worse", "distilbeto": "same",
    }  # fmt: skip
    assert found["albeto-base", column].difference.text == "-1.00"
    assert found["distilbeto", column].difference.text == "+0.00"
    assert [s.text for s in found["albeto-large", column]] == ["97.87", "–", ""]


def test_fewer_parameters_are_better():
    table = TABLES["speedy-3"]
    found = papers.triples(table, {("albeto-tiny", "parameters"): Value(4.2)})
    assert [s.text for s in found["albeto-tiny", "parameters"]] == ["5M", "4.2M", "-0.8M"]
    assert found["albeto-tiny", "parameters"].difference.kind == "better"


def test_hours_are_told_as_precisely_as_they_are_known():
    found = papers.triples(
        TABLES["speedy-8"],
        {("albeto-tiny", "hours"): Value(0.0123), ("albeto-tiny", "hours_sd"): Value(0.00042)},
    )
    assert [s.text for s in found["albeto-tiny", "hours"]] == ["3.8", "0.012", "-3.788"]
    assert [s.text for s in found["albeto-tiny", "hours_sd"]] == ["3.1e-2", "4.2e-4", "-3.1e-2"]


def test_a_page_of_stand_ins_says_so_in_words():
    table = TABLES["speedy-5"]
    own = {
        ("albeto-tiny", "mldoc.accuracy.finetune"): Value(90.0, 89.0, 91.0, 3),
        ("albeto-base-4", "mldoc.accuracy.finetune"): Value(91.0),
        ("albeto-base-4", "pawsx.accuracy.finetune"): Value(80.0),
    }
    page = sheet(table, own, standing=SMALL)
    assert page.warning == (
        "The published figures are not comparable with those found here: they are of other models and "
        "data. ligero-nano stands for ALBETO tiny; ligero-tiny-2 stands for ALBETO base-2; "
        "news-topics stands for MLDoc; xnli-small stands for XNLI."
    )
    found = papers.triples(table, own, SMALL)
    # Neither the model nor the data may be another.
    assert found["albeto-tiny", "mldoc.accuracy.finetune"].difference.text == "n/c"
    assert found["albeto-base-4", "mldoc.accuracy.finetune"].difference.text == "n/c"
    assert found["albeto-base-4", "pawsx.accuracy.finetune"].difference.text == "-2.90"
    assert ("", "here: ligero-nano") in [line.labels for _, some in page.sections for line in some]
    assert "MLDoc*" in [head.text for head in page.heads[0]]
    assert "*: other data stand here." in page.notes
    for written in (papers_writers.markdown(page), papers_writers.latex(page), shown(page)):
        assert "not comparable with those found here" in " ".join(written.split())
    assert '<p class="warning">The published figures are not' in papers_writers.html([page])
    assert sheet(table, own).warning == ""


def test_costs_compare_whatever_data_stand_here_and_means_do_not():
    table = TABLES["speedy-3"]
    own = {("beto-uncased", c.name): Value(80.0) for c in table.columns}
    found = papers.triples(table, own, SMALL)
    said = {c.name: found["beto-uncased", c.name].difference.text for c in table.columns}
    assert said == {"parameters": "-30.0M", "speedup": "+79.00x", "score": "n/c"}
    notes = sheet(table, own, standing=SMALL).notes
    assert "The mean found here is over 7 tasks: without MLQA." in notes
    # What is relative to another row is only as comparable as that row.
    size = papers.triples(TABLES["albeto-6"], {("beto-uncased", "size"): Value(1.0)}, SMALL)
    assert size["beto-uncased", "size"].difference.text == "n/c"


def test_reasons_are_told_in_few_words():
    table = TABLES["speedy-6"]
    own = {place: Value(70.0) for place in table.values}
    gone = [place for place in own if place[1] == "pos-ancora.chunk_f1.distill"]
    gone += [place for place in own if place[0] == "albeto-base-4"]
    gone += [("albeto-base-6", "ner-conll2002.f1.finetune")]
    left = {place: value for place, value in own.items() if place not in gone}
    why = dict.fromkeys(gone, "out of memory")
    assert papers.reasons(table, left, why) == [
        "– out of memory: POS KD (all models), ALBETO base-4, ALBETO base-6 (NER FT)."
    ]
    assert papers.reasons(table, {}, {}) == ["– not run: all."]
    (said,) = papers.reasons(
        TABLES["speedy-2"],
        {p: Value(1.0) for p in TABLES["speedy-2"].values if p[0] != "albeto-tiny.distilled"},
        {},
    )
    assert said == "– not run: ALBETO tiny distilled."


def test_seeds_are_told():
    own = {("beto-cased", "pos-ancora.chunk_f1"): Value(98.0, seeds=3)}
    assert papers.seeds(own) == ["Figures found here are means over 3 seeds."]
    own["beto-uncased", "pos-ancora.chunk_f1"] = Value(98.0, seeds=2)
    assert papers.seeds(own) == ["Figures found here are means over 2 to 3 seeds."]
    assert papers.seeds({}) == []


def test_headings_are_told_apart_where_none_spans_another():
    said = papers_writers.columns(sheet(TABLES["speedy-2"], {}))
    assert said[2:] == [
        "MLDoc", "PAWS-X", "XNLI", "POS", "NER", "MLQA F1", "MLQA exact", "SQAC F1", "SQAC exact",
        "TAR/XQuAD F1", "TAR/XQuAD exact",
    ]  # fmt: skip
    said = papers_writers.columns(sheet(TABLES["albeto-6"], {}))
    assert said[:4] == ["", "Parameters paper", "Parameters here", "Parameters difference"]
    for table in TABLES.values():
        headings = [text for text in papers_writers.columns(sheet(table, {})) if text]
        assert len(set(headings)) == len(headings) >= len(table.columns)
    assert papers_writers.groups(sheet(TABLES["speedy-2"], {})) == [
        "Text classification (accuracy): MLDoc, PAWS-X, XNLI.", "Sequence tagging (F1): POS, NER.",
    ]  # fmt: skip


def test_a_narrow_terminal_loses_no_figure():
    own = {place: Value(77.77, 77.17, 78.37) for place in TABLES["speedy-2"].values}
    text = shown(sheet(TABLES["speedy-2"], own), width=110)
    assert text.count("77.77") == text.count("±0.60") == len(own)
    assert all(len(line) <= 110 for line in text.split("\n"))


def test_a_plan_makes_its_page(tmp_path):
    from ligero.papers import recipe

    file = tmp_path / "own.toml"
    file.write_text(
        'table = "albeto-3"\ntasks = ["ner-conll2002"]\n[finetune]\nmodels = ["albeto-tiny"]\n'
        '[small.models]\nalbeto-tiny = "ligero-nano"\n[small.tasks]\nner-conll2002 = "ner-conll2002"\n'
        '[small.missing]\npos-ancora = "no treebank"\n'
    )
    plan = recipe.read(file, "small")
    figures = {Figure("finetune", "ligero-nano", "ner-conll2002", "f1"): Value(50.0)}
    page = papers.planned(plan, figures, notes=("Made on a Tuesday.",))
    assert "– no treebank: POS (all models)." not in page.notes
    assert "– nothing stands for it at the small scale: BETO uncased, BETO cased" in "\n".join(
        page.notes
    )
    assert "– no treebank: ALBETO tiny (POS)." in page.notes
    assert "Made on a Tuesday." in page.notes


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="LaTeX is not at hand")
def test_latex_is_what_latex_takes(tmp_path):
    notes = (HOSTILE, "ñ Ŝ ŋ Đ ¤ µ ¬ 漢 … ‘a’ – � α")
    pages = []
    for table in TABLES.values():
        own = {place: Value(77.77, 77.1, 78.4) for place in table.values}
        pages += [sheet(table, own, standing=each, notes=notes) for each in (ITSELF, SMALL)]
    text = "\\clearpage\n".join(map(papers_writers.latex, pages))
    (tmp_path / "page.tex").write_text(
        "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{booktabs,graphicx}"
        f"\\begin{{document}}\n{text}\\end{{document}}\n"
    )
    made = subprocess.run(
        ["pdflatex", "-draftmode", "-halt-on-error", "page.tex"], cwd=tmp_path, capture_output=True
    )
    assert made.returncode == 0, made.stdout[-2000:]
    assert b"Overfull" not in made.stdout
