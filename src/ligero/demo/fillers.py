"""What the slots of a template may hold: names, nouns, verbs, numbers, dates, titles of works."""

import random
from collections.abc import Sequence

from ligero.demo import names
from ligero.demo.grammar import Filled, Filler, Token, Writer, capitalise, entity, guess_pos
from ligero.demo.lexicon import ADJECTIVES, DAYS, MONTHS, NOUNS, ROLES, VERBS
from ligero.demo.morphology import Form, conjugate, inflect, plural
from ligero.demo.names import Names

# Words of time, and the comma of an apposition: a clause with one takes no more at its end.
_WHEN = {*MONTHS, ",", "tras", "durante", "último", "última", "después"}


def _draw(writer: Writer, pool: Names) -> str:
    held = bool(pool.held) and writer.rng.random() < writer.held_out
    return writer.rng.choice(pool.held if held else pool.known)


def _proper(text: str) -> list[Token]:
    return [Token(word, guess_pos(word, True) or "NOUN") for word in text.split()]


def _named(pool: Names, kind: str) -> Filler:
    """A name of `pool` as an entity; a suffix ":f" makes it feminine."""

    def fill(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
        name, _, mark = _draw(writer, pool).partition(":")
        form = Form("f" if mark == "f" else "m")
        return entity(_proper(name), kind), form

    return fill


def _gender(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> str:
    if wanted:
        return wanted.gender
    return next((a for a in args if a in {"m", "f"}), "") or writer.rng.choice("mf")


def full_name(writer: Writer, gender: str, initials: float) -> list[str]:
    """Given name and one or two surnames, no pair of `names.FAMOUS`; or, seldom, an initial."""
    rng = writer.rng
    given = _draw(writer, names.MEN if gender == "m" else names.WOMEN)
    surname = _draw(writer, names.SURNAMES)
    while not allowed(given, surname):
        surname = _draw(writer, names.SURNAMES)
    words = [given, surname]
    if rng.random() < 0.12:
        second = _draw(writer, names.SURNAMES)
        # "Arrieta y Luna" would be two people, so the old "y" between surnames stays out.
        if second != surname and " " not in second:
            words.append(second)
    elif rng.random() < initials:
        words = [f"{given[0]}.", surname]
    return words


def allowed(given: str, surname: str) -> bool:
    """Whether the two together name nobody well known."""
    firsts = {given.replace(" ", "_"), given.split()[0]}
    return all((first, surname.replace(" ", "_")) not in names.FAMOUS for first in firsts)


def _person(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    gender = _gender(writer, args, wanted)
    initials = 0.0 if args else 0.06  # "don G. Muñoz" is nobody's way of speaking
    return entity(_proper(" ".join(full_name(writer, gender, initials))), "PER"), Form(gender)


def _given(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    gender = _gender(writer, args, wanted)
    name = _draw(writer, names.MEN if gender == "m" else names.WOMEN)
    return entity(_proper(name), "PER"), Form(gender)


def _double(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    gender = _gender(writer, args, wanted)
    name = writer.rng.choice(names.DOUBLE_MEN if gender == "m" else names.DOUBLE_WOMEN)
    return entity(_proper(name), "PER"), Form(gender)


def _surname(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    # "De la Fuente" alone takes a capital; a bare surname stands for either gender.
    name = _draw(writer, names.SURNAMES)
    tokens = [Token(w, guess_pos(w, True)) for w in name.split()]
    tokens[0] = tokens[0]._replace(word=name[0].upper() + tokens[0].word[1:])
    return entity(tokens, "PER"), Form(_gender(writer, args, wanted))


def _family(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    """A surname as a part of a firm's or a prize's name."""
    name = _draw(writer, names.SURNAMES)
    while " " in name:
        name = _draw(writer, names.SURNAMES)
    return _proper(name), Form()


def _firm(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    if writer.rng.random() < 0.45:
        shape = writer.rng.choice(names.FIRM_SHAPES)
        surname, _ = _family(writer, (), None)
        name = shape.replace("*", surname[0].word)
        if shape == "* e Hijos" and surname[0].word.startswith("I"):
            name = f"Hermanos {surname[0].word}"
    else:
        name = _draw(writer, names.FIRMS)
    return entity(_proper(name), "ORG"), Form("f")


def _noun(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    """`{n.pool}` in the singular; `.p` plural, `.x` either."""
    word, gender = writer.rng.choice(NOUNS[args[0]])
    number = "s"
    if "p" in args[1:] or ("x" in args[1:] and writer.rng.random() < 0.4):
        number = "p"
    form = Form(gender, number)
    return [Token(plural(word) if number == "p" else word, "NOUN")], form


def _adjective(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    form = wanted or Form()
    return [Token(inflect(writer.rng.choice(ADJECTIVES[args[0]]), form), "ADJ")], form


def _role(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    """`{r.pool@1}` agrees; `{r.pool#1}` draws a gender; `.p` plural (the masculine covers both)."""
    male, female = writer.rng.choice(ROLES[args[0] if args else writer.topic])
    if "p" in args:
        return [Token(plural(male), "NOUN")], Form("m", "p")
    gender = _gender(writer, args[1:], wanted)
    return [Token(male if gender == "m" else female, "NOUN")], Form(gender)


def _verb(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    """`{v.pool.tense@1}`; a participle agrees in gender too."""
    form = wanted or Form()
    infinitive = writer.rng.choice(VERBS[args[0]])
    if args[1] == "part":
        return [Token(inflect(conjugate(infinitive, "part"), form), "VERB")], form
    return [Token(conjugate(infinitive, args[1], form.number), "VERB")], form


def spanish_number(value: int) -> str:
    """With the point of the Spanish press: 12345 -> "12.345"."""
    return f"{value:,}".replace(",", ".")


def _number(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    low, high = int(args[0]), int(args[1])
    return [Token(spanish_number(writer.rng.randint(low, high)), "NUM")], Form("m", "p")


def _decimal(rng: random.Random, high: int) -> str:
    return f"{rng.randint(1, high)},{rng.randint(1, 9)}"


def _percent(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    rng = writer.rng
    value = _decimal(rng, 14) if rng.random() < 0.7 else str(rng.randint(2, 35))
    if rng.random() < 0.25:
        return [Token(value, "NUM"), Token("por", "ADP"), Token("ciento", "NUM")], Form()
    return [Token(value, "NUM"), Token("%", "SYM")], Form()


def _money(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    """`{money}` for firms, `{money.mid}` for a grant, `{money.small}` for a bill."""
    rng = writer.rng
    style = 0 if "small" in args else 1 if "mid" in args else rng.randrange(4)
    if style == 0:
        whole = rng.randint(12, 900 if args else 980000)
        cents = f"{spanish_number(whole)},{rng.randint(10, 99)}"
        return [Token(cents, "NUM"), Token("€", "SYM")], Form("m", "p")
    if style == 1:
        value = spanish_number(10 * rng.randint(12, 9800))
        return [Token(value, "NUM"), Token("euros", "NOUN")], Form("m", "p")
    value = str(rng.randint(2, 950)) if style == 2 else _decimal(rng, 90)
    words = [(value, "NUM"), ("millones", "NOUN"), ("de", "ADP"), ("euros", "NOUN")]
    return [Token(*w) for w in words], Form("m", "p")


def _score(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    low = writer.rng.randint(0, 2)
    return [Token(f"{low + writer.rng.randint(1, 3)}-{low}", "NUM")], Form()


def _date(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    """ "23 de mayo", or with the year when asked: "23 de mayo de 2019"."""
    rng = writer.rng
    words = [(str(rng.randint(1, 28)), "NUM"), ("de", "ADP"), (rng.choice(MONTHS), "NOUN")]
    if "y" in args:
        words += [("de", "ADP"), (str(rng.randint(1985, 2024)), "NUM")]
    return [Token(*w) for w in words], Form()


def _one_of(choices: Sequence[str], pos: str) -> Filler:
    def fill(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
        return [Token(writer.rng.choice(choices), pos)], Form()

    return fill


def _short_month(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    return [Token(writer.rng.choice(MONTHS)[:3], "NOUN")], Form()


def _year(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    return [Token(str(writer.rng.randint(1985, 2024)), "NUM")], Form()


def _future_year(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    return [Token(str(writer.rng.randint(2026, 2035)), "NUM")], Form()


def _birth_year(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    return [Token(str(writer.rng.randint(1948, 2001)), "NUM")], Form()


def _decree(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    number = f"{writer.rng.randint(2, 999)}/{writer.rng.randint(1985, 2024)}"
    return [Token(number, "NUM")], Form()


def _work(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    """A title from the rule `titulo`: only its first word (and names in it) take a capital."""
    tokens, _ = writer.rule("titulo")
    while len({t.word for t in tokens if t.pos == "NOUN"}) < sum(t.pos == "NOUN" for t in tokens):
        tokens, _ = writer.rule("titulo")
    return entity(capitalise([t._replace(tag="O") for t in tokens]), "MISC"), Form()


def _place(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    """ "Rosario (Argentina)": two entities."""
    town, _, land = _draw(writer, names.PLACES).partition("/")
    inside = entity(_proper(land), "LOC")
    marks = Token("(", "PUNCT"), Token(")", "PUNCT")
    return [*entity(_proper(town), "LOC"), marks[0], *inside, marks[1]], Form("f")


def _bare(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    """A past clause that says neither where nor when, so that one may add it."""
    while True:
        tokens, form = writer.rule("c")
        if not any(t.tag.endswith("LOC") or t.pos == "NUM" or t.word in _WHEN for t in tokens):
            return tokens, form


def _town(writer: Writer, args: tuple[str, ...], wanted: Form | None) -> Filled:
    pool = names.CITIES if writer.rng.random() < 0.6 else names.ABROAD
    return entity(_proper(_draw(writer, pool)), "LOC"), Form("f")


FILLERS: dict[str, Filler] = {
    "per": _person,
    "given": _given,
    "double": _double,
    "sur": _surname,
    "family": _family,
    "firm": _firm,
    "city": _named(names.CITIES, "LOC"),
    "abroad": _named(names.ABROAD, "LOC"),
    "town": _town,
    "country": _named(names.COUNTRIES, "LOC"),
    "region": _named(names.REGIONS, "LOC"),
    "club": _named(names.CLUBS, "ORG"),
    "party": _named(names.PARTIES, "ORG"),
    "zone": _named(names.ZONES, "LOC"),
    "place": _place,
    "world": _named(names.WORLD_BODIES, "ORG"),
    "bank": _named(names.MONEY_BODIES, "ORG"),
    "nations": _named(names.NATION_CUPS, "MISC"),
    "race": _named(names.RACES, "MISC"),
    "probe": _named(names.PROBES, "MISC"),
    "scope": _named(names.TELESCOPES, "MISC"),
    "body": _named(names.BODIES, "ORG"),
    "lab": _named(names.SCIENCE_BODIES, "ORG"),
    "office": _named(names.MINISTRIES, "ORG"),
    "paper": _named(names.PAPERS, "ORG"),
    "agency": _named(names.AGENCIES, "ORG"),
    "museum": _named(names.MUSEUMS, "ORG"),
    "venue": _named(names.MUSEUMS, "LOC"),
    "prize": _named(names.PRIZES, "MISC"),
    "bookprize": _named(names.BOOK_PRIZES, "MISC"),
    "cup": _named(names.CUPS, "MISC"),
    "law": _named(names.LAWS, "MISC"),
    "project": _named(names.PROJECTS, "MISC"),
    "work": _work,
    "n": _noun,
    "a": _adjective,
    "r": _role,
    "v": _verb,
    "num": _number,
    "pct": _percent,
    "money": _money,
    "score": _score,
    "date": _date,
    "year": _year,
    "decree": _decree,
    "byear": _birth_year,
    "bare": _bare,
    "fyear": _future_year,
    "month": _one_of(MONTHS, "NOUN"),
    "mon": _short_month,
    "day": _one_of(DAYS, "NOUN"),
}
