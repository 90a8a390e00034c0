"""The page as files over HTTP, and the report that it may be given; no browser."""

import asyncio
import json
import re
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

import frontier_folders
from ligero import runs
from ligero.cli import main
from ligero.errors import InputError
from ligero.measure import gather
from ligero.report.frontier import as_json, sections
from ligero.report.frontier_page import JSON
from ligero.serve import page, run, serving
from ligero.serve.page import report
from served import TEXT, ask


@pytest.fixture(scope="module")
def gathered(tmp_path_factory):
    """A folder as `ligero report` leaves it, without its pictures."""
    place = tmp_path_factory.mktemp("report")
    frontier_folders.export(place / "runs" / "tag", 88.5)
    frontier_folders.run(place / "runs" / "a", "finetune", frontier_folders.results(
        model=frontier_folders.row("albeto-tiny", 95.0)))  # fmt: skip
    found = gather.gather([place / "runs"])
    runs.write_json(place / JSON, {"date": "2025-03-01", **as_json(sections(found), found)})
    return place


@pytest.fixture(scope="module")
def url(exports, gathered):
    """A server with a token, a report and one model."""
    with serving(
        [exports["tag"]], {"LIGERO_TOKEN": "secreto"}, threads=1, report=gathered
    ) as server:
        yield server.url


RIGHT = {"authorization": "Bearer secreto"}


def test_each_file_has_its_type_and_its_headers(url):
    files = page.files()
    assert {"/", "/page/page.css", "/page/page.js", "/page/words.json"} <= set(files)
    for address, file in files.items():
        reply = ask(url, address)  # without a token: the page asks for it
        assert reply.status == 200 and reply.body == file.body, address
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["cache-control"] == "no-cache"
        head = ask(url, address, method="HEAD")
        assert head.status == 200 and head.body == b"" and head.headers["etag"]
        assert int(head.headers["content-length"]) == len(file.body)
    folder = Path(page.__file__).parent
    left = {path.suffix for path in folder.iterdir() if path.is_file()} - set(page.KINDS)
    assert left == {".py"}  # no file of the page is forgotten
    kinds = {address: ask(url, address).headers["content-type"] for address in files}
    assert kinds["/"] == "text/html; charset=utf-8"
    assert kinds["/page/page.js"] == "text/javascript; charset=utf-8"
    assert kinds["/page/page.css"] == "text/css; charset=utf-8"


def test_what_a_browser_has_is_not_sent_again(url):
    tags = {address: ask(url, address).headers["etag"] for address in page.files()}
    assert len(set(tags.values())) == len(tags)
    same = ask(url, "/", if_none_match=f'"other", W/{tags["/"]}')
    assert same.status == 304 and same.body == b"" and same.headers["etag"] == tags["/"]
    assert "content-length" not in same.headers
    assert ask(url, "/", if_none_match=tags["/page/page.js"]).status == 200


def test_only_what_is_in_the_table_is_there(url):
    for method in ("POST", "PUT", "DELETE"):
        reply = ask(url, "/page/page.js", method=method, **RIGHT)
        assert reply.status == 405 and reply.headers["allow"] == "GET, HEAD"
    reply = ask(url, "/", method="PUT", **RIGHT)
    assert reply.status == 405 and reply.headers["allow"] == "GET, HEAD, POST"
    for path in (
        "/page", "/page/", "/page/index.html", "/page/__init__.py", "/page/../app.py",
        "/page/%2e%2e/app.py", "/index.html", "/page//page.js",
    ):  # fmt: skip
        assert ask(url, path, **RIGHT).status == 404, path
        assert ask(url, path).status == 401


def test_the_default_model_keeps_its_address(url):
    assert ask(url, "/", {"inputs": TEXT}).status == 401
    found = ask(url, "/", {"inputs": TEXT}, **RIGHT)
    assert (
        found.status == 200
        and found.json == ask(url, "/models/tag", {"inputs": TEXT}, **RIGHT).json
    )


def test_the_document_tells_of_the_page(url):
    paths = ask(url, "/openapi.json", **RIGHT).json["paths"]
    assert set(paths["/"]) == {"get", "post"} and paths["/"]["get"]["security"] == []
    assert "/report.json" in paths
    assert "GET /" in ask(url, "/docs", **RIGHT).body.decode()


