"""Labelled files told from raw text by how they begin."""

import json

import pytest

import small
from ligero.errors import InputError
from ligero.tasks import formats, kinds
from ligero.tasks.formats import text

PROSE = "Ayer llovió en Lugo, y hoy también.\nMañana, dicen, saldrá el sol.\n\nEso es todo.\n"
RAW = {
    "prose": PROSE.encode(),
    "old": PROSE.encode("iso-8859-1"),
    "marked": PROSE.encode("utf-8-sig").replace(b"\n", b"\r\n"),
    "verses": b"Verde que te quiero\nverde viento\nverdes ramas ya\n\nEl barco sobre\nla mar\n",
    "a line": b"palabra " * 50_000,
    "json": b'{"text": "Llueve en Lugo.", "id": 3}\n{"text": "Y en Vigo."}\n',
    "json of a line": json.dumps({"text": "palabra " * 50_000}).encode() + b"\n",
    "blank": b"\n\n",
    "bytes": bytes(range(256)) * 9,
}


@pytest.mark.parametrize("name", RAW)
def test_raw_text_is_no_labelled_file(tmp_path, name):
    path = tmp_path / ("x.jsonl" if "json" in name else "x.txt")
    path.write_bytes(RAW[name])
    assert not [kind for kind in kinds.KINDS if formats.claims(path, kind)]


@pytest.mark.parametrize(
    ("ending", "kind"),
    [("conll", "tag"), ("tsv", "classify"), ("conllu", "parse"), ("conllu", "tag")],
)
def test_labelled_files_are_known_under_any_name_and_at_any_size(tmp_path, ending, kind):
    path = tmp_path / "x.txt"
    path.write_text(small.WRITERS[ending](9, 0), encoding="utf-8")
    assert formats.claims(path, kind) and not formats.claims(path, "answer")
    path.write_text(small.WRITERS[ending](9000, 0), encoding="utf-8")
    assert path.stat().st_size > 2 * formats._GLANCE and formats.claims(path, kind)


def test_json_lines_are_known_by_their_names(tmp_path):
    path = tmp_path / "x.jsonl"
    rows = {
        "classify": {"label": "sí", "text": "Llueve."},
        "tag": {"tokens": ["Llueve"], "tags": ["O"]},
        "answer": {"question": "¿Dónde?", "context": "En Lugo.", "answers": []},
    }
    for kind, row in rows.items():
        path.write_text(json.dumps(row) + "\n", encoding="utf-8")
        assert [other for other in kinds.KINDS if formats.claims(path, other)] == [kind]


def test_a_glance_is_of_whole_lines_and_no_more(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("uno\ndos\ntres", encoding="utf-8")
    assert text.glance(path, 9).lines == ("uno", "dos")
    assert text.glance(path, 99).lines == ("uno", "dos", "tres")
    assert text.glance(path, 2).lines == ("un",)
    with pytest.raises(InputError, match="no such file"):
        text.glance(tmp_path / "y.txt", 9)
