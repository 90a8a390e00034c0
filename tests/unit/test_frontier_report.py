"""The page, its pictures, and the places of names on them."""

import html.parser
import itertools
import json

import numpy as np
import pytest

from frontier_folders import export, results, row, run
from ligero import runs
from ligero.cli import main
from ligero.measure import budget, gather
from ligero.report import frontier, frontier_page, labels, scatter
from ligero.report.scatter import Front, Group, Scale


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A task with published figures, one of one's own, an exported model, and a damaged run."""
    place = tmp_path_factory.mktemp("runs")
    parts = {"student-alone": row("ligero-micro", 90.0), "student": row("ligero-nano", 88.0)}
    run(place / "a", "compress", {**results("pos-ancora-small", **parts), "title": "Parts <1>"})
    mine = {**results("mis textos", model=row("elsewhere", 60.0)), "scored": "dev"}
    run(place / "b", "finetune", mine)
    run(place / "c", "finetune", results("otra", model=row("ligero-tiny", 50.0)), data="one")
    run(place / "d", "finetune", results("otra", model=row("ligero-micro", 45.0)), data="other")
    bad = run(place / "bad", "finetune", results("otra", model=row("ligero-tiny", 51.0)))
    (bad / "results.json").write_text("{}")
    export(place / "e", 49.0, of="otra")
    return place


@pytest.fixture(scope="module")
def written(folder, tmp_path_factory):
    """The report on it, made twice: where it lies, and what came of it."""
    out = tmp_path_factory.mktemp("out")
    kept = out / "latency.json"
    timing = dict(p50=2.0, p95=3.5, rounds=9, length=20, threads=2, date="2026-01-01")
    runs.write_json(kept, {budget.key(folder / "e", 2, 20): timing})
    return out, frontier_page.write([folder], out / "report", kept)


class Page(html.parser.HTMLParser):
    """Collects what a page asks for, and its pictures."""

    def __init__(self, text):
        super().__init__()
        self.asked, self.images, self.cells = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.asked += [v for k, v in found.items() if k in ("src", "href")]
        if tag == "img":
            self.images.append(found)
        assert tag not in ("link", "iframe", "object")

    def handle_data(self, data):
        self.cells.append(data)


def test_the_page_stands_alone(written):
    _, made = written
    text = made.page.read_text()
    page = Page(text)
    assert page.asked and all(v.startswith("data:image/svg+xml;base64,") for v in page.asked)
    assert "url(" not in text and "@import" not in text and "prefers-color-scheme: dark" in text
    # A picture of all sizes, one of speed for each task whose shapes are known, one by the clock.
    assert len(page.images) == 4
    assert all(len(image["alt"]) > 60 for image in page.images)
    assert (
        "Front of those found here: ligero-nano 87.0 at 514x, ligero-micro 89.0 at 115x"
        in (page.images[1]["alt"])
    )
    assert any("e 49.0 at 3.50 ms" in image["alt"] for image in page.images)
    assert "Parts <1>" in page.cells and "<1>" not in text
    assert any("SHA-256" in cell for cell in page.cells)
    assert any("2 different contents under the name otra" in cell for cell in page.cells)
    assert any("learned from all of pos-ancora" in cell for cell in page.cells)
    assert any("scored on dev" in cell for cell in page.cells)


def test_the_figures_as_json(written):
    out, made = written
    found = json.loads((out / "report" / "report.json").read_text())
    first, *_ = found["tasks"]
    # The one with published figures comes first; they have another figure than the task's own.
    assert (first["task"], first["metric"], first["beside"]) == (
        "pos-ancora-small", "accuracy", "chunk_f1",
    )  # fmt: skip
    assert first["front"] == ["ligero-nano", "ligero-micro"] and len(first["published"]) == 17
    assert first["merit"]["together"] >= max(first["merit"]["found"], first["merit"]["published"])
    assert first["merit"]["found"] == 89.0  # 64 times as fast as BETO, and more
    other = next(t for t in found["tasks"] if t["task"] == "otra")
    assert other["front_measured"] == ["e"] and other["merit"]["measured"] == pytest.approx(
        49 * np.log(1000 / 3.5) / np.log(1000), abs=0.01
    )
    assert len(found["left_out"]) == 1 and len(made.left_out) == 1


def test_pictures_are_the_same_bytes_each_time(tmp_path):
    group = Group("a", [1, 2, 4], [80, 81, 85], ["one", "two", ""], "s", scatter.BLUE)
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        files = [tmp_path / folder / f"a.{ending}" for ending in ("png", "svg")]
        scatter.scatter([group], files, x=Scale("x", 2), y=Scale("y"), title="t", note="n")
    for ending in ("png", "svg"):
        first, second = (tmp_path / f / f"a.{ending}" for f in ("first", "second"))
        assert first.read_bytes() == second.read_bytes() != b""


def test_the_table_of_a_task(folder):
    section = frontier.sections(gather.gather([folder]))[0]
    heading, rows = frontier.table(section)
    cells = [dict(zip(heading, line, strict=True)) for line in rows]
    micro = next(c for c in cells if c["model"] == "ligero-micro")
    assert (micro["accuracy"], micro["F1 over chunks"]) == ("90.00 ±2.00", "89.00")
    assert micro["learned from"] == "labels" and micro["x BETO"] == "115x"
    assert micro["by MACs"] == "front"
    nano = next(c for c in cells if c["model"] == "ligero-nano")
    assert nano["learned from"] == "a teacher" and nano["by MACs"] == "front"
    tiny = [c for c in cells if c["model"] == "albeto-tiny"]
    assert [c["where"] for c in tiny] == ["published"] * 2 and tiny[0]["by MACs"] == "front"
    assert "p95, ms" not in heading and "precision" not in heading


