"""The made-up data: the same from the same seed, valid, in agreement, and with real ambiguity."""

import collections
import itertools
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ligero.demo import Sentence, names, sentences, write
from ligero.demo.fillers import FILLERS, allowed
from ligero.demo.generate import REGISTERS, plain
from ligero.demo.grammar import POS, Token, join, parse
from ligero.demo.lexicon import NOUNS, ROLES, VERBS
from ligero.demo.morphology import Form, conjugate, euphonic, inflect, plural
from ligero.demo.text import detokenise
from ligero.demo.topics import RULES, TOPICS

UPOS = {*POS.values(), "PUNCT"}


@pytest.fixture(scope="module")
def sample() -> list[Sentence]:
    return sentences(4000, seed=7)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo")
    write(path, seed=3, train=600, dev=120, test=120, text=300)
    return path


def blocks(path: Path) -> list[list[list[str]]]:
    text = path.read_text(encoding="utf-8")
    return [[line.split(" ") for line in b.split("\n")] for b in text.strip("\n").split("\n\n")]


def padded(words: list[str] | tuple[str, ...]) -> str:
    return f" {plain(' '.join(words))} "


def test_every_template_reads_and_its_slots_exist() -> None:
    for name, alternatives in RULES.items():
        assert len(set(alternatives)) > 1, name
        for item in itertools.chain.from_iterable(map(parse, alternatives)):
            known = item.name in FILLERS or item.name in RULES or f"{item.name}_deporte" in RULES
            assert item.kind != "slot" or known, (name, item.name)


def test_template_without_part_of_speech_is_refused() -> None:
    with pytest.raises(ValueError, match="part of speech"):
        parse("el gato duerme")
    with pytest.raises(ValueError, match="not closed"):
        parse("[ORG Museo del Prado")


def test_same_seed_same_sentences() -> None:
    assert sentences(150, 5) == sentences(150, 5)
    assert sentences(150, 5)[:40] == sentences(40, 5)
    assert sentences(60, 5) != sentences(60, 6)
    assert sentences(60, 5, held_out=True) != sentences(60, 5)


def test_same_sentences_whatever_the_hash_seed_and_global_random() -> None:
    code = "from ligero.demo import sentences; print('\\n'.join(s.text for s in sentences(50, 9)))"
    outputs = set()
    for hash_seed in ("1", "2"):
        random.seed(hash_seed)
        env = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(sys.path), "PYTHONUTF8": "1"}
        run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True)
        outputs.add(run.stdout.decode())
    assert outputs == {"\n".join(s.text for s in sentences(50, 9)) + "\n"}


def test_no_sentence_twice(sample: list[Sentence]) -> None:
    assert len({s.words for s in sample}) == len(sample)


def test_tags_are_valid_bio_and_parts_of_speech_universal(sample: list[Sentence]) -> None:
    for s in sample:
        assert len(s.words) == len(s.pos) == len(s.tags) > 0
        assert set(s.pos) <= UPOS
        assert all(word and not re.search(r"\s", word) for word in s.words)
        for before, tag in zip(("O", *s.tags), s.tags, strict=False):
            assert tag == "O" or tag[2:] in {"PER", "LOC", "ORG", "MISC"}
            assert tag[0] != "I" or (before != "O" and before[2:] == tag[2:]), s


def test_contractions_and_euphony(sample: list[Sentence]) -> None:
    for s in sample:
        for (a, b), tag in zip(itertools.pairwise(s.words), s.tags[1:], strict=True):
            if a.lower() in {"a", "de"} and b.lower() == "el":
                assert tag != "O", s.text  # El Ejido, El Salvador: never contracted
            assert not (a == "y" and re.match(r"[ií]|h[ií](?!e)", b.lower())), s.text
            assert not (a == "o" and re.match(r"h?[oó]", b.lower())), s.text


def test_articles_agree_with_nouns(sample: list[Sentence]) -> None:
    gender = {w: g for pool in NOUNS.values() for w, g in pool}
    assert all(gender[w] == g for pool in NOUNS.values() for w, g in pool), "a noun of two genders"
    tonic = {"agua", "área", "aula", "ave", "alga", "alza"}
    checked = 0
    for s in sample:
        for (a, b), pos in zip(itertools.pairwise(s.words), s.pos[1:], strict=True):
            if pos != "NOUN" or b not in gender:
                continue
            if a in {"el", "un", "del", "al", "este"} and gender[b] == "f":
                assert b in tonic and a != "este", s.text
                checked += 1
            if a in {"la", "una", "las", "los"}:
                assert a == "la" or a == "una", s.text
                assert gender[b] == "f" and b not in tonic, s.text
                checked += 1
    assert checked > 300


