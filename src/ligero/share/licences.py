"""Which licence a model's weights get: names found in what the catalogs say, the strictest of them.

Whether weights are a work derived from the data is unsettled, so what the data ask is kept; a person
who knows better says so with `--license`.
"""

import re
from collections.abc import Mapping

from ligero.errors import InputError, excerpt

# The hub's name for terms that it has no name of.
OTHER = "other"
# No terms at all: weights drawn at random, text that is free for any purpose.
FREE = "free"

# What a text calls a licence -> the hub's name of it, from the freest to the strictest.
_NAMES = (
    (0, r"for any purpose", FREE),
    (0, r"\bCC[- ]?0\b", "cc0-1.0"),
    (1, r"\bMIT\b", "mit"),
    (2, r"\bApache[- ]2\.0\b", "apache-2.0"),
    (3, r"\bCC[- ]BY[- ](\d\.\d)", r"cc-by-\1"),
    (4, r"\bCC[- ]BY-SA[- ](\d\.\d)", r"cc-by-sa-\1"),
    (4, r"\bGPL[- ](\d\.\d)", r"gpl-\1"),
    (5, r"\bCC[- ]BY-NC[- ](\d\.\d)", r"cc-by-nc-\1"),
    (5, r"\bCC[- ]BY-NC-SA[- ](\d\.\d)", r"cc-by-nc-sa-\1"),
    (6, r"\bresearch\b|\bunder agreement\b", OTHER),
)
_SHARED_ALIKE, _RESTRICTED = 4, 5
_ASKED = re.compile(r"[a-z0-9][a-z0-9.-]*")
_EXAMPLES = "apache-2.0, cc-by-4.0, cc-by-nc-4.0, other"


def read(text: str) -> dict[str, int]:
    """The licences that a text names: the hub's name -> how strict it is, from 0."""
    return {
        found.expand(name): strict
        for strict, pattern, name in _NAMES
        for found in re.finditer(pattern, text, re.IGNORECASE)
    }


def restricts(text: str) -> bool:
    """Whether a text names terms that not every use fits: no commerce, or research alone."""
    return any(strict >= _RESTRICTED for strict in read(text).values())


def given(text: str) -> str:
    """What a person wrote after `--license`, by the hub's name; InputError for what cannot be one."""
    named = read(text)
    name = next(iter(named)) if len(named) == 1 else text.lower().replace(" ", "-")
    if not _ASKED.fullmatch(name) or name == FREE:
        raise InputError(f"--license {excerpt(text)}", expected=f"a name such as {_EXAMPLES}")
    return name


def derived(terms: Mapping[str, str]) -> str:
    """The strictest of several licences, by the hub's name.

    terms: what is under them ("the data (train.conll)") -> the licence in its publisher's words.

    Raises InputError, which asks for `--license`, where one says nothing that is known, or where two
    ask what cannot both be done.
    """
    every: dict[str, int] = {}
    for what, text in terms.items():
        named = read(text)
        if not named:
            raise _ask(f"no licence of {what} ({excerpt(text)})")
        every |= named
    strictest = max(every, key=lambda name: (every[name], name))
    binding = {
        re.sub(r"-\d.*", "", name) for name, strict in every.items() if strict >= _SHARED_ALIKE
    }
    if len(binding) > 1 and strictest != OTHER:
        raise _ask(f"licences that do not go together ({', '.join(sorted(every))})")
    if strictest == FREE:
        raise _ask("nothing that the weights' licence follows from")
    return strictest


def _ask(found: str) -> InputError:
    return InputError(found, expected=f"--license with that of the weights, such as {_EXAMPLES}")
