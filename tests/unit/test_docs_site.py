"""The built site: whole, without a broken link, and asking for nothing from outside."""

import importlib.util
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from documents import ROOT
from ligero import cli, config
from ligero.config import CompressConfig, ServeConfig

NEEDED = ("sphinx", "myst_parser", "furo")
# What a browser fetches by itself, and not when a person follows it.
FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """What a page fetches, where it leads, and which anchors it has."""

    def __init__(self, text):
        super().__init__()
        self.fetched, self.leads, self.anchors, self.styles = [], [], set(), []
        self._style = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self._style = tag == "style"
        if given.get("id"):
            self.anchors.add(given["id"])
        self.styles.append(given.get("style") or "")
        # Names of relations alone (next, author, ...) are not fetched, but lead somewhere all the same.
        if given.get(FETCHED.get(tag, "")):
            self.fetched.append(given[FETCHED[tag]])
        if tag == "a" and given.get("href"):
            self.leads.append(given["href"])

    def handle_data(self, data):
        if self._style:
            self.styles.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed; the extra `docs` has them")
    out = tmp_path_factory.mktemp("site") / "site"
    done = subprocess.run(
        [sys.executable, "docs/build", str(out)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def there(path, address):
    """The file that an address of a page is of; None for one that is not within the site."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    return (path.parent / unquote(parts.path)).resolve() if parts.path else path


def test_nothing_is_fetched_from_outside(site, pages):
    for path, page in pages.items():
        for address in page.fetched:
            assert address.startswith("data:") or (there(path, address) or Path("/none")).is_file(), (
                path, address,
            )  # fmt: skip
    styles = [(path, path.read_text(encoding="utf-8")) for path in site.rglob("*.css")]
    styles += [(path, "\n".join(page.styles)) for path, page in pages.items()]
    for path, text in styles:
        assert "@import" not in text, path
        for address in re.findall(r"url\(\s*[\"']?([^\"')]+)", text):
            assert address.startswith(("data:", "#")) or (there(path, address) or Path("/none")).is_file(), (
                path, address,
            )  # fmt: skip


def test_no_link_is_broken(pages):
    wrong = []
    for path, page in pages.items():
        for address in page.leads:
            target = there(path, address)
            anchor = unquote(urlsplit(address).fragment)
            if target is None:
                continue
            found = target.is_file() and (
                not anchor or target not in pages or anchor in pages[target].anchors
            )
            if not found:
                wrong.append((path.name, address))
    assert not wrong, wrong


def test_the_search_needs_no_server(site):
    # A script that the page loads, which a browser allows for files too, and no request of its own.
    assert 'src="searchindex.js"' in (site / "search.html").read_text(encoding="utf-8")
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    assert index.startswith("Search.setIndex(") and "distil" in index and "maestro" in index


def test_every_verb_and_setting_has_its_place(site):
    (verbs,) = (
        a.choices for a in cli.parser()._actions if hasattr(a, "choices") and a.dest == "verb"
    )
    for verb in verbs:
        assert (site / "reference" / "commands" / f"{verb}.html").is_file(), verb
    for verb, cls in (("compress", CompressConfig), ("serve", ServeConfig)):
        text = (site / "reference" / "commands" / f"{verb}.html").read_text(encoding="utf-8")
        for option in config.options(cls):
            assert option.path == ("data", "task") or f">{config.flag(option)}<" in text, option
    serve = (site / "reference" / "commands" / "serve.html").read_text(encoding="utf-8")
    assert "0 to 65535" in serve


def test_every_result_has_its_page_and_says_what_made_it(site):
    for file in (ROOT / "benchmarks" / "results").glob("*.md"):
        text = (site / "results" / f"{file.stem}.html").read_text(encoding="utf-8")
        assert "How this was made" in text
    jobs = (site / "results" / "jobs.html").read_text(encoding="utf-8")
    assert "python benchmarks/jobs.py --out benchmarks/results/jobs.md" in jobs


def test_python_is_told_without_importing_it(site):
    text = (site / "reference" / "api" / "ligero.runtime.html").read_text(encoding="utf-8")
    assert "Predictor" in text and "An exported model, ready to read text." in text
    code = (
        "import sys; sys.path.insert(0, 'docs/build'); import pathlib, api, commands, results\n"
        "api.pages(pathlib.Path('src')); commands.pages(); results.index(pathlib.Path('.'))\n"
        "print({'torch', 'transformers', 'openvino'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
