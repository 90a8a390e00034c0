"""Cleaning: what goes, what changes, and above all what must survive."""

import lzma

import polars as pl
import pytest

from ligero.corpus import read, rules
from ligero.corpus.clean import Options, clean
from ligero.corpus.rule import Block
from ligero.corpus.tally import Tally
from ligero.report import corpus as report


def frame(*texts):
    return pl.DataFrame(
        {"id": [f"a.txt:{i}" for i in range(1, len(texts) + 1)], "text": list(texts)},
        schema={"id": pl.String, "text": pl.String},
    )


def cleaned(text, **options):
    """What is left of one document, "" if nothing."""
    left, _ = clean(frame(text), Options(**options))
    return "\n".join(left["text"])


# Real ways of writing that a careless rule destroys.
SURVIVE = [
    "El presidente de EE.UU. llegó ayer a Madrid.",
    "Ganaron el partido.luego se fueron a casa.",
    "Cuesta 1.234,56 € al mes, un 3,5 % más que en 2019.",
    "¿¡Qué dices!? ¡¿Cómo?!",
    "Dijo «no» y después “quizá”, o eso creyó 'ella'.",
    "El pingüino añoró la cigüeña: árbol, éxito, índice, ópera, último, ÑANDÚ.",
    "Se vende y/o alquila; entre 10 y 20 km/h.",
    "Según a/b, la razón es 3/4.",
    "—Sí —dijo—, pero ¿y mañana?",
    "—¡Ah! exclamó.—¿Fué á verle á V.?",
    "Artículo 1.º.- Apruébase el convenio suscrito el 1.o de marzo.",
    "Art. 3º.- Los bienes a que se refiere el art. 2.1.a) serán inembargables.",
    "Son $ 1:909.995 (pesos uruguayos un millón novecientos nueve mil).",
    "¡Feliz cumpleaños! 🎉 Un beso 👩‍👩‍👧 y ❤️.",
    "😀😀",
    "El Sr. D. José M.ª Pérez, S.A., C. P. 28013, tel. 91 123 45 67.",
    "La temperatura bajó a -5 °C y después a 20,2°.",
    "Los números 1, 2 y 3 son primos entre sí.",
    "Se rige por el artículo 3 de la Ley Nº 16.127",
    "En el año 1998 nacieron 1.234.567",
    "--No, señor --dijo.",
    "Vive en la calle Mayor, n.º 5, 2.º B.",
    "Escribió a elpais.com y a la web de la U.N.A.M.",
    "mil novecientos setenta y seis.",
    "1976.",
    "anterior.",
    "Y así fue como Segismundo soñó;",
    "¡Oh luz...! ¡alma mía!",
    "Tengo dos hijas y dos hijos: les da un par de besos.",
    "The Wall",
    "Vio «The Lord of the Rings» en el cine con su hermano.",
    "El producto 2*3*4 es 24 y __init__ es un nombre.",
    "- Hola.",
    "Por ejemplo, x < 3 y además y > 2.",
    "R&D y Marks & Spencer",
    "Título: la casa de Bernarda Alba",
    "descripción: un cuento",
    "Nota 1: véase el capítulo 4",
    "Yo soy aquel que ayer no más decía",
    "Llovía...",
]  # fmt: skip


@pytest.mark.parametrize("line", SURVIVE)
def test_what_survives_untouched(line):
    assert cleaned(line) == line
    assert cleaned(f"Una línea antes.\n{line}\nUna línea después.").split("\n")[1] == line


