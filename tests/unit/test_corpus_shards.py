"""Shards hold the corpus to the letter, and say so when they do not."""

import json
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import small_corpus
from ligero import vocab
from ligero.corpus import shards
from ligero.corpus.build import Settings, build
from ligero.corpus.shards import Shards
from ligero.errors import DamagedError, InputError
from ligero.models import reference


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A corpus, two tokenizers, and the corpus' shards."""
    place = tmp_path_factory.mktemp("shards")
    files = small_corpus.write(place, 60)
    # One line is an emoji that no vocabulary here holds, one a special token written out.
    with files[2].open("a") as file:
        file.write("\nUna frase corta y otra más, ¿no?\n😀 Sí, 1.234,56 € en EE.UU.\n")
    build(files, place / "corpus", Settings(part_bytes=8000), 1)
    for name, algorithm in (("tokenizer", "unigram"), ("other", "bpe")):
        trained = vocab.train(small_corpus.documents(60), algorithm=algorithm, size=1000)
        vocab.save(trained, place / name, max_length=128)
    shards.build(place / "corpus", place / "tokenizer", place / "shards", 1)
    return place


@pytest.fixture(scope="module")
def corpus(place):
    """The texts of the corpus, and the tokenizer."""
    from tokenizers import Tokenizer

    parts = sorted((place / "corpus" / "text").glob("part-*"))
    assert len(parts) > 3
    texts = pl.concat([pl.read_parquet(part / "text.parquet") for part in parts])["text"].to_list()
    return texts, Tokenizer.from_file(str(place / "tokenizer" / "tokenizer.json"))


@pytest.fixture
def copy(place, tmp_path):
    import shutil

    return shutil.copytree(place / "shards", tmp_path / "shards")


def test_the_ids_are_the_tokenizers_and_lead_back_to_the_text(place, corpus):
    texts, tokenizer = corpus
    held = Shards(place / "shards", place / "tokenizer")
    assert held.documents == len(texts)
    for number, text in enumerate(texts):
        window = held.span(*held.document(number))
        lines = np.split(window.ids, np.flatnonzero(window.lines)[1:])
        expected = [tokenizer.encode(x, add_special_tokens=False) for x in text.split("\n")]
        assert [line.tolist() for line in lines] == [encoding.ids for encoding in expected]
        assert window.documents.tolist() == [True] + [False] * (len(window.ids) - 1)
        # This tokenizer forgets the spaces around signs, and nothing else.
        if "😀" not in text:
            decoded = [tokenizer.decode(line).replace(" ", "") for line in lines]
            assert "\n".join(decoded) == text.replace(" ", "")
    assert sum(len(held.span(*held.document(n)).ids) for n in range(len(texts))) == len(held)


