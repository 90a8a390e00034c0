"""From words back to running text, with Spanish spacing around its marks."""

from collections.abc import Sequence

_NO_SPACE_BEFORE = {".", ",", ";", ":", "?", "!", "»", ")", "…", "...", ".-"}
_STOPS = {".", "?", "!", "…"}
_NO_SPACE_AFTER = {"¿", "¡", "«", "(", "#", "@"}


def detokenise(words: Sequence[str]) -> str:
    """`words` as one would write them: ¿ ¡ « ( lean right, . , ? ! » ) lean left.

    A straight quote or a dash (—) opens and closes by turns; a dash at the very beginning or after
    a stop starts a line of dialogue or the narrator's words, and always opens. "%"
    keeps its space (Ortografía de la RAE, 2010).
    """
    pieces: list[str] = []
    inside = {'"': False, "—": False}
    glue = True  # whether the next word touches what came before
    for index, word in enumerate(words):
        touches_left, touches_right = word in _NO_SPACE_BEFORE, word in _NO_SPACE_AFTER
        if word in inside:
            closes = inside[word] and not (word == "—" and words[index - 1] in _STOPS)
            touches_left, touches_right = closes, not closes
            inside[word] = not closes and (index > 0 or word != "—")
        if not (glue or touches_left):
            pieces.append(" ")
        pieces.append(word)
        glue = touches_right
    return "".join(pieces)
