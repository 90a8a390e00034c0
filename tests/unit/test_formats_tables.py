"""Tables: headers, CSV's quoting and delimiters, the rules that drop rows, JSON lines, guesses."""

import json

import pytest

from ligero.errors import InputError
from ligero.tasks import formats
from ligero.tasks.formats import csv, text


@pytest.fixture
def write(tmp_path):
    def put(content, name="a.csv"):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8", newline="")
        return path

    return put


def objects(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def rows(split):
    return [(e.id, e.line, e.texts, e.gold["label"][0]) for e in split.examples]


def refused(path, line, found, expected, **wanted):
    with pytest.raises(InputError) as caught:
        formats.read(path, **wanted)
    error = caught.value
    assert str(error).startswith(f"{path}:{line}: found ") and str(error).isprintable()
    assert found in error.found and expected in (error.expected or "")


# --- CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_is_quoted_as_rfc_4180_says(write, delimiter):
    cells = [
        ["label", "text"],
        ["a", '"Dijo ""sí"", y; se|fue\tya"'],
        ["b", '"Una línea,\r\n\r\notra ""línea"""'],
        ["c", 'mide 5" o 6"'],
        ["d", '""""'],
    ]
    split = formats.read(write("\r\n".join(delimiter.join(row) for row in cells)))
    assert rows(split) == [
        ("2", 2, ('Dijo "sí", y; se|fue\tya',), "a"),
        ("3", 3, ('Una línea,\n\notra "línea"',), "b"),
        ("6", 6, ('mide 5" o 6"',), "c"),
        ("7", 7, ('"',), "d"),
    ]
    assert split.kind == "classify" and "read as CSV parted by" in split.notes[0]


@pytest.mark.parametrize(
    "content, delimiter",
    [
        ("Deporte;Ganó, otra vez, el local\nOcio;Cine, hoy\n", ";"),
        ("Deporte,Ganó el local\nOcio,Cine; y teatro\n", ","),
        ("a,uno;dos\nb,tres;cuatro\n", ";"),  # either would do: commas are the commoner mark
        ("id;etiqueta;texto\n1;a;uno, dos\n", ";"),
        ("texto,etiqueta,otra;cosa\nuno,a,x\n", ","),
        ("a|uno, dos; tres\nb|cuatro, cinco; seis\n", "|"),
        ("a\tuno, dos\nb\ttres\n", "\t"),
        ('a,"uno, dos"\nb,"tres"\n', ","),
        ("a,uno\nb,dos,tres,cuatro\n", ","),
    ],
)
def test_the_delimiter_is_found(write, content, delimiter):
    assert csv.sniff(text.read(write(content))) == delimiter


@pytest.mark.parametrize(
    "content, line, found, expected",
    [
        ('a,uno\nb,"dos\n\ntres\n', 2, "a quote that is never closed", "the end of the cell"),
        ('a,uno\nb,"dos" y tres\n', 2, "' y tres' after a closing quote", "end of the row"),
        ('a,uno\n"b\nc",uno\n\nd,uno,dos\n', 5, "3 columns", "2, as on line 1"),
        ("una frase\n", 1, "1 column", "2 columns (label, text) or 3"),
        ('a,uno\nb,""\n', 2, "an empty text", "something in every column"),
        ("label,text\n", 1, "a header and no row", "at least one row"),
        ("label,text,class\na,uno,b\n", 1, "two label columns, 'label' and 'class'", "one of them"),
    ],
)
def test_csv_errors(write, content, line, found, expected):
    refused(write(content), line, found, expected)


def test_many_lines_in_one_cell_take_linear_time(write):
    inside = '""x,\n' * 200_000
    split = formats.read(write(f'label,text\na,"{inside}"\nb,fin\n'))
    assert [e.line for e in split.examples] == [2, 200_003]
    refused(write('a,uno\nb,"' + inside), 2, "never closed", "")


# --- what Excel writes


@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_declared_delimiter_is_used_and_no_row(write, delimiter, name):
    # Without the declaration the bar would seem to part two cells.
    lines = [f'{label}{delimiter}"uno|dos, tres; y\tmás"' for label in "xy"]
    for first in (f"sep={delimiter}", f'"SEP={delimiter}"', f"\ufeffsep={delimiter}"):
        path = write("\r\n".join([first, *lines]) + "\r\n", name)
        split = formats.read(path)
        assert [(e.line, e.gold["label"][0]) for e in split.examples] == [(2, "x"), (3, "y")]
        assert {e.texts for e in split.examples} == {("uno|dos, tres; y\tmás",)}
        assert split.format == "csv" and "CSV parted by" in split.notes[0]


def test_only_the_first_line_declares_a_delimiter(write):
    refused(write("a,uno\nsep=;\n"), 2, "1 column ('sep=;')", "2, as on line 1")
    refused(write("sep=;\n"), 1, "no row with anything in it", "at least one row")


@pytest.mark.parametrize("format, mark", [("csv", ";"), ("tsv", "\t")])
def test_empty_rows_are_dropped_and_counted(write, format, mark):
    lines = [
        ";;",
        "id;etiqueta;texto",
        "1;a;uno",
        ' ; ;"  "' if format == "csv" else " ; ; ",
        ";;;;",
    ]
    content = "\n".join([*lines, "2;b;dos", "", ";;"]).replace(";", mark)
    split = formats.read(write(content), format)
    assert [e.id for e in split.examples] == ["1", "2"]
    assert [(c.line, c.action, c.reason) for c in split.changes] == [
        (line, "dropped", "an empty row") for line in (1, 4, 5, 8)
    ]


def test_empty_rows_do_not_hide_what_a_file_is(write):
    assert formats.guess(write(";;\nid;label;text\n1;a;una frase\n", "a.txt")) == "csv"
    assert formats.guess(write('a\t"dijo ""sí"""\nb\tno\n\t\t\n', "a.tsv")) == "csv"


@pytest.mark.parametrize(
    "extra",
    ["edad, en años", "¿Le gustó?", "¡Ojo!", "% de acuerdo", "nº", "1ª vez", "«cita»", "l'any",
     "50 °C", "a & b + c", "categori\u0301a 2", "“uno”; dos"],
)  # fmt: skip
def test_headers_as_people_write_them(write, extra):
    split = formats.read(write(f'texto\t"{extra}"\tetiqueta\nuna frase\t1\tx\n'), "csv")
    assert rows(split) == [("2", 2, ("una frase",), "x")]
    assert split.notes[1].startswith("columns not used: ")


def test_a_header_in_decomposed_letters(write):
    split = formats.read(write("categori\u0301a,oracio\u0301n\nx,una frase\n"))
    assert rows(split) == [("2", 2, ("una frase",), "x")]


# --- headers and rules, whatever parts the columns


OPINIONS = "".join(f"Comida número {i} muy buena;{'sí' if i % 2 else 'no'}\n" for i in range(60))


@pytest.mark.parametrize("header, label", [("texto", "sentimiento"), ("tuit", "polaridad"),
    ("Comentario", "Clasificación"), ("reseña", "etiqueta"), ("opinión", "sentiment")])  # fmt: skip
def test_more_names_are_known(write, header, label):
    split = formats.read(write(f"{header};{label}\n{OPINIONS}"))
    assert len(split.examples) == 60
    assert {e.gold["label"][0] for e in split.examples} == {"sí", "no"}
    assert len(split.notes) == 1


@pytest.mark.parametrize("header", ["texto;tono", "mensaje;valor final", "id;tono", "tono;texto"])
def test_a_header_without_a_known_label_is_no_row(write, header):
    path = write(f"{header}\n{OPINIONS}")
    refused(path, 1, f"a header without a label column ('{header.replace(';', ', ')}')",
            "the label column named label or etiqueta")  # fmt: skip
    # Nor is it one because two files were put one behind the other.
    refused(write(f"{header}\n{OPINIONS}{header}\n{OPINIONS}"), 1, "without a label column", "")


def test_a_header_without_a_known_text_is_no_row(write):
    refused(write(f"lo que dijo;etiqueta\n{OPINIONS}"), 1, "with the column 'lo que dijo'", "texto")


def test_a_header_beside_what_is_no_name_is_no_row(write):
    # Three columns would otherwise be a label and a pair of texts.
    odd = "una pregunta tan larga que nadie la tomaría por el nombre de una columna"
    refused(
        write(f"etiqueta;{odd};texto\na;b;c\n"), 1, "with the column 'una pregunta", "few words"
    )


def test_lesser_names_count_where_no_better_one_is_there(write):
    split = formats.read(write("texto,etiqueta,comentario,polaridad\nuna frase,a,ojo,b\n"))
    assert rows(split) == [("2", 2, ("una frase",), "a")]
    assert split.notes[1] == "columns not used: comentario, polaridad"
    split = formats.read(write(objects({"tweet": "una frase", "sentiment": "a"}), "a.jsonl"))
    assert rows(split) == [("1", 1, ("una frase",), "a")]
    refused(write("titular,cuerpo,tema\na,b,c\n"), 1, "two text columns, 'titular' and", "one of")


@pytest.mark.parametrize("label", ["Opinión", "Tema"])
def test_a_label_that_is_also_a_name_stays_a_label(write, label):
    split = formats.read(write(f"{label}\tSubida\nOcio\tCine de hoy\n{label}\tOtra cosa\n"), "tsv")
    assert [e.gold["label"][0] for e in split.examples] == [label, "Ocio", label]


def test_labels_that_look_like_texts_are_said(write):
    doubt = "almost every row has a label of its own: are label and text the other way round?"
    swapped = write(OPINIONS)  # no header, and the text first
    assert formats.read(swapped).notes[-1] == doubt
    assert doubt in formats.read(write("".join(OPINIONS.splitlines(True)[:20]))).notes
    assert doubt not in formats.read(write("".join(OPINIONS.splitlines(True)[:19]))).notes
    named = write(f"etiqueta;texto\n{OPINIONS}")
    assert doubt not in formats.read(named).notes
    half = "".join(f"{i % 30};una frase {i}\n" for i in range(60))
    assert doubt not in formats.read(write(half)).notes
    assert doubt in formats.read(write(half + "30;y otra\n31;y otra\n")).notes


def test_columns_that_are_not_used_are_named(write):
    content = "fuente,texto,etiqueta,,nota libre\nweb,hola a todos,a,1,\nweb,adiós,b,,x\n"
    split = formats.read(write(content))
    assert rows(split) == [("2", 2, ("hola a todos",), "a"), ("3", 3, ("adiós",), "b")]
    assert split.notes[0].endswith(
        "columns text, label (as its header says), for the kind classify"
    )
    assert split.notes[1] == "columns not used: fuente, , nota libre"


@pytest.mark.parametrize(
    "header",
    ["label,premise,hypothesis", "gold_label,sentence1,sentence2", "label,premise,hypo",
     "clase,pregunta1,pregunta2", "etiqueta,premisa,hipótesis", "label,question1,question2"],
)  # fmt: skip
def test_pairs_by_many_names(write, header):
    split = formats.read(write(f"{header}\nsí,una,dos\n"))
    assert rows(split) == [("2", 2, ("una", "dos"), "sí")]


XNLI = "language\tgold_label\tsentence1\tsentence2\tpairID\n"


def test_rows_in_other_languages_and_without_agreement_are_dropped(write):
    content = (
        XNLI + "es\tneutral\tuna\tdos\t1\nen\tneutral\tone\ttwo\t1\n"
        "es\t-\tuna\tdos\t2\nde\t-\teins\tzwei\t2\nspa\tcontradiction\tno\tsí\t3\n"
    )
    split = formats.read(write(content, "xnli.tsv"))
    assert [(e.line, e.texts) for e in split.examples] == [(2, ("una", "dos")), (6, ("no", "sí"))]
    assert [(c.line, c.action, c.reason) for c in split.changes] == [
        (3, "dropped", "a row in another language than Spanish"),
        (4, "dropped", "no agreed label"),
        (5, "dropped", "a row in another language than Spanish"),
    ]


def test_a_file_without_any_spanish_row_is_kept_and_says_so(write):
    split = formats.read(write(XNLI + "gl\tneutral\tunha\tdúas\t1\n", "xnli.tsv"))
    assert len(split.examples) == 1 and split.changes == ()
    assert "no row is in Spanish by its language column (gl): all are kept" in split.notes


def test_a_hyphen_is_a_label_unless_it_is_a_gold_label(write):
    assert formats.read(write("label,text\n-,malo\n+,bueno\n")).examples[0].gold == {
        "label": ("-",)
    }
    refused(write(XNLI + "es\t-\tuna\tdos\t1\n", "x.tsv"), 1, "no row, 1 dropped", "at least one")


def test_placeholders_are_dropped_from_pairs_alone(write):
    split = formats.read(
        write("id,sentence1,sentence2,label\n25,NS,una,0\n26,una, NS ,0\n27,a,b,1\n")
    )
    assert [e.id for e in split.examples] == ["27"]
    assert [(c.line, c.row, c.reason) for c in split.changes] == [
        (2, "25", "a placeholder, NS, for a text"),
        (3, "26", "a placeholder, NS, for a text"),
    ]
    assert len(formats.read(write("label,text\na,NS\nb,no\n")).examples) == 2


@pytest.mark.parametrize("format", ["tsv", "csv", "conll"])
def test_another_kind_is_refused(write, format):
    refused(
        write("a\tuno\n"), 1, "data of kind", "data of kind answer", format=format, kind="answer"
    )


# --- JSON lines


def test_labelled_lines(write):
    content = objects(
        {"texto": "una, dos", "label": "a", "otra": [1]},
        {"label": 3, "texto": "tres", "otra": None},
    ).replace("\n", "\n\n")
    split = formats.read(write(content, "a.jsonl"))
    assert rows(split) == [("1", 1, ("una, dos",), "a"), ("3", 3, ("tres",), "3")]
    assert split.notes == (
        "read as JSON lines, columns text, label (by name), for the kind classify",
        "columns not used: otra",
    )


def test_xnli_lines(write):
    pair = {"gold_label": "neutral", "sentence1": "una", "sentence2": "dos"}
    content = objects(
        {**pair, "language": "es"}, {**pair, "language": "fr"}, {**pair, "gold_label": "-", "language": "es"}
    )  # fmt: skip
    split = formats.read(write(content, "xnli.jsonl"), kind="classify")
    assert rows(split) == [("1", 1, ("una", "dos"), "neutral")]
    assert [c.reason for c in split.changes] == [
        "a row in another language than Spanish",
        "no agreed label",
    ]


@pytest.mark.parametrize("number", [1234567890123456789, -(10**18), 10**3998])
def test_long_numbers_are_ids_and_labels(write, number):
    row = {"id": number, "label": number, "text": "una frase"}
    (example,) = formats.read(write(objects(row), "a.jsonl")).examples
    assert (example.id, example.gold["label"]) == (str(number), (str(number),))
    question = {"id": number, "question": "¿qué?", "context": "una frase"}
    assert formats.read(write(objects(question), "a.jsonl")).examples[0].id == str(number)


@pytest.mark.parametrize("start", [10**20, -(10**3998), 10**3998])
def test_an_answer_that_begins_beyond_all_texts_is_refused(write, start):
    answers = {"text": ["frase"], "answer_start": [start]}
    row = {"question": "¿qué?", "context": "una frase", "answers": answers}
    refused(write(objects(row), "a.jsonl"), 1, "a whole number (", "a place in the context")


def test_a_given_number_is_no_other_objects_line(write):
    tagged = {"tokens": ["Ana"], "tags": ["O"]}
    content = objects(tagged, {**tagged, "id": 1}, {**tagged, "id": "4"}, tagged)
    split = formats.read(write(content, "a.jsonl"))
    assert [e.id for e in split.examples] == ["line 1", "1", "4", "line 4"]
    asked = {"question": "¿quién?", "context": "Ana"}
    content = objects(asked, {**asked, "question": "¿cómo?", "guid": 1}, asked)
    split = formats.read(write(content, "a.jsonl"))
    assert [e.id for e in split.examples] == ["line 1", "1", "3"]


def test_tagged_lines(write):
    content = objects(
        {
            "id": 7,
            "tokens": ["Nueva York", "arde"],
            "ner_tags": ["B-LOC", "O"],
            "pos_tags": ["N", "V"],
        },
        {"id": "b", "tokens": [], "ner_tags": [], "pos_tags": []},
    )
    split = formats.read(write(content, "a.jsonl"))
    (example,) = split.examples
    assert (split.kind, example.id, example.texts) == ("tag", "7", ("Nueva York arde",))
    assert (example.words, example.gold) == (((0, 10), (11, 15)), {"tag": ("B-LOC", "O")})
    assert [(c.line, c.row, c.reason) for c in split.changes] == [
        (2, "b", "a sentence without words")
    ]
    assert "tokens with ner_tags" in split.notes[0]


LONG = "x" * 10_001


@pytest.mark.parametrize(
    "content, line, found, expected",
    [
        ('{"text": "a", "label": "b"}\n{"text": "a"\n', 2, "JSON that breaks off", "valid JSON"),
        ('{"text": "a", "label": "b"}\n[1]\n', 2, "a list", "an object in braces"),
        ('{"text": "a", "label": "b"}\n{"text": "a"}\n', 2, "an object with text", "'label' in it"),
        ('{"text": "a", "label": "b"}\n{}\n', 2, "an empty object", "'text' in it"),
        ('{"text": 1, "label": "b"}', 1, "a whole number (1) for 'text'", "a text"),
        ('{"text": "a", "label": null}', 1, "null for 'label'", "a text"),
        ('{"text": "a", "label": NaN}', 1, "a number (nan) for 'label'", "a text"),
        ('{"text": "a", "label": ' + "9" * 5000 + "}", 1, "a number (inf) for 'label'", "a text"),
        ('{"text": " ", "label": "b"}', 1, "an empty text", "something in every column"),
        ('{"text": "a", "label": "b", "text": "c"}', 1, "the key 'text' twice", "one"),
        ('{"text": "a\\ud83d", "label": "b"}', 1, "half a surrogate pair", "whole characters"),
        ('{"text": "a\\u0000", "label": "b"}', 1, "a NUL character", "text"),
        (f'{{"text": "{LONG}", "label": "b"}}', 1, "a word of 10,001 characters", "at most 10,000"),
        ('{"a": ' + "[" * 5000, 1, "more than 100 levels", "data set"),
        ('{"a": ' * 5000, 1, "more than 100 levels", "data set"),
        ('{"texto": "a", "clave": "b"}', 1, "an object with texto, clave", "question, context"),
        ('{"tokens": ["a", "b"], "tags": ["O"]}', 1, "2 tokens with 1 tags", "a tag for each"),
        ('{"tokens": ["a"], "tags": [0]}', 1, "a whole number (0) for", "a text"),
        ('{"tokens": ["a", " "], "tags": ["O", "O"]}', 1, "an empty item of 'tokens'", "something"),
        ('{"tokens": [], "tags": []}', 1, "no sentence with words", "at least one"),
        ('{"id":1,"tokens":["a"],"tags":["O"]}\n' * 2, 2, "the id '1' again (first on line 1)", "own"),
        ('{"id": [], "text": "a", "label": "b"}', 1, "a list for 'id'", "a text"),
    ],
)  # fmt: skip
def test_errors_of_json_lines(write, content, line, found, expected):
    refused(write(content, "a.jsonl"), line, found, expected)


def test_minified_lines_are_no_long_words(write):
    row = {"tokens": ["palabra"] * 1238, "tags": ["O"] * 1238}
    content = json.dumps(row, separators=(",", ":"))
    assert len(content) > text.LONGEST_WORD and " " not in content
    assert len(formats.read(write(content, "a.jsonl")).examples[0].words) == 1238


# --- guesses

CONLLU = "1\tSí\t_\tINTJ\t_\t_\t0\troot\t_\t_\n"
FLAT = '{"question": "q", "context": "c"}\n'


@pytest.mark.parametrize(
    "name, content, expected",
    [
        ("a.conllu", "lo que sea\n", "conllu"),
        ("a.csv", "lo que sea\n", "csv"),
        ("a.JSONL", "lo que sea\n", "jsonl"),
        ("a.ndjson", "lo que sea\n", "jsonl"),
        ("a.json", '{\n "data": []}', "squad"),
        ("a.json", '{"data": [{"paragraphs": []}]}', "squad"),
        ("a.json", FLAT * 2, "jsonl"),
        ("a.json", "[]", "squad"),
        ("a.txt", FLAT, "jsonl"),
        ("a.txt", '{\n"data": []}', "squad"),
        ("a.txt", "# sent_id = 1\n" + CONLLU, "conllu"),
        ("a.conll", CONLLU, "conllu"),
        ("a.tsv", CONLLU, "conllu"),
        ("esp.train", "{ O\n} O\n", "conll"),
        ("a.tsv", 'a\t"dijo ""sí"" y ya"\nb\tno dijo nada\n', "csv"),
        ("a.tsv", 'a\t"uno dos"\nb\t"tres cuatro"\n', "csv"),
        ("a.tsv", 'a\t"uno\ndos tres"\nb\tno dijo nada\n', "csv"),
        ("a.tsv", 'a\t"uno dos"\nb\ttres cuatro\n', "tsv"),  # one text in quotes of its own
        ("a.tsv", 'a\t"uno" dos\nb\t"tres ""cuatro"""\n', "tsv"),
        ("a.tsv", 'a\t"dijo ""sí"" y ya"\nb\tdijo "no" y ya\n', "tsv"),
        ("a.tsv", 'a\t"uno dos\nb\ttres cuatro"\n', "tsv"),  # two rows, not one
        ("a.tsv", 'a\t"dijo ""sí"" y ya"\nb\tno dijo\tnada\n', "tsv"),
        ("a.txt", "texto,etiqueta\nuna frase,a\n", "csv"),
        ("a.txt", "id;label;text\n1;a;una frase\n", "csv"),
        ("a.txt", "una frase, y otra más\nuna línea, y ya está\n", "tsv"),
    ],
)
def test_guess(write, name, content, expected):
    path = write(content, name)
    assert formats.guess(path) == expected
    assert name.lower().endswith((".conllu", ".csv", ".jsonl", ".ndjson", ".json", ".conll", ".train")) or (
        formats.guess(content.split("\n")) == expected
    )  # fmt: skip


# --- the real files

COUNTS = {
    "xnli/xnli.dev.es.tsv": ("tsv", 2490, 0),
    "xnli/xnli.test.es.tsv": ("tsv", 5010, 0),
    "pawsx/dev_2k.tsv": ("csv", 1962, 38),
    "pawsx/test_2k.tsv": ("csv", 1993, 1),
    "news-topics/train.tsv": ("tsv", 676, 0),
    "topics-sib200/train.tsv": ("tsv", 701, 0),
}


@pytest.mark.parametrize("name", COUNTS)
def test_real_tables(real_data, name):
    path = real_data / "glues" / name
    format, count, dropped = COUNTS[name]
    assert formats.guess(path) == format
    split = formats.read(path, kind="classify")
    assert (len(split.examples), len(split.changes)) == (count, dropped)
    assert not any('""' in t for e in split.examples for t in e.texts if format == "csv")


def test_xnli_reads_the_same_from_json_lines(real_data, write):
    path = real_data / "glues" / "xnli" / "xnli.dev.es.tsv"
    header, *lines = path.read_text(encoding="utf-8").strip("\n").split("\n")
    names = header.split("\t")
    content = objects(*(dict(zip(names, line.split("\t"), strict=True)) for line in lines))
    again = formats.read(write(content, "xnli.dev.es.jsonl")).examples
    assert [(e.texts, e.gold) for e in again] == [
        (e.texts, e.gold) for e in formats.read(path).examples
    ]
