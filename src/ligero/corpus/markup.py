"""Rules against what is around a text in files of pages, books, laws, code and translations."""

import html

from ligero.corpus.rule import Block, Rule, whole

_MASK = r"\*(?:NUMBER|URL|EMAIL|PHONE|USER|DATE|NAME)\*"
_INCLUSION = r"\[!\w[^\[\]]*(?:\[[^\]]*\](?:\([^)]*\))?)?[^\[\]]*\]"

# Words that any Spanish sentence of some length holds, and code, names and figures do not.
SPANISH = (
    r"(?i)(?:^|\s)(?:el|la|los|las|de|del|que|y|en|un|una|por|con|para|se|su|al|es|lo|como|más|si"
    r"|este|esta|son|puede|debe|cuando|sobre|hay)\s"
)

BLOCKS = (
    Block(
        "front matter",
        "fields between two lines of --- describe a page and are not its text",
        r"^---\s*$",
        r"^---\s*$",
        then=r"^\s*(?:- )?[\w.-]+:(?:\s|$)",
        longest=200,
    ),
    Block(
        "code fence",
        "what stands between ``` and ``` is a listing (the papers drop listings)",
        r"^[\s>]*(?:\d+\.\s+|[*-]\s+)?(?:```|~~~)[^`]*$",
        r"^[\s>]*(?:```|~~~)\s*$",
    ),
    Block("comment", "an HTML comment is not shown to readers", r"^\s*<!--[^>]*$", r"-->"),
    Block(
        "script or style",
        "code and style sheets within a page are not shown to readers",
        r"(?i)<(?:script|style|svg|(?:m:)?math)\b[^<]*$",
        r"(?i)</(?:script|style|svg|(?:m:)?math)>",
    ),
    Block(
        "gettext source",
        "a catalog of translations holds every text twice; msgid is the English one",
        r"^(?:#~\s*)?msgid(?:_plural)?\s",
        r"^(?:#~\s*)?msgstr",
        whole=False,
    ),
)

# Elements whose content is text, however short it is.
_TEXT_ELEMENT = (
    r"(?i)^\s*<(?:p|li|h[1-6]|title|para|l|s|u|seg|ab|head|a|b|i|em|strong|span|q|quote|note|item"
    r"|div|blockquote|d[dt]|speech|sp|stage|speaker|caption|figcaption|footnote|text)\b"
)
_FIELD = (
    r"title|description|author|manager|uid|no-loc|rank|country|status|source|department|identifier"
    r"|year|collection|text|href|url|links|items|layout|lang|tags|keywords|zone_pivot_groups|topic"
    r"|monikerRange|services|documentationcenter|solution|search\.\w+|ms\.\w+|[a-z]+(?:_[a-z]+)+"
)
# Written without \b: a word boundary of all of Unicode is slow.
_URL = r"(?:(?:https?|ftp)://|www\.)[^\s<>«»\"”)\]]*[^\s<>«»\"”)\].,;:!?'’…]"

NOTES = Rule(
    "gettext notes",
    "drop line",
    "places and flags in a catalog of translations are not text",
    r'^#(?:[:,.|~]|$)|^"?(?:Project-Id-Version|Report-Msgid-Bugs-To|(?:POT-Creation'
    r"|PO-Revision)-Date|Last-Translator|Language-Team|Language|MIME-Version|Plural-Forms"
    r'|Content-T[a-z-]+|Content-Transfer-Encoding|Generated-By|X-[A-Z]\w+):.*\\n"?\s*$',
)

JOINED = Rule(
    "gettext strings",
    "change",
    "a translation that is broken over lines between quotes is one text",
    r'^(?:#~\s*)?msgstr(?:\[\d+\])?\s+"|^"',
)

