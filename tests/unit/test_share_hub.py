"""`ligero push` and `ligero pull` against a hub on this machine, by the hub's own client."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save
from transformers import AutoModelForTokenClassification, AutoTokenizer

sys.path.insert(0, str(Path(__file__).parents[1]))
import small
from hub_server import HubServer, Repository, point_to
from ligero import cli
from ligero.errors import DamagedError, InputError
from ligero.runs import verify
from ligero.share import pull as pulling
from ligero.share import push as pushing

pytestmark = pytest.mark.usefixtures("one_thread", "known")
TEXT = "Ayer llegó Íñigo Peña a La Rioja ."
NOWHERE = "http://127.0.0.1:9"
START = {".gitattributes": b""}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run with its export."""
    place = tmp_path_factory.mktemp("hub")
    data = small.write(place / "data", train=96)
    export = ["export", str(place / "run"), *small.files(data), "--precision", "fp32"]
    with small.known():
        assert cli.main([*small.finetune(data, place / "run"), "--window", "24"]) == 0
        assert cli.main([*export, "--threads", "1"]) == 0
    return place / "run"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_ana")
    # The test server speaks the older of the hub's two ways to upload.
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", False)
    with HubServer({}, tokens={"hf_ana": "ana"}) as server:
        point_to(monkeypatch, server.url)
        yield server


def push(run, *more, to="ana/m"):
    return cli.main(["push", str(run), to, "--license", "cc-by-4.0", "--yes", *more])


def pull(out, *more, repository="ana/m"):
    return cli.main(["pull", repository, "--out", str(out), *more])


def one_line(capsys):
    """The last thing said, which a refusal must be, in one line."""
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith("ligero: ")
    return last


