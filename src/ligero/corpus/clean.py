"""Cleaning: lines are dropped and changed by named rules, each with what it did counted.

Documents are taken apart into lines, `rules.RULES` are applied one after the other to all lines of
a frame at once (polars: Rust, one pass for each rule), and what is left is put together again. The
outcome depends on the frame and the options alone.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from ligero.corpus import language, rules
from ligero.corpus.rule import Block, Rule
from ligero.corpus.tally import Tally


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen.

    lowercase: the papers' variant for uncased models; accents stay.
    other_languages: keep lines and documents in other languages.
    short_lines: keep lines of a few words without a sentence's end: titles, names, verse.
    across: listings, front matter and translations may run over blank lines, that is, from one
        document of a frame into the next. For text files, where a blank line may be either; not for
        records (JSONL, Parquet, Wikipedia), where a listing ends with its document.
    samples: how many examples are kept of what each rule did.
    seed: which ones.
    """

    lowercase: bool = False
    other_languages: bool = False
    short_lines: bool = True
    across: bool = False
    samples: int = 20
    seed: int = 0


def clean(frame: pl.DataFrame, options: Options | None = None) -> tuple[pl.DataFrame, Tally]:
    """The documents of `frame` (columns `id`, `text`) cleaned, in their order, and what was done.

    A document of which nothing is left is dropped. Lines are parted by a newline, before and after.
    """
    work = _Lines(frame, options or Options())
    work.run()
    return work.documents(), work.tally


def _bytes(text: pl.Series) -> int:
    """Bytes of UTF-8 in all of `text`."""
    return int(text.str.len_bytes().sum())