CHANGED = [
    ("encoding", "El paÃ­s aÃ±ora â€œla canciÃ³nâ€\x9d", "El país añora “la canción”"),
    ("encoding", "los Mossos d\x92Esquadra", "los Mossos d’Esquadra"),
    ("encoding", "Ley NÂº 9728", "Ley Nº 9728"),
    ("composed letters", "man\u0303ana ma\u0301s", "mañana más"),
    ("line separators", "una\u2028dos\x0ctres", "una dos tres"),
    ("lost letters", "Sigue. Las reuni\ufffdnes durarán. Acaba.", "Sigue. Acaba."),
    ("invisible characters", "ca\u00adsa\u200b\ufeff y\x00 más", "casa y más"),
    ("gettext strings", 'msgstr ""\n"Hola, "\n"\\"mundo\\"."', 'Hola, "mundo".'),
    ("masks", "Hace sol. Llegó con *NUMBER* años. Llueve.", "Hace sol. Llueve."),
    ("names of tags", "El elemento `<NavLink>` no se ve", "El elemento NavLink no se ve"),
    ("tags within words", "agua (H<sub>2</sub>O)", "agua (H2O)"),
    ("tags", "<p>Uno<br/>dos</p>", "Uno dos"),
    ("broken tags", 'El texto sigue <a href="x"', "El texto sigue"),
    ("entities", "G&Oacute;MEZ &amp; c&#237;a", "GÓMEZ & cía"),
    ("inclusions", "Elija [!INCLUDE[x](y.md)] ahora. Después, siga.", "Después, siga."),
    ("images and notes", "Comuníquese. (*)", "Comuníquese."),
    ("images and notes", "Véase ![un mapa](a/b.png) aquí", "Véase aquí"),
    ("links", "Lea [la guía](a_(b).md) y [otra][ref uno]", "Lea la guía y otra"),
    ("links", "El [atributo [Bind]](xref:x) vale", "El atributo [Bind] vale"),
    ("roles", "Vea `la guía`_ y `otra <x>`__", "Vea la guía y otra"),
    ("images and notes", "Según la nota [#uno]_ sigue", "Según la nota sigue"),
    ("inclusions", "[!INCLUDE [x](y.md)] actualiza. Después, siga.", "Después, siga."),
    ("roles", "Use :meth:`~a.leer` o :ref:`la guía <guia>`", "Use a.leer o la guía"),
    ("addresses", "Lea http://a.es/b?c=d. Luego (www.x.es) siga", "Lea . Luego siga"),
    ("addresses", "Escriba. Correo electrónico: ana.b@c.es", "Escriba."),
    ("headings and bullets", "## > Título", "Título"),
    ("headings and bullets", "• Un punto", "Un punto"),
    ("emphasis", "Es **muy** *raro* y `así` ``será``", "Es muy raro y así será"),
    ("empty brackets", "La web (<!-- x -->) cerró", "La web cerró"),
    ("runs of dots", "¡luz......! ….. y . . . . ya", "¡luz...! ... y ... ya"),
    ("white space", "\t uno\u00a0 dos \u2009tres ", "uno dos tres"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "before", "after"), CHANGED)
def test_what_changes(rule, before, after):
    left, tally = clean(frame(before))
    assert left["text"].to_list() == [after]
    assert rule in tally.rules
    assert tally.rules[rule].does == "change"


DROPPED = [
    ("gettext notes", "#: ../Doc/library/enum.rst:175"),
    ("fields", 'publication_date: "1977-12-06"'),
    ("directives", '::: moniker range=">= aspnetcore-5.0"'),
    ("directives", "> [!NOTE]"),
    ("directives", "[!code-csharp[](a/b.cs?name=c)]"),
    ("tables", "| Opción | Descripción |"),
    ("tables", "uno\tdos\ttres\tcuatro"),
    ("records in markup", "<birth_date>19621109</birth_date>"),
    ("index lines", "Enmiendas del Senado ... <page_number>Página 2</page_number>"),
    ("index lines", "Capítulo primero ............ 27"),
    ("code", "public static void Main(string[] args) {"),
    ("code", ">>> print(x)"),
    ("code", "var x = await Leer(y);"),
    ("no letters", "--- 12,5 * (3) ---"),
    ("formulas", "Cu + + e – ⟶ Cu"),
    ("rows of figures", '34 sillas a 25 " 10.200.00 _____'),
    ("rows of figures", "1 Portero IV 4 135.00 1.620.00"),
    ("rows of figures", "TOTAL POR CONCEPTO 0 174.143.443"),
    ("rows of figures", "Plaza de Deportes $ 5.000 $ 36.000"),
    ("paths and names of code", "/usr/lib/x"),
    ("paths and names of code", "--libraries"),
    ("paths and names of code", "PyExc_WindowsError"),
    ("boilerplate", "Leer más »"),
    ("boilerplate", "Este sitio web utiliza cookies para mejorar la experiencia."),
    ("boilerplate", "© 2019 El Diario. Todos los derechos reservados."),
    ("other languages", "Maintained by the team of the project."),
    ("other languages", "Não é uma questão de dinheiro, mas também pela honra."),
    ("other languages", "Aquesta és una qüestió que també hem de parlar amb els altres."),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "line"), DROPPED)
