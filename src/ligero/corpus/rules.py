r"""What cleaning drops and changes, as data: in the order in which it is done.

Patterns are in the syntax of Rust's `regex` (linear time; no look-around, no back-references), as
polars runs them over one line at a time. A rule sees what the rules before it left.

What no rule may touch is in `tests/unit/test_corpus_clean.py`: abbreviations ("EE.UU."), a missing
space ("partido.luego"), figures ("1.234,56 €"), "¿¡", quotes, accents, dialogue dashes, emoji.
"""

import unicodedata

from ligero.corpus.markup import BLOCKS, CHANGES, JOINED, LINES, NOTES
from ligero.corpus.rule import Block, Rule, whole

_LOST = "\N{REPLACEMENT CHARACTER}[A-Za-záéíóúüñ]"


def _mend_encoding(line: str) -> str:
    """`line` with UTF-8 that was read as Windows-1252 or ISO-8859-1 read as UTF-8 again."""
    import ftfy

    return ftfy.fix_encoding(line)


def _compose(line: str) -> str:
    return unicodedata.normalize("NFC", line)


# UTF-8's first bytes of accents, quotes and emoji (Â Ã Å â ð ï), as Windows-1252 shows them, before
# what it makes of a second byte; or a control character that Windows-1252 has as quote or dash.
_MOJIBAKE = (
    r"[ÂÃÅâðï][\x{80}-\x{BF}€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|Ã(?:\s|$)|[\x{80}-\x{84}\x{86}-\x{9F}]"
)

MEND = (
    Rule(
        "encoding",
        "change",
        "UTF-8 that was read as Windows-1252 (“paÃ­s”) is no Spanish word, and is mended exactly",
        _MOJIBAKE,
        _mend_encoding,
    ),
    Rule(
        "composed letters",
        "change",
        "ñ as n with a tilde after it is another word to a vocabulary: Unicode's NFC has one form",
        r"\p{M}",
        _compose,
    ),
    Rule(
        "line separators",
        "change",
        "form feeds and Unicode's line ends are white space within a line",
        r"[\x0B\x0C\x{85}\x{2028}\x{2029}]",
        " ",
    ),
    Rule(
        "lost letters",
        "change",
        "where a letter became \N{REPLACEMENT CHARACTER} nobody knows which: its sentence goes",
        _LOST,
        whole(_LOST),
    ),
    Rule(
        "invisible characters",
        "change",
        "control, zero-width and soft hyphen characters split words that look whole",
        # Zero-width joiners and variation selectors hold emoji together, and stay.
        r"[\x00-\x08\x0E-\x1F\x7F-\x{9F}\x{AD}\x{200B}\x{200C}\x{200E}\x{200F}\x{202A}-\x{202E}"
        r"\x{2060}-\x{2064}\x{2066}-\x{2069}\x{FEFF}\x{FFFD}]",
    ),
)

# Phrases of pages, not of texts: a line is dropped if it is nothing else.
_BOILERPLATE = (
    r"(?:leer|ver|saber|seguir) (?:más|leyendo)|lee también|te puede interesar|compartir(?: en .{1,20})?"
    r"|(?:volver|ir) (?:arriba|al inicio)|inici(?:o|ar) sesi[oó]n|suscr[ií]bete.{0,40}|regístrate"
    r"|pol[ií]tica de (?:privacidad|cookies).{0,40}|aviso legal|publicidad|imprimir|siguiente|anterior"
    r"|(?:copyright|©|\(c\)\s*\d{4}).{0,120}|.{0,60}todos los derechos reservados.{0,60}|comentarios"
    r"|.{0,80}(?:utiliza|usa|uso de|utilizamos|usamos) cookies.{0,200}|s[ií]guenos.{0,40}"
    r"|documento actualizado|this file is distributed under.*|check https.*|pasos siguientes"
)

LEFT = (
    Rule(
        "no letters",
        "drop line",
        "figures, rules and signs alone are no sentence",
        # Emoji (\p{So}) are not among these.
        r"^[\d\p{P}\p{Sm}\p{Sc}\p{Sk}\s°ªº]+$",
        # The end of a sentence that is broken over lines ("1976.").
        unless=r"^\d[\d.:,/]+\)?[.;,]$",
    ),
    Rule(
        "formulas",
        "drop line",
        "an equation without any word of four letters is not a sentence",
        r"[=×⟶⇌→≈≤≥±]|\s[+−]\s",
        unless=r"\p{Ll}{4}|\p{So}",
    ),
    Rule(
        "rows of figures",
        "drop line",
        "a row of a table ends in three numbers, in two if the last has thousands, or in a ditto and one",
        r"(?:\s[$€]?\s?-?\d+(?:[.,:]\d+)*%?){3,}\s*$|\s\d[\d.,:]*\s\$?\s?\d{1,3}(?:[.,]\d{3})+$"
        r"|(?:\$\s*[\d.:,]+\s*){2,}$|\s\"\s*\d[\d.:,]*[\s_]*$",
        # A paragraph may end in a telephone number.
        unless=r"^.{80}|(?i)\s(?:y|e|o|u|al?)\s+\d+[.)]?$",
    ),
    Rule(
        "paths and names of code",
        "drop line",
        "one token with slashes, underscores, inner capitals or -- before it is a path or an identifier",
        r"^--[a-z][\w-]*$|^[\w.~:-]*(?:/[\w.~{}-]*){2,}$|^[A-Za-z.]*[a-z][A-Z_][\w.<>()]*$"
        r"|^[\w.-]+\.(?:md|html?|png|jpe?g|gif|svg|css|js|cs|py|json|xml|yml|txt|pdf)$|^/?[a-z]+(?:[-_/][a-z]+){2,}$",
    ),
    Rule(
        "boilerplate",
        "drop line",
        "phrases of a page around its text: sharing, cookies, copyright",
        rf"(?i)^(?:{_BOILERPLATE})[\s…:»>]*$",
        # The last words of a sentence that is broken over lines ("anterior").
        unless=r"^\p{Ll}",
    ),
)

LANGUAGE = Rule(
    "other languages",
    "drop line",
    "more function words of another language than of Spanish, and at least two",
    "",
)
SHORT = Rule(
    "short lines",
    "drop line",
    "asked for: fewer than four words without a sentence's end (titles, names, verse)",
    r"^(?:\S+\s){0,2}\S*[^\s.!?…:;»\"”)]$",
)
EMPTY = Rule("nothing left", "drop line", "other rules took all of the line", "")
FOREIGN = Rule(
    "other languages (document)",
    "drop document",
    "more than half of its text was lines in another language",
    "",
)
EMPTIED = Rule("nothing left (document)", "drop document", "no line of it is left", "")

# In the order in which they are applied.
RULES: tuple[Rule | Block, ...] = (
    *MEND, *BLOCKS, NOTES, JOINED, *LINES, *CHANGES, EMPTY, *LEFT, LANGUAGE, SHORT, FOREIGN, EMPTIED,
)  # fmt: skip