LINES = (
    Rule(
        "masks",
        "change",
        "a sentence with *NUMBER* in it teaches the mask, and what stood there is not known: it goes",
        _MASK,
        whole(_MASK),
    ),
    Rule(
        "fields",
        "drop line",
        "a line `key: value` with an English key is a record about a text",
        rf"^\s*(?:- )?(?:{_FIELD}):(?:\s|$)",
        # "description: " is English, "descripción: " is not; a sentence may begin with `status:`.
        unless=r"[.!?…]\s+\p{Lu}.*[.!?…]\s*$",
    ),
    Rule(
        "directives",
        "drop line",
        "lines for the program that renders a page: ::: moniker, [!INCLUDE …], .. code::, ```",
        r"^[\s>]*(?:```|~~~)[\w-]*\s*$|^[\s>]*(?::::|\.\. [a-z:-]+::|\{%|\{\{)"
        rf"|^[\s>]*{_INCLUSION}\s*(?:\([^)]*\))?\s*$|^#(?:if|endif|region|include)\b",
    ),
    Rule(
        "tables",
        "drop line",
        "a table's row is a list of cells, not a sentence",
        r"^\s*\|.*\||\s\|\s.*\s\|\s.*\s\|\s|\t[^\t]+\t[^\t]+\t|^\s*[+|][-=+|: ]+$|^\{\||^\|[-}]",
        # A sentence that holds bars, not between bars.
        unless=r"^[^|\t]{20}.*[.!?]\s*$",
    ),
    Rule(
        "records in markup",
        "drop line",
        "one short element on its own (<birth_date>19621109</birth_date>) is a datum",
        r"^\s*<[A-Za-z][\w:.-]*(?:\s[^<>]*)?>[^<]*[^<.!?…:;,»\"”]?</[A-Za-z][\w:.-]*>\s*$",
        unless=_TEXT_ELEMENT,
    ),
    Rule(
        "index lines",
        "drop line",
        "a title, dots and a page number are a table of contents",
        r"\.{6,}[\s$\"N]*\d[\d.,:]*\s*$|(?:\.{3,}|…|(?:\s\.){3,})[\s.]*(?:<[^<>]*>)?"
        r"(?:[Pp]ágina |[Pp]ágs?\. ?)?\d+(?:<[^<>]*>)?\s*$",
    ),
    Rule(
        "code",
        "drop line",
        "a listing's line: statements, prompts and operators without a Spanish function word",
        r"^\s*(?:>>> |\$ [a-z]|PM> |//|/\*|\*/|#!)|[{}]\s*$|[=\[\]{}<>_].*;\s*$|\w\([^()]*\)\s*;\s*$"
        r"|^\s*(?:using|import|from|public|private|protected|internal|static|void|var|let|const|def"
        r"|class|return|namespace|function|async|await|dotnet|pip|sudo|git|npm|cd)\s.*[=();:{}\w>]\s*$"
        r"|=>|\(\)[;{]|&&|\|\||[=!]==?|[\w)]->\w|\$\{|\w\(\w*\)\s*[;{]|^\s*@\w+[\s(].*[)\]]$"
        r"|^\s*[\w.\[\]]+ [-+*]?= \S",
        # A line of prose that ends in a semicolon, or speaks of code, holds such a word; a listing
        # may hold one in a string, between quotes, which the first characters do not.
        unless=SPANISH + r"|[a-záéíóúüñ] [a-záéíóúüñ]+ [a-záéíóúüñ]+[,.;]|``|&[a-z]+;\s*$",
    ),
)

