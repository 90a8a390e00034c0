"""Reading raw text: formats, packing, encodings, sizes, and what is said of damage."""

import bz2
import gzip
import io
import json
import lzma

import polars as pl
import pytest
import zstandard

from ligero.corpus import wikitext
from ligero.corpus.read import frames, kind
from ligero.errors import InputError

DOCUMENTS = ["Una línea.\nOtra línea.", "¿Y ésta?", "La última, sin fin de línea."]
TEXT = "\n\n".join(DOCUMENTS)
PACK = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.compress,
    ".bz2": bz2.compress,
}


def texts(*paths, **options):
    return [text for frame in frames(paths, **options) for text in frame["text"]]


def jsonl(documents, field="text"):
    return "".join(json.dumps({field: d, "n": 1}, ensure_ascii=False) + "\n" for d in documents)


def parquet(documents):
    buffer = io.BytesIO()
    pl.DataFrame({"text": documents, "n": range(len(documents))}).write_parquet(buffer)
    return buffer.getvalue()


def fails(path, **options):
    with pytest.raises(InputError) as caught:
        list(frames([path], **options))
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return caught.value


@pytest.mark.parametrize("packed", PACK)
@pytest.mark.parametrize("ending", [".txt", ".jsonl", ".parquet"])
def test_each_format_packed_in_each_way(tmp_path, ending, packed):
    data = {
        ".txt": TEXT.encode(),
        ".jsonl": jsonl(DOCUMENTS).encode(),
        ".parquet": parquet(DOCUMENTS),
    }[ending]
    path = tmp_path / f"datos{ending}{packed}"
    path.write_bytes(PACK[packed](data))
    (frame,) = frames([path])
    assert frame["text"].to_list() == DOCUMENTS
    assert frame["id"].to_list() == [f"{path.name}:{i}" for i in (1, 2, 3)]


@pytest.mark.parametrize("size", [1, 2, 7, 30, 1000])
def test_documents_do_not_depend_on_how_the_file_is_read(tmp_path, size):
    """Any size of pieces gives the same documents, but for those of a text that are longer."""
    path = tmp_path / "a.txt"
    short = [f"Documento {i}" for i in range(50)]
    path.write_text("\n \t\n\n".join(short) + "\n\n\n", encoding="utf-8")
    assert texts(path, size=max(size, 20)) == short
    path = path.with_suffix(".jsonl")
    path.write_text(jsonl(DOCUMENTS), encoding="utf-8")
    assert texts(path, size=size) == DOCUMENTS


