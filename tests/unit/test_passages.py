"""Raw text as examples without labels."""

import itertools

import pytest

from ligero.tasks import kinds, passages
from ligero.tasks.example import Example

DOCUMENT = """\
La Constitución de Cádiz fue promulgada por las Cortes en 1812, durante la guerra. El rey Fernando \
VII la derogó en Valencia. Miguel de Cervantes nació en Alcalá de Henares. Dijo que no.
Otra línea con J. R. Jiménez y EE. UU. en ella, que fue larga. ¿Qué dijo? Nada.
"""


def like(kind, texts=1, length=100):
    return [kind.read(*["a" * length] * texts)] * 3


def test_sentences_end_where_they_do():
    assert passages.sentences(DOCUMENT) == [
        "La Constitución de Cádiz fue promulgada por las Cortes en 1812, durante la guerra.",
        "El rey Fernando VII la derogó en Valencia.",
        "Miguel de Cervantes nació en Alcalá de Henares.",
        "Dijo que no.",
        "Otra línea con J. R. Jiménez y EE. UU. en ella, que fue larga.",
        "¿Qué dijo?",
        "Nada.",
    ]


def test_sentences_of_text_that_was_cut_into_words_end_there_too():
    assert passages.sentences("¿ Qué dijo ? Vive en EE. UU. Juan . Nada .") == [
        "¿ Qué dijo ?",
        "Vive en EE. UU. Juan .",
        "Nada .",
    ]


def test_a_sentence_is_known_again_however_it_is_written():
    whole = "¿Qué dijo la niña? «Vive en Córdoba», dijo."
    assert passages.said(whole) == {"quedijolanina", "viveencordobadijo"}
    assert passages.said("¿ Qué dijo la niña ? « Vive en CÓRDOBA » , dijo") == passages.said(whole)
    assert passages.said("¿Qué dijo el niño?").isdisjoint(passages.said(whole))


def test_known_sentences_are_left_out():
    known = passages.said("el rey fernando vii la derogó en valencia") | {"dijoqueno"}
    found = [s for p in passages.passages(DOCUMENT, 100, known) for s in p]
    assert found == [s for p in passages.passages(DOCUMENT, 100) for s in p if "Valencia" not in s]


def test_passages_are_as_long_as_they_may_be_and_hold_every_sentence_of_some_words_once():
    found = list(passages.passages(DOCUMENT, 100))
    whole = [s for s in passages.sentences(DOCUMENT) if len(s.split()) >= passages.FEWEST_WORDS]
    assert [s for passage in found for s in passage] == whole
    assert [len(" ".join(p)) <= 100 for p in found] == [True] * len(found)
    # No two neighbours would have fitted together.
    assert all(len(" ".join([*one, other[0]])) > 100 for one, other in itertools.pairwise(found))
    # Far beyond what the task has: left out.
    assert list(passages.passages(DOCUMENT, 10)) == []


@pytest.mark.parametrize("name", ["tag", "parse", "classify"])
def test_a_passage_is_an_example_of_one_text(name):
    kind = kinds.find(name)
    found = list(passages.examples([DOCUMENT], kind, like(kind)))
    assert [len(e.texts) for e in found] == [1] * len(found)
    assert all(not e.gold and e.answers is None for e in found)
    if name != "classify":
        assert all(e.words for e in found)
    units = [gold for e in found for gold in kind.gold(e, ("a", "b")).values()]
    assert units and all((gold == -100).all() for gold in units)


def test_pairs_are_neighbours():
    kind = kinds.find("classify")
    found = list(passages.examples([DOCUMENT], kind, like(kind, texts=2, length=140)))
    assert found[0].texts == tuple(passages.sentences(DOCUMENT)[:2])
    # A single sentence gives its halves.
    (alone,) = passages.neighbours(["Llegó tarde a la reunión, porque el tren no salía, y se fue."])
    assert alone == ("Llegó tarde a la reunión", "porque el tren no salía, y se fue.")
    assert list(passages.neighbours(["Sin coma ninguna dentro."])) == []


def test_questions_ask_for_a_name_or_a_number_of_their_context():
    kind = kinds.find("answer")
    found = list(passages.examples([DOCUMENT], kind, like(kind, texts=2, length=140)))
    asked = [e.texts[0] for e in found]
    assert (
        asked[0]
        == "¿La Constitución de Cádiz fue promulgada por las Cortes en qué año, durante la guerra?"
    )
    assert asked[1] == "¿El rey Fernando VII la derogó en qué lugar?"
    assert asked[2] == "¿Miguel de Cervantes nació en qué lugar?"
    assert all("en ella" in e.texts[1] or "derogó" in e.texts[1] for e in found)
    assert all(e.answers is None and e.words for e in found)
    (asked,) = passages.questions(["Hubo 300 muertos en total."])
    assert asked[0] == "¿Hubo cuántos muertos en total?"
    assert list(passages.questions(["No hay nada que preguntar aquí."])) == []


def test_examples_are_like_examples():
    kind = kinds.find("tag")
    (one, *_) = passages.examples([DOCUMENT], kind, like(kind))
    assert isinstance(one, Example)
    assert one == kind.read(one.texts[0])