CHANGES = (
    Rule(
        "page numbers",
        "change",
        "the number of a page stood at its foot, not in its sentence",
        r"<page_number>[^<]*</page_number>|^\s*(?:[-–—\[(]\s*)?(?:[Pp](?:ágina|ág\.)\s*)?\d{1,4}"
        r"(?:\s*[-–—\])])?(?:\s*(?:de|/)\s*\d{1,4})?\s*$",
    ),
    Rule(
        "names of tags",
        "change",
        "of a tag in backquotes its name is kept: the sentence speaks of it",
        r"`</?([A-Za-z][\w.-]*)(?:\s[^`<>]*)?/?>`",
        "$1",
    ),
    Rule(
        "tags within words",
        "change",
        "tags of letters' looks go without a trace (H<sub>2</sub>O)",
        r"(?i)</?(?:a|b|i|u|em|strong|span|sub|sup|small|big|font|abbr|cite|emphasis|hi|omit|code"
        r"|tt|mark|ins|del|term|link|foreign|name)(?:\s[^<>]*)?/?>",
    ),
    Rule(
        "tags",
        "change",
        "other tags stand between words: a space takes their place",
        r"</?[A-Za-z!?][\w:.-]*(?:\s[^<>]*)?/?>|<xref:[^<>]*>",
        " ",
    ),
    Rule(
        "broken tags",
        "change",
        "a tag that is cut by a line's end still has its attributes",
        r"<!--[^>]*$|<[A-Za-z][\w:.-]*(?:\s+[\w:.-]+=[^<>]*)?$|^[^<>]*=\"[^\"<>]*\"\s*/?>",
    ),
    Rule(
        "entities",
        "change",
        "&aacute; and &#243; are letters",
        r"&(?:[A-Za-z][A-Za-z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});",
        html.unescape,
    ),
    Rule(
        "inclusions",
        "change",
        "a sentence with another file's text in it ([!INCLUDE …]) has a hole here: it goes",
        _INCLUSION,
        whole(_INCLUSION),
    ),
    Rule(
        "images and notes",
        "change",
        "an image's path, an anchor and the mark of an editor's note (*) are no text",
        r"!\[[^\]]*\]\((?:[^()]|\([^()]*\))*\)"
        r"|\{#[\w:-]+\}|\s*\(\*+\)|\s*\[[#*\w-]+\]_",
    ),
    Rule(
        "links",
        "change",
        "of a Markdown link its text is kept",
        r"\[((?:[^\[\]]|\[[^\[\]]*\])*)\](?:\((?:[^()]|\([^()]*\))*\)|\[[A-Za-z][\w -]{2,}\])",
        "$1",
    ),
    Rule(
        "roles",
        "change",
        "of a Sphinx role (:ref:`texto <lugar>`) its text is kept",
        r":(?:[a-z][a-z0-9+-]*:)+`[~!]?([^`<]*?)\s*(?:<[^`]*>)?`|`([^`<]+?)\s*(?:<[^`]*>)?`_+",
        "$1$2",
    ),
    Rule(
        "addresses",
        "change",
        "URLs and e-mail addresses are not Spanish, and some belong to persons (the papers drop them)",
        rf"(?:(?:[Cc]orreo(?: electrónico|-e)?|[Ee]-?mail|[Dd]isponible (?:en línea )?en)\s*:?\s*)?"
        rf"(?:<?{_URL}/?>?|[\w.%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)",
    ),
    Rule(
        "headings and bullets",
        "change",
        "#, > and * at a line's beginning are marks of Markdown",
        # "-" stays: it begins a speech in many a text.
        r"^\s*(?:(?:>\s?)+|#{1,6}\s+|[*+•▪■◦‣●]\s+)+",
    ),
    Rule(
        "emphasis",
        "change",
        "marks of bold, italics and code around words",
        # Not between letters and figures: 2*3*4 is a product. "__" stays: it marks names of code.
        r"``?([^`]+)``?|\*\*([^*]+)\*\*|(^|[\s(\[«“\"¿¡—])\*([^\s*][^*]*)\*|^\*\*|\*\*$",
        "$1$2$3$4",
    ),
    Rule(
        "empty brackets",
        "change",
        "what stood between them was an address or a tag",
        r"\s(?:\(\s*\)|\[\s*\])",
    ),
    Rule(
        "runs of dots",
        "change",
        "four dots and more are leaders or a cut; three say the same",
        r"(?:\.[ \x{A0}]?){3,}\.|…[.…]+",
        "...",
    ),
    Rule(
        "white space",
        "change",
        "runs of white space, no-break and thin spaces are one space (the papers do so)",
        r"^[\s\x{A0}]+|[\s\x{A0}]+$|[\t\x{A0}\x{2000}-\x{200A}\x{202F}\x{3000}]+|\s{2,}",
        lambda line: " ".join(line.split()),
    ),
)