def test_what_is_dropped(rule, line):
    kept = "Una línea que se queda, y que es bastante más larga que la otra para que no caiga todo."
    left, tally = clean(frame(f"{kept}\n{line}"))
    assert left["text"].to_list() == [kept]
    assert rule in tally.rules
    assert tally.rules[rule].lines == 1


BLOCKS = [
    ("front matter", "---\ntitle: Uno\nrank: ley\n---"),
    ("code fence", "```csharp\nvar x = 1\n// una línea de código\n```"),
    ("code fence", "1. ```\n   dotnet run\n```"),
    ("comment", "<!-- esto\nno se ve\nnunca -->"),
    ("script or style", "<script>\nfunction f\n</script>"),
]


@pytest.mark.parametrize(("rule", "block"), BLOCKS)
def test_blocks_go_with_what_they_hold(rule, block):
    left, tally = clean(frame(f"Antes del bloque.\n{block}\nDespués del bloque."))
    assert left["text"].to_list() == ["Antes del bloque.\nDespués del bloque."]
    assert tally.rules[rule].lines == block.count("\n") + 1


def test_a_block_that_is_not_closed_is_none():
    assert cleaned("```python\nUna línea.\nOtra línea.") == "Una línea.\nOtra línea."
    opening = "```\n" + "Una línea.\n" * 600
    assert cleaned(opening + "```").count("Una línea.") == 600


def test_blocks_run_over_blank_lines_only_where_asked():
    parts = frame("```", "Dentro del listado.", "```", "Fuera del listado.")
    apart, _ = clean(parts)
    assert apart["text"].to_list() == ["Dentro del listado.", "Fuera del listado."]
    across, _ = clean(parts, Options(across=True))
    assert across["text"].to_list() == ["Fuera del listado."]
    assert across["id"].to_list() == ["a.txt:4"]


def test_a_catalog_of_translations_keeps_the_translations():
    entry = (
        "#: ../Doc/a.rst:1\n"
        'msgid ""\n"The first line "\n"and the second."\n'
        'msgstr ""\n"La primera línea "\n"y la segunda."'
    )
    assert cleaned(entry) == "La primera línea y la segunda."


def test_lowercase_keeps_accents():
    assert cleaned("ÁRBOL, Ñandú y ÜBEDA: EE.UU.", lowercase=True) == "árbol, ñandú y übeda: ee.uu."


def test_short_lines_and_other_languages_are_choices():
    verse = "Capítulo primero\nYo soy aquel que ayer no más decía\n—Sí."
    assert cleaned(verse) == verse
    assert cleaned(verse, short_lines=False) == "Yo soy aquel que ayer no más decía\n—Sí."
    english = "This is the first line of the text."
    assert cleaned(english) == ""
    assert cleaned(english, other_languages=True) == english


def test_documents_in_other_languages_go_whole():
    both = "This is the first line of the long text.\nLondres"
    left, tally = clean(frame(both, "Una línea."))
    assert left["id"].to_list() == ["a.txt:2"]
    assert tally.rules["other languages (document)"].lines == 1
    assert "nothing left (document)" not in tally.rules


def test_nothing_in_nothing_out():
    for texts in ((), ("",), ("\n \n",), ("---",)):
        left, _ = clean(frame(*texts))
        assert left.shape == (0, 2)
        assert left.schema == {"id": pl.String, "text": pl.String}