def test_articles_agree_with_roles_and_adjectives(sample: list[Sentence]) -> None:
    only = {m: "m" for pool in ROLES.values() for m, f in pool if m != f}
    only |= {f: "f" for pool in ROLES.values() for m, f in pool if m != f}
    articles = {"el": "m", "del": "m", "al": "m", "un": "m", "la": "f", "una": "f"}
    for s in sample:
        for a, b in itertools.pairwise(s.words):
            if a in articles and b in only:
                assert articles[a] == only[b], s.text


def test_marks_come_in_pairs(sample: list[Sentence]) -> None:
    for s in sample:
        if s.register != "social":  # there the opening marks are left out, as people do
            assert s.words.count("¿") == s.words.count("?"), s.text
            assert s.words.count("¡") == s.words.count("!"), s.text
        assert s.words.count("«") == s.words.count("»"), s.text
        assert s.words.count("(") == s.words.count(")"), s.text
        assert s.words.count('"') % 2 == 0, s.text
        assert not re.search(r"([.,;:])\1", s.text.replace("...", "…")), s.text
        assert ",." not in s.text and " ," not in s.text, s.text


def test_letters_marks_and_numbers_of_spanish(sample: list[Sentence]) -> None:
    text = "\n".join(s.text for s in sample)
    assert set("áéíóúüñÁÉÍÓÑ¿¡«»—€%") <= set(text)
    assert re.search(r"\d\.\d{3},\d\d €", text) and re.search(r"\d,\d %", text)
    for piece in ("EE. UU.", "Sr. ", "Dra. ", " S. A.", " al ", " del ", "D.ª ", "(Ibernova).- "):
        assert piece in text, piece


def test_detokenising_keeps_every_character(sample: list[Sentence]) -> None:
    for s in sample:
        assert s.text.replace(" ", "") == "".join(s.words)
        assert s.text == s.text.strip() and "  " not in s.text


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("¿ Cuánto cuesta ?", "¿Cuánto cuesta?"),
        ("« Sí » , dijo ( ayer ) .", "«Sí», dijo (ayer)."),
        ('" No " , dijo .', '"No", dijo.'),
        ("— No puedo — contestó Luz — , adiós .", "—No puedo —contestó Luz—, adiós."),
        ("— ¿ Qué ? — dijo . — Nada .", "—¿Qué? —dijo. —Nada."),
        ("Sube un 3,5 % en EE. UU.", "Sube un 3,5 % en EE. UU."),
        ("Soria , 3 mar ( IBN ) .- Llueve .", "Soria, 3 mar (IBN).- Llueve."),
    ],
)
def test_detokenise(words: str, text: str) -> None:
    assert detokenise(words.split()) == text


def test_inflection() -> None:
    assert [plural(w) for w in ("luz", "elección", "análisis", "club", "ley", "portavoz")] == [
        *("luces", "elecciones", "análisis", "clubes", "leyes", "portavoces")
    ]
    assert [inflect(w, Form("f")) for w in ("inglés", "mejor", "andaluz", "español", "anual")] == [
        *("inglesa", "mejor", "andaluza", "española", "anual")
    ]
    assert inflect("algún", Form("f", "p")) == "algunas"
    assert [euphonic("y", w) for w in ("Inés", "hielo", "hijos", "Yecla")] == ["e", "y", "e", "y"]
    assert [euphonic("o", w) for w in ("otro", "Huelva", "hoy")] == ["u", "o", "u"]
    pairs = "vino/VERB de/ADP el/DET norte a/ADP el/DET área y/CCONJ isla", "/NOUN"
    tokens = [Token(*f"{pair}{pairs[1]}".split("/")[:2]) for pair in pairs[0].split()]
    joined = join(tokens)
    assert " ".join(t.word for t in joined) == "vino del norte al área e isla"


def test_irregular_verbs() -> None:
    forms = {"reducir": "redujo", "proponer": "propuso", "advertir": "advirtió", "decir": "dijo"}
    assert {v: conjugate(v, "pret") for v in forms} == forms
    assert conjugate("manifestar", "pres") == "manifiesta"
    assert conjugate("describir", "part") == "descrito"
    assert conjugate("sostener", "fut", "p") == "sostendrán"
    assert all(v.endswith(("ar", "er", "ir")) for pool in VERBS.values() for v in pool)


def test_held_out_names_are_never_in_train(sample: list[Sentence]) -> None:
    held = [
        padded(n.split(":")[0].split()) for p in names.ALL.values() for n in p.held if "/" not in n
    ]
    assert len(held) > 120
    train = "\n".join(padded(s.words) for s in sample)
    assert [name for name in held if name in train] == []
    tested = sentences(600, 8, held_out=True)
    with_new = [s for s in tested if any(name in padded(s.words) for name in held)]
    assert 0.25 < len(with_new) / len(tested) < 0.75


