"""Which lines are in another language: the function words of each, counted.

Cheap, and enough for whole lines: one of Spanish holds "de", "los", "y" and their like, one of
English "the", "of", "to". A word that Spanish has too ("no", "has", "use", "les", "dos", "sur") is in
no other language's list, so that no Spanish word counts against its line.
"""

import polars as pl

# The commonest function words of each that are no Spanish words.
DISTANT = {
    "English": "the of and to is in for that with this be are by on it or from was which not an have"
    " will can if when your you we they its but should at may used using these there does".split(),
    "German": "der die und ist nicht zu mit auf ein eine für dem sich wird auch".split(),
}
CLOSE = {
    "Catalan": "amb els és perquè aquest aquesta això dels també però nosaltres vostè què molt aquests"
    " fer hem tots seva aquestes vostès".split(),
    "French": "est dans pour qui pas avec ce cette sont aux nous vous être du".split(),
    "Portuguese": "não uma com em pela você também mais isso ao são à num numa".split(),
    "Italian": "il della per è sono gli nella questo anche dei delle più alla".split(),
}
# Spanish words, of which a line of a distant language holds none, and those of them that the close
# languages do not have.
SPANISH = (
    "de la que el en y los se del las un por con no una su para es al lo como más o pero sus le ha"
    " si sin este entre cuando todo esta son dos fue había era muy hasta desde está porque yo hay"
    " mi nos ni ya me te qué"
).split()
OWN = "y los las con por lo más pero sus sin este muy hasta había está yo hay ya del su".split()


def _any(words: list[str]) -> str:
    """A pattern of any of `words` as a word, in a line whose spaces were doubled."""
    return rf"(?i) (?:{'|'.join(words)})[ ,.;:!?)]"


# A line without any of these (most lines of a Spanish text) is not counted at all.
_SIGNS = f"(?i) (?:{'|'.join(word for words in (DISTANT | CLOSE).values() for word in words)}) "


def foreign(text: pl.Series) -> pl.Series:
    """For each line whether it reads as another language than Spanish; bool, as long as `text`.

    A line is foreign if it holds at least two function words of another language, and more than of
    Spanish. A line with fewer (a name, a title, a quoted phrase) is taken for Spanish.
    """
    padded = " " + text + " "
    suspect = padded.str.contains(_SIGNS)
    rows = suspect.arg_true()
    if not len(rows):
        return suspect
    # Doubled, so that neighbouring words do not share the space between them.
    doubled = padded.gather(rows).str.replace_all(" ", "  ", literal=True)
    verdict = pl.repeat(False, len(rows), eager=True)
    for others, ours in ((DISTANT, SPANISH), (CLOSE, OWN)):
        spanish = doubled.str.count_matches(_any(ours))
        for words in others.values():
            count = doubled.str.count_matches(_any(words))
            verdict = verdict | ((count >= 2) & (count > spanish))
    return suspect.scatter(rows, verdict)