def test_the_tally_counts_every_line():
    text = "Una línea.\n| a | b |\n<br>\n12\nOtra &aacute; línea."
    _, tally = clean(frame(text, "| solo | tabla |"))
    assert tally.documents == [2, 1]
    assert tally.lines == [6, 2]
    gone = sum(count.lines for count in tally.rules.values() if count.does == "drop line")
    assert tally.lines[0] - gone == tally.lines[1]
    taken = sum(count.taken for count in tally.rules.values())
    assert tally.bytes[0] - taken == tally.bytes[1]


def test_tallies_add_up_in_any_order():
    parts = [
        clean(frame(*(f"Línea {i}-{j}.\n| {j} | x |" for j in range(30))), Options(samples=5))[1]
        for i in range(4)
    ]
    one, other = Tally(5), Tally(5)
    for part in parts:
        one.merge(part)
    for part in reversed(parts):
        other.merge(Tally.from_json(part.to_json()))
    assert one == other
    assert one.rules["tables"].lines == 120
    assert len(one.rules["tables"].samples) == 5


def test_samples_follow_from_the_seed():
    texts = frame(*(f"| {i} | x |" for i in range(200)))

    def drawn(seed):
        _, tally = clean(texts, Options(samples=5, seed=seed))
        return [before for _, _, before, _ in tally.rules["tables"].samples]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_long_samples_show_what_changed():
    long = "Palabra " * 200
    _, tally = clean(frame(f"{long}&aacute; {long}"))
    _, _, before, after = tally.rules["entities"].samples[0]
    assert "&aacute;" in before
    assert "á" in after
    assert len(before) < 500


def test_every_rule_has_a_name_and_a_reason():
    names = [rule.name for rule in rules.RULES]
    assert len(set(names)) == len(names)
    assert all(rule.why and len(rule.why) < 110 for rule in rules.RULES)
    tested = {name for name, *_ in [*CHANGED, *DROPPED, *BLOCKS]}
    plain = {r.name for r in rules.RULES if isinstance(r, Block) or r.pattern}
    elsewhere = {"gettext source", "page numbers", "short lines"}
    assert plain - tested <= elsewhere, "a rule without an example"


def test_cleaning_twice_changes_nothing_more():
    for _, before, _ in CHANGED:
        once = cleaned(before)
        assert cleaned(once) == once


def test_the_report_names_what_was_done():
    _, tally = clean(frame("Una línea.\n| <b> | x |\n&aacute;rbol &lt;b&gt;"))
    value = tally.to_json()
    heading, rows = report.rules(value)
    assert len(heading) == len(rows[0])
    assert [row[0] for row in rows] == ["tables", "entities"]
    page = report.page({"Limpieza": value}, "Prueba <1>")
    assert "Prueba &lt;1&gt;" in page
    assert "| &lt;b&gt; | x |" in page
    assert "http" not in page
    assert "<script" not in page
    assert list(report.shown(value))


def test_real_text_is_hardly_touched(real_data):
    """What was cleaned once loses little, and Spanish novels, laws and speeches are Spanish."""
    with lzma.open(real_data / "corpus" / "valid.txt.xz", "rt", encoding="utf-8") as file:
        text = file.read()
    left, tally = clean(frame(*text.split("\n\n")))
    assert tally.bytes[1] > 0.995 * tally.bytes[0]
    assert tally.lines[1] > 0.998 * tally.lines[0]
    joined = "\n".join(left["text"])
    for precious in ("¿", "¡", "ñ", "«", "—", "º", "%"):
        assert joined.count(precious) >= 0.99 * text.count(precious), precious


def test_real_dirt_goes(real_data):
    path = real_data / "corpus" / "raw_sample.txt.xz"
    dirty = next(read.frames([path], size=4_000_000))
    left, tally = clean(dirty, Options(across=True))
    joined = "\n".join(left["text"])
    for dirt in ("msgid", "</", "http://", "https://", "Ã³", "*NUMBER*", "&nbsp;", "](", "```"):
        assert joined.count(dirt) <= 0.01 * "\n".join(dirty["text"]).count(dirt), dirt
    assert 0.3 < tally.bytes[1] / tally.bytes[0] < 0.9