def test_words_begin_where_the_pre_tokenizer_has_them(place, corpus):
    texts, tokenizer = corpus
    held = Shards(place / "shards")
    for number in (0, len(texts) // 2, len(texts) - 2):
        window = held.span(*held.document(number))
        expected = [
            piece.replace("▁", "")
            for line in texts[number].split("\n")
            for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str(line)
        ]
        words = np.split(window.ids, np.flatnonzero(window.words)[1:])
        assert [tokenizer.decode(word) for word in words] == expected
        assert window.words[window.lines].all()
    assert held.span(0, held.tokens).words.mean() < 0.9


@pytest.mark.parametrize("length", [1, 7, 128, 100_000])
def test_windows_are_the_whole_in_order_whichever_shards_they_cross(place, length):
    held = Shards(place / "shards")
    whole = held.span(0, held.tokens)
    indices = range(held.windows(length))
    if length == 1:
        indices = range(0, held.tokens, 97)
    for index in indices:
        window = held.window(index, length)
        start = index * length
        for name in ("ids", "words", "lines", "documents"):
            assert np.array_equal(
                getattr(window, name), getattr(whole, name)[start : start + length]
            )
    assert whole.documents.sum() == held.documents
    with pytest.raises(IndexError):
        held.window(held.windows(length), length)
    with pytest.raises(IndexError):
        held.window(-1, length)


def test_a_window_may_cross_several_shards(place):
    held = Shards(place / "shards")
    starts = held._starts
    assert len(starts) > 4
    window = held.span(int(starts[1]) - 3, int(starts[3]) + 2)
    assert window.documents[[3, int(starts[2] - starts[1]) + 3]].all()


def test_any_number_of_workers_leaves_the_same_bytes(place, tmp_path):
    shards.build(place / "corpus", place / "tokenizer", tmp_path / "shards", 3)
    assert small_corpus.left(tmp_path / "shards") == small_corpus.left(place / "shards")


def test_a_large_vocabulary_takes_four_bytes(place, tmp_path, monkeypatch):
    file = place / "tokenizer" / "tokenizer.json"
    settings = json.loads(file.read_text())
    large = len(settings["model"]["vocab"])
    settings["model"]["vocab"] += [[f"\ue000{n}", -50.0] for n in range(70_000 - large)]
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer" / "tokenizer.json").write_text(json.dumps(settings))
    shards.build(place / "corpus", tmp_path / "tokenizer", tmp_path / "shards", 1)
    wide, narrow = Shards(tmp_path / "shards"), Shards(place / "shards")
    assert (wide.window(0, 50).ids.dtype, narrow.window(0, 50).ids.dtype) == (np.uint32, np.uint16)
    assert np.array_equal(wide.span(0, wide.tokens).ids, narrow.span(0, narrow.tokens).ids)


def test_another_tokenizer_is_refused(place):
    with pytest.raises(InputError, match=r"shards of another tokenizer than .*other"):
        Shards(place / "shards", place / "other")
    with pytest.raises(InputError, match="tokenizer"):
        shards.build(place / "corpus", place / "other", place / "shards", 1)


def test_folders_that_are_something_else_are_refused(place, tmp_path):
    with pytest.raises(InputError, match="no finished shards"):
        Shards(tmp_path)
    with pytest.raises(InputError, match="no finished shards"):
        Shards(place / "tokenizer")
    with pytest.raises(InputError, match="no finished corpus"):
        shards.build(place, place / "tokenizer", tmp_path / "out")


@pytest.mark.parametrize("name", [f"{array}.npy" for array in shards.ARRAYS])
def test_every_changed_byte_is_found_by_verify_and_a_changed_size_at_opening(copy, name):
    file = copy / "part-00001" / name
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(DamagedError, match=name):
        Shards(copy).verify()
    file.write_bytes(content[:-1])
    with pytest.raises(DamagedError, match=name):
        Shards(copy)
    file.unlink()
    with pytest.raises(DamagedError, match=f"{name}: missing"):
        Shards(copy)


@pytest.mark.parametrize("name", ["results.json", "tokenizer/tokenizer.json"])
def test_a_changed_byte_of_what_describes_the_shards_is_found_at_opening(copy, name):
    content = (copy / name).read_text()
    (copy / name).write_text(content.replace("0", "1", 1))
    with pytest.raises(DamagedError, match="not what was written"):
        Shards(copy)


def test_a_manifest_that_promises_something_else_is_found_at_opening(copy):
    file = copy / "manifest.json"
    file.write_text(file.read_text().replace('"bytes": ', '"bytes": 1', 1))
    with pytest.raises(DamagedError, match="not the 1"):
        Shards(copy)


def test_reading_needs_numpy_alone(place):
    code = (
        "import sys\nfrom ligero.corpus.shards import Shards\n"
        f"Shards({str(place / 'shards')!r}, {str(place / 'tokenizer')!r}).window(1, 64)\n"
        "print(sorted({'polars', 'rensa', 'torch', 'transformers', 'tokenizers'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_tokenizer_is_the_same_however_it_is_written(place, tmp_path):
    file = place / "tokenizer" / "tokenizer.json"
    definition = json.loads(file.read_text())
    definition["padding"] = {
        "strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]",
    }  # fmt: skip
    (tmp_path / "tokenizer.json").write_text(json.dumps(definition, separators=(",", ":")))
    assert len(Shards(place / "shards", tmp_path)) == len(Shards(place / "shards"))
    vocabulary = definition["model"]["vocab"]
    vocabulary[-1], vocabulary[-2] = vocabulary[-2], vocabulary[-1]
    for text in (json.dumps(definition), "{}"):
        (tmp_path / "tokenizer.json").write_text(text)
        with pytest.raises(InputError, match="shards of another tokenizer"):
            Shards(place / "shards", tmp_path)


def test_a_tokenizer_may_be_called_as_its_model_that_comes_with_ligero(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    whole = shards.tokenizer_json(reference.RELEASED / "ligero-tiny")
    assert shards.tokenizer_json("ligero-tiny") == shards.tokenizer_json("ligero-tiny-2") == whole
    for name, said in (
        ("albeto-tiny", "no folder albeto-tiny"),
        ("owner/name", "no folder owner/name"),
        ("ligero-tyni", "ligero-tiny"),
    ):
        with pytest.raises(InputError, match=said):
            shards.tokenizer_json(name)