def test_names_of_files_are_apart(folder):
    names = {
        frontier.Section(task, split, "", "", "", [], [], [], None).name
        for task in ("a b", "a-b", "a/b", "a", "a.dev", "a-dev")
        for split in ("test", "dev")
    }
    assert len(names) == 12 and not any(c in name for name in names for c in "/ ")


def boxes(figure):
    return [text.get_window_extent() for text in figure.axes[0].texts]


def test_names_do_not_cover_one_another():
    # Seventeen points of which most stand in one heap, as the papers' do.
    rng = np.random.default_rng(3)
    x, y = np.exp2(rng.normal(0, 1.2, 17)), 85 + rng.normal(0, 1.5, 17)
    names = [f"some-model-{n}" for n in range(17)]
    groups = [
        Group("a", x[:12], y[:12], names[:12], "s", scatter.BLUE),
        Group("b", x[12:], y[12:], names[12:], "o", scatter.VERMILLION, True, y[12:] - 1,
              y[12:] + 1, first=True),
    ]  # fmt: skip
    front = Front("front", sorted(x), sorted(y, reverse=True), scatter.BLACK)
    figure = scatter.draw(
        groups, x=Scale("x", 2), y=Scale("y"), title="t", fronts=[front], note="n"
    )  # fmt: skip
    assert len(boxes(figure)) == 17
    for a, b in itertools.combinations(boxes(figure), 2):
        assert not a.overlaps(b)
    inside = figure.axes[0].get_window_extent().padded(12)
    assert all(inside.contains(*box.min) and inside.contains(*box.max) for box in boxes(figure))
    spots = figure.axes[0].transData.transform(np.stack([x, y], axis=1))
    hidden = sum(box.contains(*spot) for box in boxes(figure) for spot in spots)
    assert hidden == 0


def test_a_lone_name_stands_beside_its_point_without_a_line():
    at = np.array([[50.0, 50.0]])
    (placed,) = labels.place([0], [(30.0, 8.0)], at, np.empty((0, 2)), (0, 0, 100, 100), 4.0)
    assert placed.end is None and np.hypot(*(placed.corner - at[0])) < 15
    # Where a line runs to the right of it the name goes elsewhere.
    line = np.stack([np.linspace(50, 100, 40), np.full(40, 50.0)], axis=1)
    (other,) = labels.place([0], [(30.0, 8.0)], at, line, (0, 0, 100, 100), 4.0)
    x, y = other.corner
    assert not ((line > [x, y]) & (line < [x + 30, y + 8])).all(axis=1).any()


@pytest.mark.filterwarnings("error")
def test_a_lone_point_has_room_on_either_side():
    group = Group("a", [4.0], [80.0], ["one"], "s", scatter.BLUE)
    figure = scatter.draw([group], x=Scale("x", 2), y=Scale("y"), title="t")
    assert figure.axes[0].get_xlim() == (2.0, 8.0)


def test_one_failed_model_does_not_flatten_the_others():
    scores = [80.0, 82.0, 85.0, 86.0]
    assert scatter.floor_of([79.0], scores) is None
    floor = scatter.floor_of([79.0], [21.5, *scores])
    assert 70 < floor < 79
    # What is one's own always stays in sight.
    assert scatter.floor_of([21.0], [21.5, *scores]) is None
    group = Group("a", [1, 2, 3], [21.5, 80, 85], ["bad", "good", "best"], "s", scatter.BLUE)
    figure = scatter.draw([group], x=Scale("x", 2), y=Scale("y"), title="t", floor=78.0)
    assert figure.axes[0].get_ylim()[0] == 78.0
    assert {text.get_text() for text in figure.axes[0].texts} == {"bad: 21.5", "good", "best"}


def test_the_command(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("LIGERO_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "out"
    assert main(["report", str(folder / "c"), str(folder / "bad"), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert f"all of it: {out}/index.html" in said.out and "ligero-tiny 50.00" in said.out
    assert "left out" in said.err and str(folder / "bad") in said.err
    assert {"index.html", "report.json", "sizes.png", "sizes.svg"} <= {
        path.name for path in out.iterdir()
    }


def test_the_command_without_anything_to_show(tmp_path, capsys, monkeypatch):
    assert main(["report", str(tmp_path)]) == 2
    assert main(["report", str(tmp_path / "none")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 and "no finished run" in said[0]
    from ligero import flags

    monkeypatch.setattr(flags, "find_spec", lambda name: None if name == "matplotlib" else 1)
    assert main(["report", str(tmp_path)]) == 1
    assert "pip install 'ligero[plots]'" in capsys.readouterr().err


def test_an_interval_may_lie_beside_its_score():
    # An exported model's is that of the original, which may score better.
    group = Group("a", [1.0], [80.0], ["one"], "s", scatter.BLUE, True, [81.0], [83.0])
    figure = scatter.draw([group], x=Scale("x", 2), y=Scale("y"), title="t")
    assert figure.axes[0].get_ylim()[0] < 80.0 and figure.axes[0].get_ylim()[1] > 83.0