def test_frames_are_bounded(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("\n\n".join("abcdefghi" for _ in range(100)), encoding="utf-8")
    sizes = [frame["text"].str.len_bytes().sum() for frame in frames([path], size=90)]
    assert sum(sizes) == 900
    assert max(sizes) <= 90


def test_a_document_longer_than_a_frame_is_cut_at_a_line(tmp_path):
    path = tmp_path / "a.txt"
    lines = [f"línea número {i}" for i in range(200)]
    path.write_text("\n".join(lines), encoding="utf-8")
    parts = texts(path, size=100)
    assert len(parts) > 10
    assert "\n".join(parts).split("\n") == lines


def test_ids_number_the_documents_of_each_file(tmp_path):
    (tmp_path / "b").mkdir()
    paths = [tmp_path / "a.txt", tmp_path / "b" / "a.txt", tmp_path / "c.txt"]
    for path in paths:
        path.write_text("uno\n\n\n\ndos", encoding="utf-8")
    ids = [name for frame in frames(paths, size=3) for name in frame["id"]]
    assert ids == [
        f"{paths[0]}:1",
        f"{paths[0]}:2",
        f"{paths[1]}:1",
        f"{paths[1]}:2",
        "c.txt:1",
        "c.txt:2",
    ]


def test_line_ends_and_marks(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffuno\r\ndos\r\n\r\ntres\u2028cuatro\x85".encode())
    assert texts(path) == ["uno\ndos", "tres\u2028cuatro\x85"]
    path.write_bytes(b"")
    assert texts(path) == []


def test_encodings_are_decided_as_for_labelled_files(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("Mañana, ¿sí?".encode("iso-8859-1"))
    assert texts(path) == ["Mañana, ¿sí?"]
    path.write_bytes("Dijo “mañana” por 5 €".encode("cp1252"))
    assert texts(path) == ["Dijo “mañana” por 5 €"]
    # ASCII says nothing; what comes later decides.
    path.write_bytes(b"uno\n\n" * 50 + "mañana".encode("iso-8859-1"))
    assert texts(path, size=20)[-1] == "mañana"
    path.write_bytes("mañana\n\nmañana\n\n".encode() + b"ma\xf1ana")
    assert fails(path, size=8).line == 5
    path.write_bytes("Привет, мир".encode("cp1251"))
    assert fails(path).line == 1
    path.write_bytes("mañana".encode("utf-16"))
    assert "UTF-16" in str(fails(path))
    path.write_bytes(b"uno\ndos\0")
    assert fails(path).line == 2


@pytest.mark.parametrize("packed", [".gz", ".xz", ".zst", ".bz2"])
def test_damaged_packing_is_an_error_in_one_line(tmp_path, packed):
    path = tmp_path / f"a.txt{packed}"
    whole = PACK[packed](TEXT.encode() * 500)
    path.write_bytes(whole[: len(whole) // 2])
    fails(path)
    path.write_bytes(b"esto no es un archivo comprimido")
    fails(path)
    path.write_bytes(whole + PACK[packed](b"\n\nfin"))
    assert texts(path)[-1] == "fin"


@pytest.mark.parametrize(
    ("second", "found"),
    [
        ('{"text": "sin fin', "no JSON"),
        ('{"texto": "otro campo"}', "otro campo"),
        ('{"text": 5}', "no text"),
        ('["text"]', "found"),
        ('{"text": "\\ud83d"}', "surrogate"),
    ],
)
def test_damaged_records_are_named_by_line(tmp_path, second, found):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "uno"}\n\n' + second + '\n{"text": "dos"}\n', encoding="utf-8")
    error = fails(path, size=4)
    assert error.line == 3
    assert found in str(error)


def test_another_field(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(jsonl(["uno"], "cuerpo"), encoding="utf-8")
    assert texts(path, field="cuerpo") == ["uno"]
    path = tmp_path / "a.parquet"
    pl.DataFrame({"cuerpo": ["uno", None, " ", "dos"]}).write_parquet(path)
    assert texts(path, field="cuerpo") == ["uno", "dos"]


def test_damaged_parquet(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet(DOCUMENTS)[:-20])
    fails(path)
    pl.DataFrame({"text": [1, 2]}).write_parquet(path)
    assert "no text" in str(fails(path))
    pl.DataFrame({"otra": ["a"]}).write_parquet(path)
    assert "otra" in str(fails(path))


def test_files_that_are_not_there_or_of_no_known_format(tmp_path):
    for name in ("a.txt", "a.txt.xz", "a.parquet", "a.parquet.gz", "a.xml.bz2", "a.jsonl.zst"):
        assert "no such file" in str(fails(tmp_path / name))
    (tmp_path / "b.txt").mkdir()
    fails(tmp_path / "b.txt")
    for name in ("a.pdf", "a", "a.xz", ".txt"):
        with pytest.raises(InputError, match="unknown format"):
            kind(tmp_path / name)


DUMP = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/">
  <siteinfo><sitename>Wikipedia</sitename></siteinfo>
  <page><title>Andorra</title><ns>0</ns><id>7</id><revision><text>{text}</text></revision></page>
  <page><title>Principado</title><ns>0</ns><redirect title="Andorra" />
    <revision><text>#REDIRECCIÓN [[Andorra]]</text></revision></page>
  <page><title>Discusión:Andorra</title><ns>1</ns><revision><text>Hola.</text></revision></page>
  <page><title>Vacía</title><ns>0</ns><revision><text /></revision></page>
  <page><title>Pirineos</title><ns>0</ns><revision><text>Son ''montes''.</text></revision></page>
</mediawiki>"""


def test_wikipedia_dumps(tmp_path):
    path = tmp_path / "eswiki.xml.bz2"
    path.write_bytes(bz2.compress(DUMP.format(text="'''Andorra''' es un [[país]].").encode()))
    assert texts(path) == ["Andorra\nAndorra es un país.", "Pirineos\nSon montes."]
    path = tmp_path / "roto.xml"
    path.write_text(DUMP.format(text="a &lt; b")[:-200], encoding="utf-8")
    assert fails(path).line


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("{{Ficha|a={{b|c}}|d=[[e]]}}\nUn [[río|ríos]] y [[mar]].", "Un ríos y mar."),
        ("Uno<ref name=a>{{cita libro|x}}</ref> y dos<ref name=b/>.", "Uno y dos."),
        ("Uno\n{| class=x\n|-\n| a {{b}} || c\n|}\nDos", "Uno\nDos"),
        ("Texto [[Archivo:a.jpg|thumb|Un [[pie]] de foto]] sigue", "Texto  sigue"),
        ("[[Categoría:Ríos]]\n[[fr:Rivière]]\nFin", "Fin"),
        ("== Historia ==\n* Uno\n** Dos\n# Tres", "Historia\nUno\nDos\nTres"),
        ("Mide {{unidad|1234,5|km}} y {{formatnum:1234}} {{lang|en|miles}}", "Mide 1234,5 km y 1234 miles"),
        ("<!-- no\nse ve -->'''''Negrita''''' [http://a.es la web] [http://b.es]", "Negrita la web"),
        ("L'Hospitalet y \"d'Or\"", "L'Hospitalet y \"d'Or\""),
    ],
)  # fmt: skip
def test_wikitext(source, plain):
    assert wikitext.plain(pl.Series([source])).to_list() == [plain]


def test_real_corpus(real_data):
    """The sample's documents, however it is read."""
    path = real_data / "corpus" / "valid.txt.xz"
    with lzma.open(path, "rt", encoding="utf-8") as file:
        expected = [d.strip("\n") for d in file.read().split("\n\n") if d.strip()]
    assert texts(path) == expected
    assert texts(path, size=1_000_000) == expected