def found(model, capsys):
    capsys.readouterr()
    assert cli.main(["predict", str(model), TEXT, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["found"]


def scores(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForTokenClassification.from_pretrained(folder)
    with torch.no_grad():
        return model(**tokenizer(TEXT, return_tensors="pt")).logits


def test_what_was_pushed_and_pulled_gives_the_same_outputs(run, hub, tmp_path, capsys):
    assert push(run) == 0
    out = tmp_path / "out"
    assert pull(out) == 0
    said = capsys.readouterr().out
    assert "licence: cc-by-4.0" in said and f"{out}/export" in said
    assert verify(out)["commit"] == hub.repositories["ana/m"].commit
    for name in ("model.safetensors", "config.json", "tokenizer.json", "ligero.json"):
        assert (out / name).read_bytes() == (run / "model" / name).read_bytes()
    assert torch.equal(scores(out), scores(run / "model"))
    expected = found(run, capsys)
    assert expected
    assert found(out, capsys) == expected
    assert found("ana/m", capsys) == expected
    assert found(out / "export", capsys) == found(run / "export", capsys)
    # Pulled again it is at hand, and its weights are not fetched again.
    hub.fetched.clear()
    assert pull(out) == 0
    assert hub.fetched == []


def test_the_parcel_of_a_dry_run_is_what_goes_up(run, hub, tmp_path):
    command = ["push", str(run), "ana/m", "--license", "cc-by-4.0", "--dry-run"]
    assert cli.main([*command, "--out", str(tmp_path / "dry")]) == 0
    assert hub.asked == []
    assert push(run) == 0
    there = {n: b for n, b in hub.repositories["ana/m"].files.items() if n not in START}
    dry = tmp_path / "dry"
    assert there == {
        str(p.relative_to(dry)): p.read_bytes()
        for p in dry.rglob("*")
        if p.is_file() and p != dry / "manifest.json"
    }


def test_nothing_but_the_parcel_leaves_the_machine(run, hub, tmp_path):
    assert push(run) == 0
    assert pull(tmp_path / "out") == 0
    for _, path, headers in hub.asked:
        agent = headers.get("User-Agent", headers.get("user-agent", ""))
        assert "torch" not in agent and "agent/" not in agent
        assert "telemetry" not in path and "agent" not in path
    # Only the hub's own addresses of this repository, and those of any upload.
    known = ("/api/whoami-v2", "/api/validate-yaml", "/api/repos/create", "/lfs/", "/ana/m")
    assert all(path.startswith((*known, "/api/models/ana/m")) for _, path, _ in hub.asked)


def test_an_export_that_is_gone_goes_from_the_hub_in_the_same_commit(run, hub):
    assert push(run) == 0
    hub.repositories["ana/m"].files["notas.txt"] = b"mine"
    assert push(run, "--no-export") == 0
    names = set(hub.repositories["ana/m"].files)
    assert not any(name.startswith("export/") for name in names)
    assert {"notas.txt", "model.safetensors", "README.md"} <= names
    commits = [path for method, path, _ in hub.asked if "/commit/" in path and method == "POST"]
    assert len(commits) == 2


def in_shards(run, place):
    """A run's model as a folder of several files of weights."""
    AutoModelForTokenClassification.from_pretrained(run / "model").save_pretrained(
        place, max_shard_size="50KB"
    )
    for name in ("tokenizer.json", "tokenizer_config.json", "ligero.json"):
        shutil.copyfile(run / "model" / name, place / name)
    return place


def test_a_model_that_is_gone_goes_from_the_hub_in_the_same_commit(run, hub, tmp_path, capsys):
    assert push(run) == 0
    kept = {"notas.txt": b"mine", "old/model.safetensors": b"mine", "vocab.json": b"mine"}
    hub.repositories["ana/m"].files |= kept
    capsys.readouterr()
    assert push(run / "export") == 0
    asked = capsys.readouterr().err
    files = hub.repositories["ana/m"].files
    gone = ("config.json", "ligero.json", "model.safetensors", "tokenizer.json")
    for name in gone:
        assert name not in files and f"deleted  {name}\n" in asked
    assert asked.count("deleted") == sum(1 for _ in (run / "model").iterdir()) - 1, "its manifest"
    assert kept.items() <= files.items() and "export/model.xml" in files
    commits = [path for method, path, _ in hub.asked if "/commit/" in path and method == "POST"]
    assert len(commits) == 2


def test_weights_in_one_file_and_in_shards_do_not_stay_beside_each_other(run, hub, tmp_path):
    shards = in_shards(run, tmp_path / "shards")
    changed = AutoModelForTokenClassification.from_pretrained(shards)
    with torch.no_grad():
        changed.classifier.bias += 1
    changed.save_pretrained(shards, max_shard_size="50KB")
    of_shards = {file.name for file in shards.glob("*.safetensors*")}
    assert len(of_shards) > 2
    for place, name in ((run, "one"), (shards, "several"), (run, "again")):
        assert push(place) == 0
        files = hub.repositories["ana/m"].files
        weights = {file for file in files if "/" not in file and ".safetensors" in file}
        assert weights == (of_shards if place == shards else {"model.safetensors"})
        assert pull(tmp_path / name) == 0
        expected = scores(shards if place == shards else run / "model")
        assert torch.equal(scores(tmp_path / name), expected)


def test_branches_and_private_repositories(run, hub, tmp_path, capsys):
    assert push(run, "--private") == 0
    assert hub.repositories["ana/m"].private
    assert push(run, "--revision", "v2", "--no-export") == 0
    assert "export/export.json" in hub.repositories["ana/m"].files
    assert pull(tmp_path / "v2", "--revision", "v2") == 0
    assert not (tmp_path / "v2" / "export").exists()
    hub.repositories["ana/p"] = Repository(dict(START))
    capsys.readouterr()
    assert push(run, "--private", to="ana/p") == 2
    assert "public" in one_line(capsys) and hub.repositories["ana/p"].files == START


def test_an_exported_folder_goes_alone_and_runs(run, hub, tmp_path, capsys):
    assert push(run / "export") == 0
    files = hub.repositories["ana/m"].files
    assert "config.json" not in files and b"library_name: ligero" in files["README.md"]
    assert pull(tmp_path / "out") == 0
    assert found(tmp_path / "out" / "export", capsys) == found(run / "export", capsys)


def test_no_token_no_terminal_or_a_no_and_nothing_is_sent(run, hub, monkeypatch, capsys):
    command = ["push", str(run), "ana/m", "--license", "mit"]
    assert cli.main(command) == 2
    assert "--yes" in one_line(capsys)
    with pushing.packed(str(run), "ana/m", licence="mit") as parcel:
        asked = []
        no = pushing.send(parcel, private=False, revision="main", agreed=asked.append)
    assert no is None
    assert "(public, main) as ana" in asked[0] and "licence of the weights: mit" in asked[0]
    assert all(f"{size:,}  {name}" in asked[0] for name, size in parcel.files.items())
    monkeypatch.delenv("HF_TOKEN")
    hub.asked.clear()
    assert cli.main([*command, "--yes"]) == 1
    assert "HF_TOKEN" in one_line(capsys)
    assert hub.asked == [] and hub.repositories == {}


@pytest.mark.parametrize(
    ("beginning", "status", "said"),
    [
        ("/api/whoami-v2", 401, "token"),
        ("/api/repos/create", 403, "write permission"),
        ("/api/models/ana/m/preupload", 404, "no such owner or revision"),
        ("/lfs/", 403, "write permission"),
        ("/api/models/ana/m/commit", 409, "push again"),
        ("/api/models/ana/m/commit", 412, "changed it meanwhile"),
        ("/api/models/ana/m/commit", 400, "did not take it"),
    ],
)
def test_what_the_hub_refuses_is_told_in_one_line_and_nothing_is_seen(
    run, hub, capsys, beginning, status, said
):
    hub.fails[beginning] = status
    assert push(run, "--no-export") == 1
    line = one_line(capsys)
    assert said in line and "ana/m" in line
    assert all(repository.files == START for repository in hub.repositories.values())
    hub.fails.clear()
    assert push(run, "--no-export") == 0


def test_another_persons_repository_and_a_wrong_token(run, hub, monkeypatch, capsys):
    hub.repositories["eva/m"] = Repository(dict(START))
    assert push(run, to="eva/m") == 1
    assert "write permission" in one_line(capsys)
    monkeypatch.setenv("HF_TOKEN", "hf_nobody")
    assert push(run) == 1
    assert "token" in one_line(capsys)
    assert hub.repositories["eva/m"].files == START


def test_a_commit_between_question_and_answer_is_not_overwritten(run, hub, capsys):
    assert push(run, "--no-export") == 0
    repository = hub.repositories["ana/m"]

    def meanwhile(question):
        repository.files = {**repository.files, "README.md": b"by hand"}
        return True

    with (
        pushing.packed(str(run), "ana/m", licence="mit") as parcel,
        pytest.raises(Exception, match="changed it meanwhile"),
    ):
        pushing.send(parcel, private=False, revision="main", agreed=meanwhile)
    assert (
        repository.files["README.md"] == b"by hand" and "export/model.bin" not in repository.files
    )


def test_without_network_it_is_said_and_nothing_is_left(run, hub, tmp_path, monkeypatch, capsys):
    point_to(monkeypatch, NOWHERE)
    assert push(run) == 1
    assert "cannot be reached" in one_line(capsys)
    assert pull(tmp_path / "out") == 1
    assert one_line(capsys) and not list(tmp_path.glob("*out*"))


def process(hub, tmp_path, *arguments):
    """The command line in a process of its own, to be killed."""
    environment = {
        **os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_ana", "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(tmp_path / "home"),
    }  # fmt: skip
    return subprocess.Popen([sys.executable, "-m", "ligero", *map(str, arguments)], env=environment)


def test_killed_in_the_middle_of_an_upload_nothing_is_seen(run, hub, tmp_path):
    hub.stalls["/lfs/"] = 1000
    sender = process(hub, tmp_path, "push", run, "ana/m", "--license", "mit", "--yes")
    assert hub.stalled.wait(60)
    sender.kill()
    sender.wait()
    assert hub.repositories["ana/m"].files == START and hub.blobs == {}
    hub.stalls.clear()
    assert push(run) == 0
    assert "model.safetensors" in hub.repositories["ana/m"].files


def test_killed_in_the_middle_of_a_download_nothing_is_seen_and_files_are_kept(run, hub, tmp_path):
    assert push(run) == 0
    commit = hub.repositories["ana/m"].commit
    hub.stalls[f"/ana/m/resolve/{commit}/model.safetensors"] = 70_000
    out = tmp_path / "out"
    getter = process(hub, tmp_path, "pull", "ana/m", "--out", out)
    assert hub.stalled.wait(60)
    getter.kill()
    getter.wait()
    part = tmp_path / f".out.{commit[:12]}.part"
    whole = set(hub.fetched) - {"model.safetensors"}
    assert not out.exists() and "export/model.bin" in whole
    assert all((part / name).is_file() for name in whole)
    hub.stalls.clear()
    hub.fetched.clear()
    assert pull(out) == 0
    assert "model.safetensors" in hub.fetched and not whole & set(hub.fetched)
    assert torch.equal(scores(out), scores(run / "model"))
    assert not part.exists()


def test_a_part_that_is_continued_is_not_fetched_from_its_beginning(run, hub, tmp_path):
    assert push(run, "--no-export") == 0
    commit = hub.repositories["ana/m"].commit
    part = tmp_path / f".out.{commit[:12]}.part"
    part.mkdir()
    whole = (run / "model" / "model.safetensors").read_bytes()
    (part / "model.safetensors").write_bytes(whole[:5000])
    assert pull(tmp_path / "out") == 0
    asked = [
        {k.lower(): v for k, v in h.items()} for _, p, h in hub.asked if p.endswith(".safetensors")
    ]
    assert [h.get("range") for h in asked] == ["bytes=5000-"]
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == whole


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_what_is_not_as_the_hub_states_is_thrown_away(run, hub, tmp_path, capsys, name):
    assert push(run, "--no-export") == 0
    files = hub.repositories["ana/m"].files
    part = tmp_path / f".out.{hub.repositories['ana/m'].commit[:12]}.part"
    part.mkdir()
    (part / name).write_bytes(files[name][:-1] + b"\0")
    capsys.readouterr()
    assert pull(tmp_path / "out") == 1
    assert name in one_line(capsys) and not (tmp_path / "out").exists()
    assert pull(tmp_path / "out") == 0
    assert (tmp_path / "out" / name).read_bytes() == files[name]


def test_nothing_that_runs_code_is_fetched(run, hub, tmp_path, capsys):
    assert push(run) == 0
    risky = {
        "modeling.py": b"raise SystemExit", "pytorch_model.bin": b"\x80", "old.pt": b"\x80",
        "export/run.py": b"", "export/other.bin": b"", "../climbs.json": b"{}", "sub/config.json": b"",
    }  # fmt: skip
    hub.repositories["ana/m"].files |= risky
    hub.repositories["ana/pickle"] = Repository(
        {"config.json": b"{}", "pytorch_model.bin": b"\x80"}
    )
    capsys.readouterr()
    assert pull(tmp_path / "in" / "out") == 0
    said = capsys.readouterr().out
    for name in risky:
        assert name not in hub.fetched and f"left out: {name}" in said
    assert "left out: modeling.py (could run code)" in said
    assert sorted(p.name for p in (tmp_path / "in").iterdir()) == ["out"]
    assert pull(tmp_path / "no", repository="ana/pickle") == 2
    assert "pytorch_model.bin" in one_line(capsys) and not (tmp_path / "no").exists()


def test_what_else_lies_there_is_kept_and_an_earlier_copy_is_renewed(run, hub, tmp_path, capsys):
    assert push(run) == 0
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_text("keep")
    assert pull(out) == 2
    assert "something else" in one_line(capsys) and (out / "mine").read_text() == "keep"
    (out / "mine").unlink()
    assert pull(out) == 0
    assert push(run, "--no-export") == 0
    assert pull(out) == 0
    assert not (out / "export").exists()
    # A copy that was damaged here is fetched again.
    (out / "model.safetensors").write_bytes(b"cut")
    assert pull(out) == 0
    assert (out / "model.safetensors").stat().st_size > 1000


def test_names_and_missing_repositories(hub, tmp_path, capsys):
    for name in ("ana", "ana/m/x", "../ana", "ana m/x"):
        with pytest.raises(InputError):
            pulling.pull(name, out=tmp_path / "out")
    assert pull(tmp_path / "out", repository="ana/no") == 2
    assert "ana/no" in one_line(capsys)
    hub.repositories["ana/m"] = Repository({"config.json": b"{}"})
    assert pull(tmp_path / "out", "--revision", "v9") == 2
    assert "v9" in one_line(capsys)
    assert pull(tmp_path / "out") == 2
    assert "no weights" in one_line(capsys)


def test_the_cards_word_on_the_data_is_passed_on(hub, tmp_path, run, capsys):
    assert push(run) == 0
    hub.repositories["ana/m"].files["README.md"] = (
        b"---\nlicense: other\ndatasets: [eva/datos]\n---\n# m\n\n> **Its data restrict its use.** Solo.\n"
    )
    capsys.readouterr()
    assert pull(tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert "licence: other" in said and "eva/datos" in said and "restrict its use" in said


def little(hub, card=b"", **more):
    """A repository with the least that is a model, and a card."""
    weights = save({"weight": torch.zeros(2)})
    files = {"config.json": b"{}", "model.safetensors": weights, "README.md": card, **more}
    hub.repositories["ana/m"] = Repository(files)


@pytest.mark.parametrize(
    "front",
    [
        b"license: [mit",
        b"license: !!int ''",
        b"license: !!timestamp x",
        b"- mit",
        b"? [a]\n: b",
        b"license: \xff",
        b"license: " + b"[" * 1000,
        b"license: {a: b}\ndatasets: {a: b}",
        b"license:\ndatasets:",
    ],
)
def test_a_card_that_cannot_be_read_says_nothing_of_licence_and_data(hub, tmp_path, capsys, front):
    little(hub, b"---\n" + front + b"\n---\n# m\n\n> **Its data restrict its use.** Solo.\n")
    for _ in range(2):
        assert pull(tmp_path / "out") == 0
        said = capsys.readouterr()
        assert "licence: none stated\n**Its data restrict its use.** Solo.\n" in said.out
        assert "trained on" not in said.out and said.err == ""


@pytest.mark.parametrize(
    ("written", "datasets"),
    [
        (b"conll2002", ["conll2002"]),
        (b"2002", ["2002"]),
        (b"[eva/datos, 2002, {a: b}, [c], null]", ["eva/datos", "2002"]),
        (b"null", []),
    ],
)
def test_a_card_names_its_data_as_one_word_or_a_list(hub, tmp_path, capsys, written, datasets):
    little(hub, b"---\nlicense: [mit, 'cc0-1.0']\ntags: 5\ndatasets: " + written + b"\n---\n# m\n")
    assert pull(tmp_path / "out", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["datasets"] == datasets and found["licence"] == "mit, cc0-1.0"
    assert pull(tmp_path / "out") == 0
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if "trained on" in line] == [f"trained on: {d}" for d in datasets]


def test_what_is_downloaded_cannot_steer_the_terminal(hub, tmp_path, capsys):
    evil = "\x1b]0;x\x07\x9b2J\u202e"
    quoted = '"\\e]0;x\\a\\x9b2J\\u202e\\ud800\\ntry: rm"'
    card = f"---\nlicense: {quoted}\ndatasets: [{quoted}]\n---\n> **Solo{evil}.**\n"
    little(hub, card.encode(), **{f"{evil}\n.py": b"", f"{evil}.json": b"{}"})
    assert pull(tmp_path / "out") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6 and all(line.isprintable() for line in lines)
    assert pull(tmp_path / "out", "--json") == 0
    out = capsys.readouterr().out
    assert out.isascii() and out.strip().isprintable()
    assert "\x1b]0;x\x07" in json.loads(out)["licence"], "data stay what they are"
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(DamagedError) as told:
        pulling.Stated(f"{evil}.json", 1, "0").check(file)
    assert str(told.value).isprintable()


def test_a_pull_into_the_folder_one_stands_in(hub, tmp_path, monkeypatch, capsys):
    little(hub, b"# m\n")
    here = tmp_path / "work" / "here"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    for _ in range(2):
        assert pull(".") == 0
        assert 'ligero predict . "texto"' in capsys.readouterr().out
        # By a relative name: whoever stood here sees it.
        assert verify(Path())["repository"] == "ana/m"
        assert list(here.parent.iterdir()) == [here]
    # Another commit would replace the folder: from outside, where what was fetched is used.
    little(hub, b"# m, again\n")
    assert pull(".") == 2
    assert "the folder that you are in" in one_line(capsys)
    assert Path("README.md").read_text() == "# m\n"
    monkeypatch.chdir(tmp_path)
    hub.fetched.clear()
    assert pull("work/here") == 0
    assert hub.fetched == [] and (here / "README.md").read_text() == "# m, again\n"
