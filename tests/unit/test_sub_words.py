import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

from ligero.models import build
from ligero.models.reference import RELEASED
from ligero.tasks import sub_words

RELEASE = build.load_tokenizer(RELEASED / "ligero-tiny")
READ = sub_words.reader(RELEASE)

# What Spanish text and its dirt are made of, often enough to meet each other.
PIECES = st.sampled_from(
    (
        "  | |\t|\n|\u00a0|\u200b|\u0301|[SEP]|[MASK]|EE.UU.|1.234,56|Córdoba|cigu\u0308en\u0303a"
        "|«|»|¿qué|🙂|\0|\x1f|ﬁ|ǅ|Σ"
    ).split("|")
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=20).map("".join))


@settings(max_examples=1000, deadline=None)
@given(TEXTS)
@example("")
@example(" \u0301a \u0301")
@example("a [SEP] b[SEP]c [ SEP]")
def test_pieces_out_of_memory_make_the_same_text(text):
    whole = RELEASE.encode(text, add_special_tokens=False)
    for _ in range(2):
        found = READ(text)
        assert found.ids == whole.ids
        assert found.offsets == whole.offsets


def test_the_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(sub_words, "KEPT", 10)
    read = sub_words.Remembering(sub_words.reader(RELEASE))
    for number in range(35):
        read(f"a{number} {'b' * 41}")
    assert 0 < len(read._known) <= 10
    assert all(len(piece) <= sub_words.LONGEST for piece in read._known)


def tokenizer(cut=None, step=None, added=None):
    made = Tokenizer(models.WordLevel({"a": 0, "b": 1, "[UNK]": 2}, unk_token="[UNK]"))
    made.pre_tokenizer = cut or pre_tokenizers.WhitespaceSplit()
    if step is not None:
        made.normalizer = step
    if added is not None:
        made.add_special_tokens([added])
    return made


@pytest.mark.parametrize(
    "made",
    [
        tokenizer(),
        tokenizer(cut=pre_tokenizers.BertPreTokenizer(), step=normalizers.BertNormalizer()),
        tokenizer(step=normalizers.Sequence([normalizers.NFC(), normalizers.Replace("a", "b")])),
        tokenizer(added=AddedToken("[SEP]")),
    ],
)
def test_words_cut_at_white_space_are_separable(made):
    assert sub_words.separable(made)


@pytest.mark.parametrize(
    "made",
    [
        tokenizer(cut=pre_tokenizers.ByteLevel()),
        tokenizer(cut=pre_tokenizers.Metaspace()),
        tokenizer(cut=pre_tokenizers.Punctuation()),
        tokenizer(step=normalizers.Replace("a b", "b")),
        tokenizer(step=normalizers.Replace(Regex(r"a\s+b"), "b")),
        tokenizer(step=normalizers.Prepend("a")),
        tokenizer(added=AddedToken("[MASK]", lstrip=True)),
        tokenizer(added=AddedToken("a b")),
        Tokenizer(models.WordLevel({"a": 0}, unk_token="a")),
    ],
)
def test_where_a_space_matters_the_text_is_read_whole(made):
    assert not sub_words.separable(made)