def test_a_report_is_served_without_what_is_of_this_machine(url, gathered):
    assert ask(url, "/report.json").status == 401
    shown = ask(url, "/report.json", **RIGHT).json
    (whole,) = json.loads((gathered / JSON).read_text())["tasks"]
    (task,) = shown["tasks"]
    assert shown["date"] == "2025-03-01" and task["title"] == whole["title"]
    for name in ("points", "published"):
        wanted = [p for p in whole[name] if p["metric"] == whole["beside"]]
        assert wanted
        for one, other in zip(task[name], wanted, strict=True):
            assert one.keys() <= other.keys() and all(one[key] == other[key] for key in one)
    assert len(task["published"]) > 5
    assert str(gathered) not in json.dumps(shown) and "source" not in json.dumps(shown)


def test_without_a_report_there_are_no_tasks():
    assert json.loads(page.document(report.NOTHING).body) == {"tasks": []}


BROKEN = {
    "is empty": "",
    "is no JSON": "{",
    "is a list": "[]",
    "has no date": '{"tasks": []}',
    "has a number for tasks": '{"date": "2025-03-01", "tasks": 5}',
    "has a task of another form": '{"date": "2025-03-01", "tasks": [{"task": "a"}]}',
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_report_is_one_error(tmp_path, content):
    (tmp_path / JSON).write_text(content)
    with pytest.raises(InputError, match=r"report\.json") as raised:
        report.read(tmp_path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "change",
    [
        {"score": "88"}, {"score": None}, {"score": float("nan")}, {"name": 5}, {"relative": -1},
        {"relative": True}, {"interval": [1]}, {"interval": ["a", "b"]}, {"bytes": "many"},
        {"precision": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_point_that_cannot_be_drawn_is_an_error(tmp_path, gathered, change):
    raw = json.loads((gathered / JSON).read_text())
    raw["tasks"][0]["points"][0].update(change)
    (tmp_path / JSON).write_text(json.dumps(raw))
    with pytest.raises(InputError, match="of another form"):
        report.read(tmp_path)


def test_a_folder_without_report_is_told_at_the_start(tmp_path, exports, capsys):
    for folder, said in ((tmp_path, "no report"), (tmp_path / "none", "no such folder")):
        assert main(["serve", str(exports["tag"]), "--report", str(folder)]) == 2
        told = capsys.readouterr().err
        assert said in told and str(folder) in told and "ligero report" in told


def test_the_start_prints_the_address_of_the_page(capsys):
    ready = SimpleNamespace(ready=1, count=1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        asyncio.run(run._tell({}, ready, listening))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    told = capsys.readouterr().out.splitlines()
    assert told[-2].startswith(f"page: {url}/ ") and told[-1].startswith(f"ready: {url} ")


def test_nothing_of_the_page_is_from_elsewhere():
    for address, file in page.files().items():
        text = file.body.decode()
        # The name of SVG's own language is no address that anything is fetched from.
        found = re.findall(r"https?://[^\s\"'<>]+", text)
        assert set(found) <= {"http://www.w3.org/2000/svg"}, address
        assert "innerHTML" not in text and "insertAdjacentHTML" not in text
        assert address != "/" or ("style=" not in text and "onclick" not in text)
    words = json.loads(page.files()["/page/words.json"].body)
    said = set(re.findall(r'(?:data-say|data-name)="([^"]+)"', page.files()["/"].body.decode()))
    for address, file in page.files().items():
        if address.endswith(".js"):
            said |= set(re.findall(r'\bsay\("([^"$]+)"', file.body.decode()))
    assert len(said) > 40
    for language in words["page"].values():
        assert said <= set(language)
        assert {f"error.{status}" for status in (0, 401, 413, 422, 429, 503, 504)} <= set(language)


def test_examples_are_there_for_every_kind():
    examples = json.loads(page.files()["/page/examples.json"].body)
    assert set(examples) == {"entities", "tags", "topics", "pairs", "answer", "parse"}
    for way, given in examples.items():
        texts = 2 if way in ("pairs", "answer") else 1
        assert len(given) >= 3 and all(len(one) == texts and all(one) for one in given)