def test_persons_are_nobody_well_known(sample: list[Sentence]) -> None:
    assert not allowed("Rocío", "Jurado") and not allowed("Julia", "de la Fuente")
    assert allowed("Rocío", "Bermejo")
    known = {" ".join(pair).replace("_", " ") for pair in names.FAMOUS}
    assert not [s.text for s in sample for kind, n in s.entities() if kind == "PER" and n in known]


def test_ambiguous_names_need_their_context(sample: list[Sentence]) -> None:
    tags: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for s in sample:
        for word, tag in zip(s.words, s.tags, strict=True):
            tags[word][tag[2:] or "O"] += 1
    ambiguous = """Santiago Valencia Mercedes Victoria Rosario Córdoba Dolores Guadalupe Abril Luz Sol
        Nieves Pilar Paz Esperanza Domingo León Salvador Israel Concepción Trinidad Santander Madrid
        Granada Sevilla Zamora Segovia Soria Trujillo Asunción Lourdes Florencia África"""
    for name in ambiguous.split():
        often = [kind for kind, count in tags[name].items() if count >= 2]
        assert len(often) >= 2, (name, tags[name])
    assert {"PER", "LOC"} <= set(tags["Santiago"]) and {"LOC", "ORG"} <= set(tags["Valencia"])
    assert {"PER", "ORG", "MISC"} <= set(tags["Mercedes"]) and {"PER", "O"} <= set(tags["Luz"])
    assert tags["interior"]["O"] and tags["Interior"]["ORG"]
    assert tags["paz"]["O"] and tags["Paz"]["LOC"] and tags["Paz"]["PER"]


def test_shares_of_topics_registers_and_types(sample: list[Sentence]) -> None:
    topics = collections.Counter(s.topic for s in sample)
    assert set(topics) == set(TOPICS) and min(topics.values()) > 0.15 * len(sample)
    registers = collections.Counter(s.register for s in sample)
    assert sum(REGISTERS.values()) == 100
    for register, share in REGISTERS.items():
        assert abs(100 * registers[register] / len(sample) - share) < 3
    kinds = collections.Counter(kind for s in sample for kind, _ in s.entities())
    assert min(kinds[k] for k in ("PER", "LOC", "ORG")) > 0.5 * len(sample)
    assert kinds["MISC"] > 0.12 * len(sample)
    assert any(len(s.words) > 40 for s in sample)


def test_files(folder: Path) -> None:
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        ["README.md", "text.txt"]
        + [f"{s}.conll" for s in ("train", "dev", "test")]
        + [f"topics-{s}.tsv" for s in ("train", "dev", "test")]
    )
    for split, count in (("train", 600), ("dev", 120), ("test", 120)):
        examples = blocks(folder / f"{split}.conll")
        assert len(examples) == count and all(len(row) == 3 for e in examples for row in e)
        rows = (folder / f"topics-{split}.tsv").read_text(encoding="utf-8").splitlines()
        assert len(rows) == count
        assert {row.split("\t")[0] for row in rows} == set(TOPICS)
        assert all(row.count("\t") == 1 for row in rows)
    assert len((folder / "text.txt").read_text(encoding="utf-8").splitlines()) == 300
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "seed 3" in readme and "semilla 3" in readme and "CC0-1.0" in readme


def test_splits_share_nothing(folder: Path) -> None:
    splits = [
        {" ".join(row[0] for row in e) for e in blocks(folder / f"{s}.conll")}
        for s in ("train", "dev", "test")
    ]
    topics = [
        {row.split("\t")[1] for row in (folder / f"topics-{s}.tsv").open(encoding="utf-8")}
        for s in ("train", "dev", "test")
    ]
    for a, b in itertools.combinations(range(3), 2):
        assert not splits[a] & splits[b] and not topics[a] & topics[b]
    text = set((folder / "text.txt").read_text(encoding="utf-8").splitlines())
    assert not text & {detokenise(s.split()) for s in set.union(*splits)}
    every = "\n".join(itertools.chain.from_iterable(topics))
    unseen = [s for s in map(detokenise, (w.split() for w in splits[2])) if s in every]
    assert not [s for s in unseen if len(s) > 40]


def test_same_seed_same_bytes(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "again", seed=3, train=600, dev=120, test=120, text=300)
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name
    write(tmp_path / "other", seed=4, train=20, dev=5, test=5)
    first = blocks(tmp_path / "other" / "train.conll")[0]
    assert first != blocks(folder / "train.conll")[0]


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, seed=1, train=5, dev=2, test=2)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def fail(self: Path, target: Path) -> Path:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        write(tmp_path, seed=2, train=5, dev=2, test=2)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
