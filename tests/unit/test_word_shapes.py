"""Word shapes: what folding case takes away is found in the text, sub-word by sub-word."""

import itertools
import json
import random
import shutil

import numpy as np
import pytest
from tokenizers import Tokenizer

import small_text
from ligero import vocab
from ligero.config import MaskConfig
from ligero.corpus import shards
from ligero.corpus.shards import Shards
from ligero.errors import DamagedError, InputError
from ligero.pretrain.masked import MaskedWords
from ligero.pretrain.ordered import OrderedSentences
from ligero.pretrain.windows import Windows
from ligero.tasks import word_shapes
from ligero.tasks.example import Example
from ligero.tasks.word_shapes import NAMES
from ligero.tasks.words import FEW, Encoder

STEP = 2
# A text, and the shape of each of its words, lower ones left out.
TOLD = {
    "Ayer llegó Íñigo a Ávila.": "Ayer opening, Íñigo title, Ávila title",
    "ayer vi a Peña-López y a O'Higgins": "Peña title, López title, O title, Higgins title",
    "¿Quién? ¡Nadie! «Él» calla; Ana no.": "Quién opening, Nadie opening, Él opening, Ana title",
    "dijo : « Hola » , y Juan : « Sí »": "Hola opening, Juan title, Sí opening",
    'la "Movida" de Madrid… Luego': "Movida opening, Madrid title, Luego opening",
    'el " Guernica " , Picasso y (Dalí)': "Guernica opening, Picasso title, Dalí title",
    "el sr. D. Juan y Sr. Peña en EE. UU. o EE.UU. Madrid": (
        "D opening, Juan title, Sr title, Peña title, EE upper, UU upper, EE upper, UU upper, "
        "Madrid title"
    ),
    "EL NIÑO GANA A LA ONU": (
        "EL upper, NIÑO upper, GANA upper, A title, LA upper, ONU upper"
    ),
    "un iPhone de McDonald y SMSs": "iPhone mixed, McDonald mixed, SMSs mixed",
    "en 1998 , 3.000,5 € el 12/10 a las 20:30": "1998 digits, 3.000,5 digits, 12/10 digits, 20:30 digits",
    "un B-52 4x4 del 11-M con COVID-19": "B-52 both, 4x4 both, 11-M both, COVID-19 both",
    "fin.\nOtra línea\tCon tabuladores": "Otra opening, Con title",
    "😀 Sí 👍🏽 Ana": "Sí opening, Ana title",
    "ma\u0301laga A\u0301vila N\u0303 ma\u00addrid": "A\u0301vila title, N\u0303 title",
    "x_Y 1998. Dos": "Y title, 1998 digits, Dos opening",
    "": "", "  ": "", "… ¿? -": "",
}  # fmt: skip


def told(text):
    return ", ".join(
        f"{text[start:end]} {NAMES[number]}" for start, end, number in word_shapes.words(text)
    )


@pytest.mark.parametrize("text", TOLD)
def test_every_word_has_its_shape(text):
    assert told(text) == TOLD[text]


def made_up(rng):
    """Odd text: pieces of the texts above and signs in any order."""
    pieces = [piece for text in TOLD for piece in text.split(" ")]
    signs = [" ", "  ", "\n", ".", " . ", "«", '"', ",", "-", "'"]
    return "".join(rng.choice(rng.choice((pieces, signs))) for _ in range(rng.randint(1, 40)))


def test_pieces_out_of_memory_make_the_same_words():
    rng = random.Random(0)
    for _ in range(300):
        text = made_up(rng)
        whole, _ = word_shapes._walk(text, True)
        assert tuple(word_shapes.words(text)) == whole
    long = "Rosa-" * 30 + " Ana"
    assert len(word_shapes.words(long)) == 31
    assert word_shapes._remembered.cache_info().currsize <= word_shapes.KEPT


def test_sub_words_take_the_shape_of_the_word_they_share_a_character_with():
    rng = random.Random(1)
    for _ in range(200):
        text = made_up(rng)
        cuts = sorted(rng.choices(range(len(text) + 1), k=rng.randint(0, 30)))
        offsets = list(itertools.pairwise(cuts))
        characters = [0] * len(text)
        for start, end, number in word_shapes.words(text):
            characters[start:end] = [number] * (end - start)
        found = word_shapes.find(text, offsets)
        assert len(found) == len(offsets)
        for number, (start, end) in zip(found, offsets, strict=True):
            held = [n for n in characters[start:end] if n]
            if start < end:
                assert number == (held[-1] if held else 0), (text, start, end)


def tokenizer(algorithm, lowercase=True):
    return vocab.train(list(TOLD) * 5, algorithm=algorithm, size=300, lowercase=lowercase)


