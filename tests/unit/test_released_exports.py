"""Exported models that come with ligero are called by name, wherever a folder may be given."""

import dataclasses
import json
import shutil

import pytest

import served
from ligero import cli
from ligero.errors import InputError
from ligero.measure import candidates
from ligero.reader import open_reader
from ligero.runs import MANIFEST, publish
from ligero.runtime import Predictor, released
from ligero.runtime.card import Card
from ligero.serve import models

pytestmark = pytest.mark.usefixtures("one_thread")
TEXT = "Nieves Córdoba viajó a Córdoba."


@pytest.fixture
def comes_with(tmp_path, monkeypatch):
    """A model that comes with ligero under the name `ner`; its folder."""
    made = served.export(tmp_path / "made", {"tag": served.LABELS["tag"]})["tag"]
    monkeypatch.setattr(released, "RELEASED", tmp_path / "released")
    with publish(tmp_path / "released" / "ner") as place:
        shutil.copytree(made, place, dirs_exist_ok=True)
        (place / MANIFEST).unlink()
        card = dataclasses.replace(
            Card.read(made), name="ner", licence="CC BY 4.0", bytes=5_000_000
        )
        card.write(place)
    return tmp_path / "released" / "ner"


def test_a_name_is_as_good_as_a_folder(comes_with):
    here = Predictor("ner", threads=1)(TEXT)
    assert here == Predictor(comes_with, threads=1)(TEXT)
    assert open_reader("ner").labels == served.LABELS["tag"]
    (found,) = candidates.find("ner")
    assert found.shape.family == "modernbert" and found.how == "openvino fp32"


def test_it_is_served_under_its_name(comes_with):
    found = models.table(["ner", f"mine={comes_with}"])
    assert list(found) == ["ner", "mine"]
    assert found["ner"].folder == found["mine"].folder == comes_with
    assert found["ner"].facts["licence"] == "CC BY 4.0"


def test_a_folder_of_the_same_name_is_called_by_its_path(comes_with, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tmp_path / "made" / "tag", "ner")
    assert released.locate("ner") == comes_with
    assert Predictor("./ner", threads=1).card.name == "tag"


def test_an_unknown_name_offers_those_that_there_are(comes_with):
    with pytest.raises(InputError, match="did you mean ner"):
        Predictor("nerr")
    with pytest.raises(InputError, match="no such folder"):
        Predictor("runs/nerr")


def test_nothing_comes_with_a_ligero_without_them(tmp_path, monkeypatch):
    monkeypatch.setattr(released, "RELEASED", tmp_path)
    assert released.names() == []
    with pytest.raises(InputError, match="no such folder"):
        Predictor("ner")


def test_they_are_listed_with_their_data_s_terms(comes_with, capsys):
    assert cli.main(["models"]) == 0
    told = capsys.readouterr().out
    assert "Ready for use" in told and "5.0" in told and "CC BY 4.0" in told


def test_predict_takes_the_name(comes_with, capsys):
    assert cli.main(["predict", "ner", TEXT, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"text": TEXT, "found": Predictor("ner", threads=1)(TEXT)}


@pytest.mark.parametrize("name", released.names() or [None])
def test_what_comes_with_ligero_is_whole_and_small(name):
    if name is None:
        pytest.skip("no exported model comes with this ligero")
    folder = released.locate(name)
    card = released.card(name)
    assert card.name == name and card.licence
    assert sum(file.stat().st_size for file in folder.iterdir()) < 12_000_000
    told = (folder / "README.md").read_text(encoding="utf-8")
    assert card.licence in told and f"ligero predict {name} " in told
    assert Predictor(name, threads=1)(TEXT)
