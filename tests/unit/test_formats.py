"""Formats: what is read, what is refused, and that every refusal says where and why in one line."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ligero.errors import InputError
from ligero.tasks import formats
from ligero.tasks.example import Split
from ligero.tasks.formats import text

Write = Callable[..., Path]

NER = "Ana B-PER\nvive O\n\nLima B-LOC\n"
TOPICS = "Deportes\tGanó el equipo local\nPolítica\tHabló la ministra\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(content: str | bytes, name: str = "data.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


def refused(path: Path, format: str | None = None, encoding: str | None = None) -> InputError:
    """The error of reading `path`, checked for what every error must have."""
    with pytest.raises(InputError) as caught:
        formats.read(path, format, encoding)
    message = str(caught.value)
    assert "\n" not in message and message.isprintable()
    assert message.startswith(f"{path}:")
    assert "found " in message and "; expected " in message
    return caught.value


def words(split: Split, index: int = 0) -> list[str]:
    example = split.examples[index]
    assert example.words is not None
    return [example.texts[-1][start:end] for start, end in example.words]


# --- text: lines and encodings


def lines(path: Path, encoding: str | None = None) -> tuple[str, ...]:
    return text.read(path, encoding).lines


def test_line_ends_are_unix_or_windows_and_nothing_else(write: Write) -> None:
    odd = "a\u0085b\u2028c\u2029d\x0be\x0cf\x1cg\rh"
    assert lines(write(f"{odd}\r\nj\nk\r\n")) == (odd, "j", "k", "")


def test_numbers_start_at_one_and_count_blank_lines(write: Write) -> None:
    assert list(text.read(write("a\n\nb")).numbered()) == [(1, "a"), (2, ""), (3, "b")]


def test_a_byte_order_mark_is_no_part_of_the_first_word(write: Write) -> None:
    split = formats.read(write(b"\xef\xbb\xbf" + NER.encode()))
    assert words(split) == ["Ana", "vive"]
    assert formats.read(write(b"\xef\xbb\xbf" + NER.encode()), encoding="utf-8") == split


def test_latin1_spanish_is_read_and_said(write: Write) -> None:
    content = "El O\nniño O\nvio O\nCoruña B-LOC\n¿ O\n".encode("iso-8859-1")
    split = formats.read(write(content, "esp.train"))
    assert words(split) == ["El", "niño", "vio", "Coruña", "¿"]
    assert split.notes[0] == "not UTF-8 (byte 0xF1 on line 2): read as ISO-8859-1"


def test_windows_quotes_and_dashes_are_read_and_said(write: Write) -> None:
    split = formats.read(write("a\t“año” — 5 €, sí\n".encode("cp1252")))
    assert split.examples[0].texts == ("“año” — 5 €, sí",)
    assert "Windows-1252" in split.notes[0]


@pytest.mark.parametrize(
    "codec, asked, expected",
    [
        ("utf-8", None, "utf-8"),
        ("utf-8-sig", None, "utf-8"),
        ("iso-8859-1", None, "iso-8859-1"),
        ("cp1252", None, "cp1252"),
        ("utf-16", "utf-16", "utf-16"),
        ("mac-roman", "Mac-Roman", "Mac-Roman"),
    ],
)
def test_the_codec_that_was_used_is_told(
    write: Write, codec: str, asked: str | None, expected: str
) -> None:
    word = "“año”" if codec == "cp1252" else "año"
    split = formats.read(write(f"a\t{word} nuevo\nb\tfin\n".encode(codec)), encoding=asked)
    assert split.encoding == expected and split.examples[0].texts == (f"{word} nuevo",)


@pytest.mark.parametrize("codec", ["cp850", "mac-roman", "cp1251", "cp437"])
def test_other_encodings_are_refused(write: Write, codec: str) -> None:
    spanish = "a\tEl próximo año habrá más café en España, según se anunció aquí el miércoles\n"
    russian = "a\tСегодня утром в городе говорили о выборах и погоде, а вечером о футболе\n"
    content = (russian if codec == "cp1251" else spanish).encode(codec)
    error = refused(write(b"a\tb\n" + content))
    assert error.line == 2 and "ISO-8859-1" in str(error)


@pytest.mark.parametrize(
    "around", ["café y ñandú, ¿no?", "“a” “b” “c” “d” “e” “f” “g” “h” á", "¡Olé! 😀😀😀😀"]
)
def test_damaged_utf8_is_refused_with_line_and_byte(write: Write, around: str) -> None:
    content = f"a\t{around}\nb\tcaf".encode() + b"\xe9 solo\n"
    error = refused(write(content))
    assert error.line == 2
    assert "byte 0xE9 (byte 6 of the line)" in error.found


def test_bytes_that_windows_does_not_define_are_refused(write: Write) -> None:
    assert refused(write("a\tñññññññññ".encode("latin-1") + b"\x81\n")).line == 1


def test_a_fifth_of_foreign_characters_is_the_limit(write: Write) -> None:
    assert lines(write("ññññ\xde".encode("latin-1"))) == ("ññññ\xde",)
    assert "byte 0xF1" in refused(write("ñññ\xde".encode("latin-1"))).found


@pytest.mark.parametrize("codec", ["utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-be"])
def test_utf16_and_utf32_are_named(write: Write, codec: str) -> None:
    error = refused(write(TOPICS.encode(codec)))
    assert codec[:6].upper() in error.found
    assert error.line == 1 and "iconv" in str(error)


def test_utf32_is_not_taken_for_utf16(write: Write) -> None:
    assert refused(write(TOPICS.encode("utf-32"))).found == "UTF-32 text"
    assert refused(write(TOPICS.encode("utf-16"))).found == "UTF-16 text"


def test_an_encoding_that_is_asked_for_is_used(write: Write) -> None:
    path = write(TOPICS.encode("utf-16"))
    assert formats.read(path, encoding="utf-16").examples[1].gold == {"label": ("Política",)}
    error = refused(write("a\tb\na\tñ\n".encode("latin-1")), encoding="utf-8")
    assert error.line == 2 and "0xF1" in error.found and error.expected == "text in utf-8"


@pytest.mark.parametrize("name", ["utf-9", "rot13", "base64"])
def test_an_unknown_encoding_offers_known_ones(write: Write, name: str) -> None:
    with pytest.raises(InputError, match=r"unknown encoding .*utf-8"):
        formats.read(write(TOPICS), encoding=name)


def test_a_nul_byte_is_refused_with_its_line(write: Write) -> None:
    error = refused(write("a\tuno dos tres\nb\tcuatro\0cinco\n"))
    assert error.line == 2 and "NUL" in error.found
    assert refused(write("a\tuno\nb\tcu\0atro\n"), encoding="latin-1").line == 2


def test_half_a_surrogate_pair_is_refused_with_its_line(write: Write) -> None:
    error = refused(write("a\tuno\nb\tdos +2AA-\n"), encoding="utf-7")
    assert error.line == 2 and "surrogate" in error.found


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert refused(tmp_path).found == "a folder"


def test_a_missing_file_offers_the_nearest_name(write: Write) -> None:
    path = write(NER, "esp.train")
    error = refused(path.with_name("esp.trian"))
    assert error.found == "no such file" and "did you mean 'esp.train'?" in str(error)
    assert "did you mean" not in str(refused(path.with_name("zzz")))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert "no folder" in refused(tmp_path / "nada" / "esp.train").found


def test_a_file_without_permission_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(NER)
    if os.geteuid() == 0:  # root may read everything, so the refusal is put on here

        def deny(self: Path, *mode: str) -> bytes:
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(Path, "open", deny)
    else:
        path.chmod(0)
    assert "permissions" in str(refused(path))


def test_any_other_failure_to_read_is_one_line(tmp_path: Path) -> None:
    assert "name too long" in refused(tmp_path / ("a" * 300)).found


@pytest.mark.parametrize(
    "content, found", [(b"", "an empty file"), (b"\n \n\t\r\n", "only blank lines")]
)
def test_nothing_to_read_is_refused(write: Write, content: bytes, found: str) -> None:
    error = refused(write(content))
    assert error.found == found and error.line == 1


def test_a_huge_word_is_refused_with_its_length(write: Write) -> None:
    error = refused(write("Ana B-PER\n" + "x" * 2**20 + " O\n"))
    assert error.found == "a word of 1,048,576 characters"
    assert error.expected == "at most 10,000" and error.line == 2


def test_the_longest_word_and_a_longer_text_are_read(write: Write) -> None:
    assert len(formats.read(write("a\t" + "x" * 10_000)).examples[0].texts[0]) == 10_000
    assert len(formats.read(write("a\t" + "x " * 50_000)).examples[0].texts[0]) == 100_000
    refused(write("a\t" + "x" * 10_001))


# --- the registry and the guess


def test_an_unknown_format_offers_known_ones(write: Write) -> None:
    with pytest.raises(InputError, match=r"unknown format 'connl': did you mean conll, conllu"):
        formats.read(write(NER), "connl")


@pytest.mark.parametrize(
    "name, content, expected",
    [
        ("esp.testb", "una sola palabra por cada renglón\n", "conll"),
        ("ned.testa", TOPICS, "conll"),
        ("a.IOB", TOPICS, "conll"),
        ("a.txt", NER, "conll"),
        ("a.tsv", NER.replace(" ", "\t"), "conll"),
        ("a.tsv", "Ana\tB-PER\nvive\tO\n", "conll"),  # one sentence, no blank line
        ("a.tsv", "Ana\tNP\nvive\tVM\n\nLima\tNP\n", "conll"),
        ("a.txt", "# id = 1\n# text = Ana\nAna O\n", "conll"),
        ("a.txt", "-DOCSTART- -X- O O\n\nAna NP B O\n", "conll"),
        ("a.txt", "Ana B-PER\nvive\nen O\n", "conll"),  # one bad line does not change the format
        ("a.txt", TOPICS, "tsv"),
        ("a.txt", TOPICS.replace("\n", "\n\n"), "tsv"),
        ("a.tsv", "bueno\tExcelente\nmalo\tPésimo\n", "tsv"),  # texts of one word
        ("a.tsv", "index_id\tcategory\ttext\n1\tx\tHola a todos\n", "tsv"),
        ("a.txt", "una línea de texto y nada más\n", "tsv"),
    ],
)
def test_guess(write: Write, name: str, content: str, expected: str) -> None:
    path = write(content, name)
    assert formats.guess(path) == expected
    assert formats.guess(str(path)) == expected


def test_guess_takes_lines() -> None:
    assert formats.guess(iter(["Ana B-PER", "vive O"])) == "conll"
    assert formats.guess(["a\tuna frase", "b\totra frase"]) == "tsv"


def test_what_was_understood_is_said(write: Write) -> None:
    assert formats.read(write(NER)).notes == (
        "read as CoNLL, 2 columns (word … tag), for the kind tag",
    )
    assert formats.read(write(TOPICS)).notes == (
        "read as TSV, columns label, text (no header), for the kind classify",
    )


CONLLU = "1\tSí\t_\tINTJ\t_\t_\t0\troot\t_\t_\n"
SQUAD = '{"data": [{"paragraphs": [{"context": "c", "qas": [{"id": "1", "question": "q"}]}]}]}'


@pytest.mark.parametrize(
    "format, content",
    [("conll", NER), ("conllu", CONLLU), ("tsv", TOPICS), ("csv", "label,text\na,una frase\n"),
     ("jsonl", '{"label": "a", "text": "b"}'), ("squad", SQUAD)],
)  # fmt: skip
def test_the_format_that_was_used_is_told(write: Write, format: str, content: str) -> None:
    guessed = formats.read(write(content))
    assert guessed.format == format and guessed.encoding == "utf-8"
    assert formats.read(write(content), format) == guessed


def test_a_named_format_overrides_the_guess(write: Write) -> None:
    path = write("Ana\tB-PER\nvive\tO\n")
    assert formats.read(path).kind == "tag"
    assert formats.read(path, "tsv").kind == "classify"


# --- CoNLL


def test_conll_sentences(write: Write) -> None:
    split = formats.read(write(NER))
    first, second = split.examples
    assert (split.kind, split.file) == ("tag", str(write(NER)))
    assert (first.id, first.line, first.texts) == ("1", 1, ("Ana vive",))
    assert first.words == ((0, 3), (4, 8))
    assert first.gold == {"tag": ("B-PER", "O")}
    assert (second.id, second.line, second.texts) == ("4", 4, ("Lima",))


@pytest.mark.parametrize(
    "content",
    [
        "Ana NP B-PER\nvive VM O\n",
        "Ana\tNP\tB-PER\nvive\tVM\tO\n",
        "Ana  NP   B-PER \nvive VM O\r\n",
        "Ana\t\tNP\t \tB-PER\t\nvive\tVM\tO",
        "\n \n\t\nAna NP B-PER\nvive VM O\n\u00a0\n\n",
        "Ana NP x B-PER\nvive VM x O\n",
    ],
)
def test_conll_separators_and_column_counts(write: Write, content: str) -> None:
    (example,) = formats.read(write(content), "conll").examples
    assert example.texts == ("Ana vive",)
    assert example.gold == {"tag": ("B-PER", "O")}


def test_only_spaces_and_tabs_part_columns(write: Write) -> None:
    odd = ["10\u00a0000", "a\u2028b", "c\u0085d", "e\x0cf", "g\u200bh", "Nueva York"]
    content = "".join(f"{word}\tO\n" for word in odd)
    split = formats.read(write(content), "conll")
    assert words(split) == odd
    assert words(formats.read(write("\u00a010\u00a0000 O\n"))) == ["\u00a010\u00a0000"]


def test_part_of_speech_tags_are_tags(write: Write) -> None:
    assert formats.read(write("Ana NP\nvive VMI\n")).examples[0].gold == {"tag": ("NP", "VMI")}


def test_comments_give_ids(write: Write) -> None:
    content = (
        "# id = uno\n# text = Ana = yo\nAna O\n\n"
        "# sent_id = es 2\nLima O\n\n"
        "Sol O\n\n"
        "# id 5239d808\tdomain=es\n\nMar O\n"
    )
    split = formats.read(write(content))
    assert [(e.id, e.line) for e in split.examples] == [
        ("uno", 3),
        ("es 2", 6),
        ("8", 8),
        ("5239d808", 12),
    ]


def test_a_given_number_is_no_other_sentences_line(write: Write) -> None:
    # The first sentence begins on line 1, which the second is called; the third on line 6.
    content = "Ana O\n\n# id = 1\nLima O\n\nSol O\n\n# id = line 1\nMar O\n"
    split = formats.read(write(content), "conll")
    assert [e.id for e in split.examples] == ["line line 1", "1", "6", "line 1"]


def test_a_hash_is_a_word(write: Write) -> None:
    split = formats.read(write("# O\n1 O\n\nsomos O\n# O\n\n# =x\nla O\n# a=b\n#hoy O\n"))
    assert [words(split, i) for i in range(3)] == [["#", "1"], ["somos", "#"], ["la", "#", "#hoy"]]
    assert split.examples[2].gold == {"tag": ("O", "a=b", "O")}


def test_document_breaks_end_sentences_and_are_no_words(write: Write) -> None:
    content = "-DOCSTART- -X- -X- O\n\nAna NP x O\n-DOCSTART-\nLima NP x O\n-DOCSTART- O\n"
    split = formats.read(write(content))
    assert [e.texts[0] for e in split.examples] == ["Ana", "Lima"]


def test_an_entity_across_a_sentence_break_and_an_orphan_stay_as_they_are(write: Write) -> None:
    split = formats.read(write("San B-LOC\n\nJuan I-LOC\n. O\n"))
    assert [e.gold["tag"] for e in split.examples] == [("B-LOC",), ("I-LOC", "O")]


def test_a_long_sentence_is_kept_whole(write: Write) -> None:
    split = formats.read(write("palabra O\n" * 1238))
    assert len(words(split)) == 1238 and set(words(split)) == {"palabra"}


@pytest.mark.parametrize(
    "content, line, found, expected",
    [
        ("Ana B-PER\nvive\n", 2, "1 column ('vive')", "2, as on line 1"),
        ("Ana NP O\n\nvive O\n", 3, "2 columns ('vive O')", "3, as on line 1"),
        ("# id = 1\nAna\n", 2, "1 column ('Ana')", "2, 3 or 4 columns: word … tag"),
        ("a b c d e\n", 1, "5 columns ('a b c d e')", "2, 3 or 4 columns"),
        ("\tO\n", 1, "1 column", "2, 3 or 4 columns"),
        ("Ana\tNP\tO\nvive\t\tO\n", 2, "2 columns", "3, as on line 1"),
        ("1\tEl\tel\tDET\tda\t_\t2\tdet\t_\t_\n", 1, "10 columns", "CoNLL-U"),
        ("Ana\tNP\tO\nvive\tVM\tx O\n", 2, "the tag 'x O'", "a tag without a space"),
        ("# id = a\nAna O\n\n# id = a\nLima O\n", 5, "'a' again (first on line 2)", "of its own"),
        ("-DOCSTART- O\n\n# id = 1\n", 1, "no sentence", "lines of words and tags"),
    ],
)
def test_conll_errors(write: Write, content: str, line: int, found: str, expected: str) -> None:
    error = refused(write(content), "conll")
    assert error.line == line and found in error.found
    assert error.expected is not None and expected in error.expected


# --- TSV


def test_tsv_without_header(write: Write) -> None:
    split = formats.read(write('Deportes \tDijo "sí\n\n \nOcio\t  el «cine»  \n'), "tsv")
    assert split.kind == "classify"
    first, second = split.examples
    assert (first.id, first.line, first.texts) == ("1", 1, ('Dijo "sí',))
    assert first.gold == {"label": ("Deportes",)} and first.words is None
    assert (second.id, second.line, second.texts) == ("4", 4, ("  el «cine»  ",))


def test_tsv_pairs(write: Write) -> None:
    (example,) = formats.read(write("1\tuna frase\totra frase\n")).examples
    assert example.texts == ("una frase", "otra frase") and example.gold == {"label": ("1",)}


def test_tsv_header_in_any_order(write: Write) -> None:
    content = "index_id\tcategory\ttext\n548\tscience\tLa luz viaja\n"
    split = formats.read(write(content))
    (example,) = split.examples
    assert (example.id, example.line, example.texts) == ("548", 2, ("La luz viaja",))
    assert example.gold == {"label": ("science",)}
    assert "columns id, label, text (as its header says)" in split.notes[-1]


def test_tsv_header_of_pairs(write: Write) -> None:
    content = "\nID\tSentence2\tsentence1\tEtiqueta\n7\tsegunda frase\tprimera frase\tsí\n"
    (example,) = formats.read(write(content)).examples
    assert example.texts == ("primera frase", "segunda frase")
    assert (example.id, example.line, example.gold) == ("7", 3, {"label": ("sí",)})


def test_a_first_row_that_only_resembles_a_header_is_a_row(write: Write) -> None:
    split = formats.read(write("topic\tHabló de todo un poco\ntext\tNada de nada\n"))
    assert [e.gold["label"] for e in split.examples] == [("topic",), ("text",)]


@pytest.mark.parametrize(
    "content, line, found, expected",
    [
        ("a\tuna\n\nb\tdos\ttres\n", 3, "3 columns ('b\\tdos\\ttres')", "2, as on line 1"),
        ("a\tuna\nb\n", 2, "1 column ('b')", "2, as on line 1"),
        ("una frase\n", 1, "1 column ('una frase')", "2 columns (label, text) or 3"),
        ("a\tb c\tc\td\n", 1, "4 columns", "2 columns (label, text) or 3"),
        ("a\tuna\n \tdos\n", 2, "an empty label (' \\tdos')", "something in every column"),
        ("a\tuna\nb\t\u00a0\n", 2, "an empty text", "something in every column"),
        ("a\tuna\nb\t\n", 2, "an empty text", "something in every column"),
        ("a\tuna\tdos\nb\tuna\t\n", 2, "an empty text", "something in every column"),
        ("id\tlabel\ttext\n\ta\tuna\n", 2, "an empty id", "something in every column"),
        (
            "id\tlabel\ttext\n1\ta\tuna\n1\ta\tdos\n",
            3,
            "the id '1' again (first on line 2)",
            "an id of its own for each row",
        ),
        ("label\ttext\n\n", 1, "a header and no row", "at least one row"),
        ("id\ttext\n1\tuna frase\n", 1, "a header without a label column", "etiqueta"),
        ("id\tlabel\n1\ta\n", 1, "a header without a text column", "sentence"),
        ("label\ttopic\ttext\na\tb\tc d\n", 1, "two label columns, 'label' and 'topic'", "one of"),
        ("label\tcontenido\na\tuna frase\n", 1, "with the column 'contenido'", "texto"),
    ],
)
def test_tsv_errors(write: Write, content: str, line: int, found: str, expected: str) -> None:
    error = refused(write(content), "tsv")
    assert error.line == line and found in error.found
    assert error.expected is not None and expected in error.expected


# --- the real files, where they are at hand


@pytest.mark.skipif("LIGERO_DATA" not in os.environ, reason="LIGERO_DATA names no data folder")
@pytest.mark.parametrize(
    "name, kind, count, longest",
    [
        ("ner-conll2002/esp.train", "tag", 8323, 1238),
        ("ner-conll2002/esp.testa", "tag", 1915, 141),
        ("ner-conll2002/esp.testb", "tag", 1517, 202),
        ("news-topics/train.tsv", "classify", 676, 0),
        ("news-topics/test.tsv", "classify", 290, 0),
        ("topics-sib200/train.tsv", "classify", 701, 0),
        ("topics-sib200/dev.tsv", "classify", 99, 0),
        ("topics-sib200/test.tsv", "classify", 204, 0),
    ],
)
def test_real_files(name: str, kind: str, count: int, longest: int) -> None:
    split = formats.read(Path(os.environ["LIGERO_DATA"]) / "glues" / name)
    assert (split.kind, len(split.examples), len(split.notes)) == (kind, count, 1)
    assert max(len(example.words or ()) for example in split.examples) == longest
    assert all(example.id == str(example.line) for example in split.examples) == (
        not name.startswith("topics-sib200")
    )