@pytest.fixture(scope="module", params=vocab.ALGORITHMS)
def uncased(request):
    return tokenizer(request.param)


def examples():
    texts = [text for text in TOLD if text.strip()]
    pairs = [Example(f"{n}", pair) for n, pair in enumerate(itertools.pairwise(texts))]
    return [*(Example(text, (text,)) for text in texts), *pairs]


def test_types_are_segments_and_shapes_for_one_text_or_many(uncased):
    plain, shaped = Encoder(uncased, 64), Encoder(uncased, 64, STEP)
    given = examples()
    assert len(given) > FEW
    together = shaped(given)
    for example, before, after in zip(given, plain(given), together, strict=True):
        assert np.array_equal(before.ids[0], after.ids[0])
        (alone,) = shaped([example])
        assert np.array_equal(alone.types[0], after.types[0])
        assert np.array_equal(after.types[0] % STEP, before.types[0])
        whole = uncased.encode(*example.texts)
        for number, (type_, text, (start, end)) in enumerate(
            zip(after.types[0], whole.sequence_ids, whole.offsets, strict=True)
        ):
            if text is None:
                assert type_ == before.types[0][number] < STEP
            elif start < end:
                wanted = word_shapes.find(example.texts[text], [(start, end)])
                assert [type_ // STEP] == wanted, number


def test_without_shapes_nothing_is_another(uncased):
    for example, encoded in zip(examples(), Encoder(uncased, 64)(examples()), strict=True):
        assert encoded.types[0].tolist() == uncased.encode(*example.texts).type_ids


def test_windows_show_the_shapes_of_the_whole_text(uncased):
    text = " ".join([*TOLD, *TOLD])
    ((whole,), (long,)) = (
        [e.types[0] for e in Encoder(uncased, 100_000, STEP)([Example("1", (text,))])],
        Encoder(uncased, 40, STEP)([Example("1", (text,))]),
    )
    ids = Encoder(uncased, 100_000)([Example("1", (text,))])[0].ids[0][1:-1]
    assert len(long.ids) > 5
    at = 0
    for window, types in zip(long.ids, long.types, strict=True):
        inner = window[1:-1]
        while not np.array_equal(ids[at : at + len(inner)], inner):
            at += 1
        assert np.array_equal(types[1:-1], whole[1:-1][at : at + len(inner)])
        assert types[0] == types[-1] == 0


@pytest.mark.parametrize("algorithm", vocab.ALGORITHMS)
def test_a_vocabulary_that_keeps_case_is_known(algorithm):
    word_shapes.check(tokenizer(algorithm))
    with pytest.raises(InputError, match="keeps case, which has nothing to gain"):
        word_shapes.check(tokenizer(algorithm, lowercase=False))


def test_shapes_of_a_configuration_are_these_or_none():
    assert word_shapes.step({"type_vocab_size": 2}) == 0
    right = {"word_shapes": list(NAMES), "type_vocab_size": 2 * len(NAMES)}
    assert word_shapes.step(right) == 2
    for wrong in ({"word_shapes": ["lower"]}, {"type_vocab_size": 2}, {"type_vocab_size": None}):
        with pytest.raises(InputError, match=r"word_shapes .* with type_vocab_size"):
            word_shapes.step({**right, **wrong})


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Shards of one text by an uncased vocabulary, without shapes and with them."""
    place = tmp_path_factory.mktemp("shapes")
    texts = small_text.documents(40)
    made = vocab.train(texts, algorithm="wordpiece", size=500, lowercase=True)
    vocab.save(made, place / "vocab", max_length=64)
    small_text.write(place / "plain", texts, place / "vocab")
    shards.build(place / "plain-text", place / "vocab", place / "cased", 1, case=True)
    return place


@pytest.fixture(scope="module")
def texts():
    return small_text.documents(40)


def uncased_of(place):
    return Tokenizer.from_file(str(place / "vocab" / "tokenizer.json"))


def test_shards_hold_the_shapes_of_every_line(place, texts):
    held, read = Shards(place / "cased", place / "vocab"), uncased_of(place)
    held.verify()
    for number, text in enumerate(texts):
        window = held.span(*held.document(number))
        lines = [read.encode(line, add_special_tokens=False) for line in text.split("\n")]
        wanted = [
            number
            for line, e in zip(text.split("\n"), lines, strict=True)
            for number in word_shapes.find(line, e.offsets)
        ]
        assert window.shapes.dtype == np.uint8 and window.shapes.tolist() == wanted
    assert len(set(held.span(0, held.tokens).shapes.tolist())) >= 4


def test_shards_without_shapes_are_to_the_byte_what_they_were(place):
    plain, cased = Shards(place / "plain"), Shards(place / "cased")
    assert (plain.case, cased.case) == (False, True)
    assert plain.span(0, 10).shapes is None
    files = {
        folder: sorted(str(p.relative_to(place / folder)) for p in (place / folder).rglob("*.npy"))
        for folder in ("plain", "cased")
    }
    assert not [name for name in files["plain"] if "shapes" in name]
    for name in files["plain"]:
        assert (place / "plain" / name).read_bytes() == (place / "cased" / name).read_bytes()
    assert [n for n in files["cased"] if n not in files["plain"]] == [
        f"part-{n:05d}/shapes.npy" for n in range(3)
    ]
    for file in ("config.json", "results.json"):
        text = (place / "plain" / file).read_text()
        assert "case" not in text and "shapes" not in text


def test_damaged_shapes_and_other_settings_are_refused(place, tmp_path):
    copy = shutil.copytree(place / "cased", tmp_path / "cased")
    file = copy / "part-00001" / "shapes.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(DamagedError, match=r"shapes\.npy"):
        Shards(copy).verify()
    with pytest.raises(InputError, match="case"):
        shards.build(place / "plain-text", place / "vocab", place / "plain", 1, case=True)
    cased = vocab.train(small_text.documents(8), algorithm="bpe", size=400)
    vocab.save(cased, tmp_path / "other", max_length=64)
    with pytest.raises(InputError, match="keeps case"):
        shards.build(place / "plain-text", tmp_path / "other", tmp_path / "out", 1, case=True)
    folded = shutil.copytree(place / "plain-text", tmp_path / "folded")
    settings = {"cleaning": {"lowercase": True}}
    (folded / "config.json").write_text(json.dumps({"identity": {"settings": settings}}))
    with pytest.raises(InputError, match="a corpus in lower case"):
        shards.build(folded, place / "vocab", tmp_path / "out", 1, case=True)
    assert not (tmp_path / "out").exists()


def windows(place, name="cased", step=STEP, length=24):
    return Windows(Shards(place / name), uncased_of(place), length, seed=0, shape_step=step)


def test_windows_of_pretraining_hold_the_types_of_their_sub_words(place):
    shaped, plain = windows(place), windows(place, step=0)
    ids = np.arange(min(shaped.size, 60))
    rows, before = shaped.read(ids, 1), plain.read(ids, 1)
    assert before.types is None and np.array_equal(rows.ids, before.ids)
    assert rows.types.shape == rows.ids.shape and rows.types.any()
    # A special token has none, whether a window's own or one between two documents.
    assert not rows.types[np.isin(rows.ids, (shaped.cls, shaped.sep))].any()
    for row, window in enumerate(shaped.spans(ids, 1)):
        told = STEP * window.shapes.astype(int)
        mine = ~np.isin(rows.ids[row], (shaped.cls, shaped.sep))
        assert rows.types[row][mine].tolist() == told[: mine.sum()].tolist()


def test_a_hidden_word_keeps_its_shape_and_order_its_segments(place):
    shaped, plain = windows(place), windows(place, step=0)
    ids = np.arange(min(shaped.size, 60))
    settings = (MaskConfig(), 0, 4)
    alone, without = (MaskedWords(w, w, *settings).batch(ids, 0) for w in (shaped, plain))
    assert "token_type_ids" not in without.inputs
    assert np.array_equal(alone.inputs["input_ids"], without.inputs["input_ids"])
    assert np.array_equal(alone.inputs["token_type_ids"], shaped.read(ids, 0).types)
    after, before = (OrderedSentences(w, w, *settings).batch(ids, 0) for w in (shaped, plain))
    assert np.array_equal(after.inputs["input_ids"], before.inputs["input_ids"])
    types = after.inputs["token_type_ids"].numpy()
    assert np.array_equal(types % STEP, before.inputs["token_type_ids"])
    # The gold sub-words with their shapes, wherever their segment went, are those of the text.
    known = Shards(place / "cased").span(0, shaped.shards.tokens)
    pairs = set(zip(known.ids.tolist(), known.shapes.tolist(), strict=True))
    assert (after.swapped == 1).any()
    shapes = types.reshape(-1)[after.places] // STEP
    found = set(zip(after.gold.tolist(), shapes.tolist(), strict=True))
    assert found <= pairs and len({shape for _, shape in found}) > 2


def test_shards_without_shapes_say_how_to_make_them(place):
    with pytest.raises(InputError, match=r"without word shapes.*ligero corpus shards.*--case"):
        windows(place, "plain")