class _Lines:
    """The lines of a frame while rules are applied to them.

    lines: `doc` (row of the frame), `line` (running number in the frame, ascending), `text`.
    """

    def __init__(self, frame: pl.DataFrame, options: Options):
        self.frame, self.options, self.tally = frame, options, Tally(options.samples)
        self.lines = (
            frame.with_row_index("doc")
            .select("doc", pl.col("text").str.split("\n"))
            .explode("text")
            .with_row_index("line")
        )
        # Which examples are kept follows from the text's place, not from who cleans it, or when.
        first = str(frame["id"][0]) if len(frame) else ""
        key = hashlib.sha256(f"{options.seed} {first}".encode()).digest()
        self.seed = int.from_bytes(key[:8], "big")

    def run(self) -> None:
        """Apply all rules."""
        self.tally.began(len(self.frame), len(self.lines), _bytes(self.lines["text"]))
        # Blank lines are no one's drop.
        self.lines = self.lines.filter(self.lines["text"].str.contains(r"\S"))
        for rule in rules.RULES:
            if isinstance(rule, Block):
                self._drop(rule.name, self._within(rule))
            else:
                _STEPS.get(rule, _Lines.apply)(self, rule)
        if self.options.lowercase:
            self.lines = self.lines.with_columns(pl.col("text").str.to_lowercase())
        docs = self.lines["doc"].n_unique()
        self.tally.ended(docs, len(self.lines), _bytes(self.lines["text"]))
        self._count("kept", "keep", self.lines.with_columns(after="text"), 0)

    def documents(self) -> pl.DataFrame:
        """What is left: `id`, `text`."""
        texts = self.lines.group_by("doc", maintain_order=True).agg(pl.col("text").str.join("\n"))
        ids = self.frame["id"].gather(texts["doc"])
        return pl.DataFrame({"id": ids, "text": texts["text"]})

    def apply(self, rule: Rule) -> None:
        """A rule of the ordinary kind: a pattern, and what is put in its place."""
        text = self.lines["text"]
        hit = text.str.contains(rule.pattern)
        if rule.unless and hit.any():
            hit = hit & ~text.str.contains(rule.unless)
        if not hit.any():
            return
        if rule.does == "drop line":
            return self._drop(rule.name, hit)
        rows = hit.arg_true()
        before = text.gather(rows)
        if callable(rule.put):
            after = pl.Series([rule.put(line) for line in before], dtype=pl.String)
        else:
            after = before.str.replace_all(rule.pattern, rule.put)
        self._change(rule.name, rows, after)

    def _change(self, name: str, rows: pl.Series, after: pl.Series) -> None:
        """The lines at `rows` become `after`; those that do are counted."""
        hits = self.lines[rows].with_columns(after=after)
        self.lines = self.lines.with_columns(self.lines["text"].scatter(rows, after))
        differ = hits.filter(pl.col("text") != pl.col("after"))
        self._count(name, "change", differ, _bytes(differ["text"]) - _bytes(differ["after"]))

    def _drop(self, name: str, hit: pl.Series, does: str = "drop line") -> None:
        """The lines where `hit` go, and are counted."""
        if hit.any():
            gone = self.lines.filter(hit)
            self._count(name, does, gone.with_columns(after=pl.lit("")), _bytes(gone["text"]))
            self.lines = self.lines.filter(~hit)

    def _count(self, name: str, does: str, hits: pl.DataFrame, taken: int) -> None:
        """Add `hits` (lines with their `after`) to the tally, and perhaps some to its samples."""
        if not len(hits):
            return
        count = hits["doc"].n_unique() if does == "drop document" else len(hits)
        some = (
            hits.with_columns(key=pl.col("line").hash(self.seed))
            .bottom_k(self.options.samples, by="key")
            .sort("key")
        )
        ids = self.frame["id"].gather(some["doc"])
        kept = zip(some["key"], ids, some["text"], some["after"], strict=True)
        self.tally.add(name, does, count, taken, list(kept))

    def _within(self, block: Block) -> pl.Series:
        """For each line whether it is within such a block."""
        text = self.lines["text"]
        opens = text.str.contains(block.opens)
        inside = pl.repeat(False, len(text), eager=True)
        if not opens.any():
            return inside
        if block.then:
            # The line after it tells a block from a mere rule.
            opens = opens & text.str.contains(block.then).shift(-1, fill_value=False)
        closes = text.str.contains(block.closes)
        marks = pl.DataFrame({"doc": self.lines["doc"], "opens": opens, "closes": closes})
        rows = [
            row
            for first, last in self._spans(block, marks.with_row_index())
            for row in range(first, last)
        ]
        return inside.scatter(rows, True) if rows else inside

    def _spans(self, block: Block, marks: pl.DataFrame) -> Iterator[tuple[int, int]]:
        """First row, and row after the last, of each block: no nesting, the nearest closing counts.

        One that is not closed (in time, in its document) is none, and its lines stay for the rules.
        """
        start: tuple[int, int] | None = None
        for row, doc, opens, closes in marks.filter(marks["opens"] | marks["closes"]).iter_rows():
            near = start is not None and (
                row - start[0] <= block.longest and (self.options.across or doc == start[1])
            )
            if start is not None and near and closes:
                yield start[0], row + block.whole
                start = None
            elif opens:
                start = (row, doc)

    def join(self, rule: Rule) -> None:
        """Translations that stand in quotes on several lines become one line each."""
        text = self.lines["text"]
        begins = text.str.contains(r"^(?:#~\s*)?msgstr(?:\[\d+\])?\s")
        if not begins.any():
            return
        goes_on = text.str.contains(r'^".*"\s*$')
        of = (~goes_on).cum_sum()
        # Of each group (a line and the quoted ones after it) those whose first line is a msgstr.
        ours = of.is_in(of.filter(begins).implode())
        body = text.str.extract(r'"(.*)"\s*$').fill_null("")
        for escape, character in (("\\n", " "), ("\\t", " "), ('\\"', '"'), ("\\\\", "\\")):
            body = body.str.replace_all(escape, character, literal=True)
        joined = (
            self.lines.with_columns(body.alias("body"), of.alias("of"))
            .filter(ours)
            .group_by("of", maintain_order=True)
            .agg(
                pl.col("line").first(),
                pl.col("doc").first(),
                pl.col("text").str.join("\n"),
                pl.col("body").str.join("").alias("after"),
            )
        )
        taken = _bytes(joined["text"]) - _bytes(joined["after"])
        self._count(rule.name, rule.does, joined, taken)
        texts = joined.select("line", "doc", text="after").cast(self.lines.schema)
        rest = self.lines.filter(~ours)
        self.lines = pl.concat([rest.select("line", "doc", "text"), texts]).sort("line")

    def other_languages(self, rule: Rule) -> None:
        """Lines in other languages, and documents that are mostly in them."""
        if self.options.other_languages or not len(self.lines):
            return
        hit = language.foreign(self.lines["text"])
        if not hit.any():
            return
        sizes = self.lines.select("doc", size=pl.col("text").str.len_bytes(), hit=hit).with_columns(
            gone=pl.col("size") * pl.col("hit")
        )
        most = sizes.group_by("doc").agg(pl.col("gone").sum() * 2 > pl.col("size").sum())
        whole = most.filter("gone")["doc"]
        foreign = self.lines["doc"].is_in(whole.implode())
        self._drop(rules.FOREIGN.name, foreign, "drop document")
        self._drop(rule.name, hit.filter(~foreign))

    def short(self, rule: Rule) -> None:
        """Short lines, if they are not wanted."""
        if not self.options.short_lines:
            self.apply(rule)

    def empty(self, rule: Rule) -> None:
        """Lines of which changes left nothing."""
        self._drop(rule.name, ~self.lines["text"].str.contains(r"\S"))

    def emptied(self, rule: Rule) -> None:
        """Documents of which no line is left: counted; there is nothing to drop."""
        gone = len(self.frame) - self.lines["doc"].n_unique()
        if rules.FOREIGN.name in self.tally.rules:
            gone -= self.tally.rules[rules.FOREIGN.name].lines
        self.tally.add(rule.name, rule.does, gone, 0, [])


# Rules that need more than a pattern.
_STEPS: dict[Rule, Callable[[_Lines, Rule], None]] = {
    rules.JOINED: _Lines.join,
    rules.LANGUAGE: _Lines.other_languages,
    rules.SHORT: _Lines.short,
    rules.EMPTY: _Lines.empty,
    rules.EMPTIED: _Lines.emptied,
    rules.FOREIGN: lambda lines, rule: None,  # seen to with the lines
}
