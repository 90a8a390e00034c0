"""Normalised answers, exact match and overlap, on what Spanish text has in store."""

import unicodedata

import pytest

from ligero.tasks import metrics

ZERO_WIDTH = "\N{ZERO WIDTH SPACE}"


@pytest.mark.parametrize(
    "text, english, spanish",
    [
        ("", "", ""),
        ("   \n\t", "", ""),
        ("La", "la", ""),
        ("a", "", "a"),
        ("The la an el", "la el", "the an"),
        ("EE.UU.", "eeuu", "eeuu"),
        ("«Don Quijote»", "«don quijote»", "don quijote"),
        ("¿Qué? ¡Sí!", "¿qué ¡sí", "qué sí"),
        ("“los” años—80…", "“los” años—80…", "años80"),
        ("$5 + 3 = 8", "5 3 8", "5 3 8"),  # symbols of ASCII are stripped, others are not
        ("5 € × 3", "5 € × 3", "5 € × 3"),
        ("niño-la", "niñola", "niñola"),  # what punctuation parted is joined, and no article
        ("l'a", "la", ""),  # joined into an article
        ("El Niño", "el niño", "niño"),
        ("él una UNOS", "él una unos", "él"),  # él is a word, not an article
        ("ÁÉÍÓÚ Ñ Ü", "áéíóú ñ ü", "áéíóú ñ ü"),
        ("1.234,5 %", "12345", "12345"),
        ("lo al del", "lo al del", "lo al del"),
        ("uno\N{NO-BREAK SPACE}dos", "uno dos", "uno dos"),
        (f"la{ZERO_WIDTH}casa", f"la{ZERO_WIDTH}casa", f"{ZERO_WIDTH}casa"),
        (f"{ZERO_WIDTH}", f"{ZERO_WIDTH}", f"{ZERO_WIDTH}"),
        ("gol 🎉!", "gol 🎉", "gol 🎉"),
        ("1.ª y 2º", "1ª y 2º", "1ª y 2º"),
        ("el_la", "ella", "ella"),
        ("Straße ſ", "straße ſ", "straße ſ"),  # lower case, not case folding
        ("İ", "i\N{COMBINING DOT ABOVE}", "i\N{COMBINING DOT ABOVE}"),
    ],
)
def test_normalise(text: str, english: str, spanish: str) -> None:
    assert metrics.normalise(text, "en") == english
    assert metrics.normalise(text, "es") == spanish


@pytest.mark.parametrize("language", ["en", "es"])
def test_composed_and_decomposed_accents_are_different_words(language: metrics.Language) -> None:
    composed, decomposed = (unicodedata.normalize(form, "canción") for form in ("NFC", "NFD"))
    assert not metrics.exact(composed, decomposed, language)
    assert metrics.overlap(composed, decomposed, language) == 0.0
    assert metrics.exact(decomposed, decomposed.upper(), language)


def test_a_decomposed_letter_may_end_in_an_article() -> None:
    # A combining accent is no word character: "lá" decomposed is "la" and a mark.
    assert metrics.normalise("la\N{COMBINING ACUTE ACCENT}", "es") == "\N{COMBINING ACUTE ACCENT}"


def test_overlap_by_hand() -> None:
    # reference 3 words, predicted 2, shared 1: P 1/2, R 1/3
    assert metrics.overlap("cinco de mayo", "mayo 1862", "es") == pytest.approx(0.4)
    # a word is shared as often as both hold it: 2 of 3 and 2 of 2
    assert metrics.overlap("no no no", "no no", "es") == pytest.approx(0.8)
    assert metrics.overlap("la casa", "una casa", "es") == 1.0
    assert metrics.overlap("la casa", "una casa", "en") == 0.5
    assert metrics.overlap("la casa", "", "es") == 0.0


def test_answers_that_normalise_to_nothing_are_equal_and_share_no_word() -> None:
    assert metrics.exact("El", "¿?", "es")
    assert metrics.overlap("El", "¿?", "es") == 0.0


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(KeyError):
        metrics.normalise("texto", "fr")  # type: ignore[arg-type]


def test_the_best_reference_counts_for_each_score() -> None:
    tallies = metrics.answer_tallies([["el 5 de mayo", "mayo", "5 mayo"]], ["el 5 mayo"])
    assert {name: values.tolist() for name, values in tallies.items()} == {
        "questions": [1],
        "answers_exact": [1.0],  # 5 mayo
        "answers_f1": [1.0],
        "answers_exact_english": [0.0],
        "answers_f1_english": [pytest.approx(6 / 7)],  # 3 words of 4, all 3
    }


@pytest.mark.parametrize(
    "predicted, spanish, english",
    [("", 100.0, 100.0), ("¡!", 100.0, 0.0), ("el", 100.0, 0.0), ("a", 0.0, 100.0), ("no", 0.0, 0.0)],
)  # fmt: skip
def test_without_a_reference_only_no_answer_is_right(
    predicted: str, spanish: float, english: float
) -> None:
    figures = metrics.answer_figures(metrics.total(metrics.answer_tallies([[]], [predicted])))
    assert figures == {
        "f1": spanish,
        "exact": spanish,
        "f1_english": english,
        "exact_english": english,
    }


def test_figures_are_means_over_questions() -> None:
    tallies = metrics.answer_tallies([["casa"], [], ["roja"]], ["la casa", "algo", "una roja"])
    figures = metrics.answer_figures(metrics.total(tallies))
    assert figures["exact"] == figures["f1"] == pytest.approx(200 / 3)
    assert figures["exact_english"] == 0.0
    assert figures["f1_english"] == pytest.approx(400 / 9)


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="2 questions and 1 predicted"):
        metrics.answer_tallies([["a"], ["b"]], ["a"])
