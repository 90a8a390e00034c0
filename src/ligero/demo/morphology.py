"""Spanish inflection for the demo: gender, number, third-person verbs, contractions.

It is made for the words of `lexicon.py` and is no general morphology. The rules follow the Nueva
gramática de la lengua española (RAE), chapters 2 to 4.
"""

from typing import NamedTuple


class Form(NamedTuple):
    """What agreement needs: gender "m" or "f", number "s" or "p"."""

    gender: str = "m"
    number: str = "s"


_PLAIN = str.maketrans("áéíóú", "aeiou")

# Words that no rule below gives: masculine singular, feminine singular, and the two plurals.
_IRREGULAR = {
    forms.split()[0]: forms.split()
    for forms in (
        "el la los las",
        "lo la los las",
        "él ella ellos ellas",
        "un una unos unas",
        "este esta estos estas",
        "ese esa esos esas",
        "aquel aquella aquellos aquellas",
        "su su sus sus",
        "algún alguna algunos algunas",
        "ningún ninguna ningunos ningunas",
        "primer primera primeros primeras",
        "tercer tercera terceros terceras",
        "buen buena buenos buenas",
        "mal mala malos malas",
        "gran gran grandes grandes",
        "joven joven jóvenes jóvenes",
        "español española españoles españolas",
        "europeo europea europeos europeas",
        "andaluz andaluza andaluces andaluzas",
    )
}
# Adjectives in -or that do not change in the feminine: the old comparatives.
_COMPARATIVE = {"mayor", "menor", "mejor", "peor", "superior", "inferior", "anterior", "posterior"}
_COMPARATIVE |= {"exterior", "interior"}
_PLURAL = {
    "examen": "exámenes",
    "imagen": "imágenes",
    "joven": "jóvenes",
    "margen": "márgenes",
    "origen": "orígenes",
    "régimen": "regímenes",
    "volumen": "volúmenes",
    "club": "clubes",
    "récord": "récords",
    "déficit": "déficits",
    "crisis": "crisis",
    "tesis": "tesis",
    "análisis": "análisis",
    "virus": "virus",
    "hepatitis": "hepatitis",
    "menú": "menús",
}


def plural(word: str) -> str:
    """The plural of a noun or adjective: "luz" -> "luces", "elección" -> "elecciones"."""
    if word in _PLURAL:
        return _PLURAL[word]
    if word[-1] in "aeioué":
        return word + "s"
    if word[-1] == "z":
        return word[:-1] + "ces"
    # The stress mark of a last syllable goes when a syllable is added: camión, inglés, común.
    if word[-2:] in {"ón", "án", "én", "ín", "ún", "és"}:
        return word[:-2] + word[-2].translate(_PLAIN) + word[-1] + "es"
    return word + "es"


def feminine(word: str) -> str:
    """The feminine singular of an adjective or participle: "inglés" -> "inglesa"."""
    if word.endswith("o"):
        return word[:-1] + "a"
    if word in _COMPARATIVE:
        return word
    if word.endswith("or"):
        return word + "a"
    if word[-2:] in {"és", "án", "ón", "ín"}:
        return word[:-2] + word[-2].translate(_PLAIN) + word[-1] + "a"
    return word


def inflect(word: str, form: Form) -> str:
    """A determiner, adjective or participle, given in the masculine singular, made to agree."""
    if word in _IRREGULAR:
        return _IRREGULAR[word][2 * (form.number == "p") + (form.gender == "f")]
    word = feminine(word) if form.gender == "f" else word
    return plural(word) if form.number == "p" else word


# infinitive -> present singular and plural, preterite singular and plural, participle ("" = rule).
_VERBS = {
    "abrir": ("", "", "", "", "abierto"),
    "caer": ("", "", "cayó", "cayeron", "caído"),
    "advertir": ("advierte", "advierten", "advirtió", "advirtieron", ""),
    "defender": ("defiende", "defienden", "", "", ""),
    "demostrar": ("demuestra", "demuestran", "", "", ""),
    "descubrir": ("", "", "", "", "descubierto"),
    "invertir": ("invierte", "invierten", "invirtió", "invirtieron", ""),
    "manifestar": ("manifiesta", "manifiestan", "", "", ""),
    "medir": ("mide", "miden", "midió", "midieron", ""),
    "pedir": ("pide", "piden", "pidió", "pidieron", ""),
    "perder": ("pierde", "pierden", "", "", ""),
    "proponer": ("", "", "propuso", "propusieron", "propuesto"),
    "recordar": ("recuerda", "recuerdan", "", "", ""),
    "reducir": ("", "", "redujo", "redujeron", ""),
    "producir": ("", "", "produjo", "produjeron", ""),
    "resolver": ("resuelve", "resuelven", "", "", "resuelto"),
    "sostener": ("sostiene", "sostienen", "sostuvo", "sostuvieron", ""),
    "decir": ("dice", "dicen", "dijo", "dijeron", "dicho"),
    "escribir": ("", "", "", "", "escrito"),
    "negar": ("niega", "niegan", "", "", ""),
    "cerrar": ("cierra", "cierran", "", "", ""),
    "adquirir": ("adquiere", "adquieren", "", "", ""),
    "describir": ("", "", "", "", "descrito"),
    "distribuir": ("distribuye", "distribuyen", "distribuyó", "distribuyeron", ""),
    "exponer": ("", "", "expuso", "expusieron", "expuesto"),
    "mostrar": ("muestra", "muestran", "", "", ""),
    "sugerir": ("sugiere", "sugieren", "sugirió", "sugirieron", ""),
}
_FUTURE_STEM = {
    "proponer": "propondr",
    "sostener": "sostendr",
    "exponer": "expondr",
    "decir": "dir",
}


def conjugate(infinitive: str, tense: str, number: str = "s") -> str:
    """The third person of `infinitive`; tense is pres, pret, fut, inf or part (masc. singular)."""
    stem, theme = infinitive[:-2], infinitive[-2]
    many = number == "p"
    known = _VERBS.get(infinitive, ("",) * 5)
    if tense == "inf":
        return infinitive
    if tense == "part":
        return known[4] or stem + ("ado" if theme == "a" else "ido")
    if tense == "fut":
        return _FUTURE_STEM.get(infinitive, infinitive) + ("án" if many else "á")
    if tense == "pres":
        vowel = "a" if theme == "a" else "e"
        return known[many] or stem + vowel + ("n" if many else "")
    ending = ("aron" if many else "ó") if theme == "a" else ("ieron" if many else "ió")
    return known[2 + many] or stem + ending


# Feminine nouns with a stressed initial a-: "el agua", "un área", but "la misma área", "las áreas".
TONIC = {"agua", "ala", "alma", "alza", "arma", "aula", "acta", "área", "águila", "habla", "hambre"}
TONIC |= {"ave", "alga", "asma"}


def before_tonic(article: str, noun: str) -> str:
    """`article` as it stands right before `noun`: "la", "agua" -> "el"."""
    change = {"la": "el", "una": "un", "alguna": "algún", "ninguna": "ningún"}
    return change.get(article, article) if noun in TONIC else article


def euphonic(conjunction: str, following: str) -> str:
    """ "y" as "e" before the sound i, "o" as "u" before o: "e Inés", "u otro", but "y hielo"."""
    low = following.lower()
    if conjunction == "y":
        sound = low.startswith(("i", "í", "hi", "hí"))
        return "e" if sound and not low.startswith(("hie", "hia", "ia", "ie", "io")) else "y"
    return "u" if low.startswith(("o", "ó", "ho", "hó")) else "o"
