"""The runtime: any text gives a result or a typed error, the same in any company, without torch."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import served
import shapes
from ligero.errors import DamagedError, InputError
from ligero.runtime import Predictor
from ligero.runtime.openvino import ROWS, TOGETHER, batch
from ligero.serve import worker

pytestmark = pytest.mark.usefixtures("one_thread")
WINDOW = 48
LABELS = {**shapes.LABELS, "answer": ("answer",), "tag": ("O", "B-PER", "I-PER")}
TEXT = "La ministra Nieves Córdoba viajó a Córdoba con el Real Zaragoza; 5 % más, ¿no?"
ODD = {
    "one character": "a",
    "one mark": "¿",
    "emoji": "🎉👩‍👩‍👧‍👦🇪🇸 🏳️‍🌈",
    "NUL": "La niña\0 come\0",
    "right to left": "El texto שלום עולם y العربية en medio",
    "combining": "La nin\u0303a come\u0301 \u0301\u0301",
    "zero width": "La\u200b ni\u200dña\ufeff",
    "100,000 characters": "palabra " * 12_500,
    "controls": "a\x01b\x02 c\x1f",
    "other planes": "𝕳𝖔𝖑𝖆 𠀀 \U0010ffff",
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """kind -> an exported model of random weights, in fp32."""
    return served.export(tmp_path_factory.mktemp("exported"), LABELS)


@pytest.fixture(scope="module")
def predictors(folders):
    return {kind: Predictor(folder, threads=1) for kind, folder in folders.items()}


def read(predictor, text):
    return predictor(text, "otra cosa" if 1 not in predictor.kind.texts else None)


def spans_hold(found, text):
    for one in found:
        if "start" in one:
            assert text[one["start"] : one["end"]] == one["text"]
            assert 0 <= one["start"] <= one["end"] <= len(text)
        assert 0 <= one["probability"] <= 1 + 1e-9


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("name", ODD)
def test_odd_texts_give_results(predictors, kind, name):
    text = ODD[name]
    if kind == "parse" and name == "100,000 characters":
        with pytest.raises(InputError, match="12,500 words"):
            predictors[kind](text)
        return
    if kind == "answer":
        spans_hold(predictors[kind]("¿Qué?", text), text)
        spans_hold(predictors[kind](text, TEXT), TEXT)
    else:
        spans_hold(predictors[kind](text), text)


def test_a_sentence_of_several_windows_is_one_tree(predictors):
    text = "la niña come pan " * 60
    found = predictors["parse"](text)
    assert len(found) == 240 and sum(word["head"] == 0 for word in found) == 1
    spans_hold(found, text)


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"), (" \n\t\u00a0", "empty"), ("a" * 10_001, "10,001 characters"),
        ("hola \ud83d", "UTF-8"),
    ],
)  # fmt: skip
def test_what_is_no_text_is_refused(predictors, kind, text, said):
    with pytest.raises(InputError, match=said):
        read(predictors[kind], text)
    with pytest.raises(InputError, match="texts:2"):
        predictors[kind](["bien", text], None if 1 in predictors[kind].kind.texts else "otra")


def test_the_wrong_number_of_texts_is_refused(predictors):
    with pytest.raises(InputError, match="a pair of texts"):
        predictors["tag"]("uno", "dos")
    with pytest.raises(InputError, match="one text for a model of kind answer"):
        predictors["answer"]("uno")
    with pytest.raises(InputError, match="2 texts and 1 second"):
        predictors["answer"](["uno", "dos"], ["tres"])
    assert predictors["tag"]([]) == []


@settings(
    max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(min_size=1, max_size=60))
def test_any_text_gives_spans_that_slice_it_or_a_typed_error(predictors, text):
    try:
        found = predictors["tag"](text)
    except InputError:
        assert not text.strip() or any("\ud800" <= c <= "\udfff" for c in text)
        return
    spans_hold(found, text)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
@pytest.mark.parametrize("kind", ["answer", "parse"])
def test_any_text_in_the_other_kinds(predictors, kind, text):
    if text.strip():
        found = predictors[kind]("¿Qué?", text) if kind == "answer" else predictors[kind](text)
        spans_hold(found, text)


@pytest.mark.parametrize("kind", LABELS)
def test_company_changes_nothing(predictors, kind):
    predictor = predictors[kind]
    known = predictor.kind
    others = [" ".join(TEXT.split()[: 1 + n % 14]) for n in range(32)]
    second = "El Real Zaragoza ganó." if kind == "answer" else None
    examples = [known.read(text, second) for text in [TEXT, *others]]
    alone = [predictor.scores([example])[0] for example in examples]
    together = predictor.scores(examples)
    for one, many, example in zip(alone, together, examples, strict=True):
        for choice, scores in one.items():
            possible = np.isfinite(scores)
            assert np.abs(scores[possible] - many[choice][possible]).max() < 1e-4
        assert known.predict(example, one, predictor.labels) == known.predict(
            example, many, predictor.labels
        )


def test_texts_of_too_many_windows_are_refused(folders, predictors):
    """What a server's worker does not read; a file of any length is read without that limit."""
    limited = Predictor(folders["classify"], threads=1, windows=5)
    long = "La ministra viajó. " * 32  # four windows
    (found,) = limited([long])
    assert found == predictors["classify"](long)
    with pytest.raises(InputError, match=r"a text of \d+ windows of 48 sub-words"):
        limited(long * 3)
    assert len(predictors["classify"](long * 3)) == len(found)
    with pytest.raises(InputError, match="a pair of texts of"):
        limited(long, long)
    # Together they are more than one may have; which is why a worker then reads each alone.
    with pytest.raises(InputError, match="windows"):
        limited([long, long])
    read = list(worker.read(limited, ["uno", "dos"], [None, None]))
    assert len(read) == 1 and len(read[0]) == 2
    read = list(worker.read(limited, [long, long * 3, "uno"], [None, None, None]))
    assert [type(one[0]) for one in read] == [list, str, list] and read[0] == [found]
    assert "windows" in read[1][0]


def test_batches_cover_their_rows():
    for width in (16, 64, 512):
        for rows in range(1, 70):
            left, steps = rows, []
            while left > 0:
                steps.append(batch(left, width))
                left -= steps[-1]
            assert all(s in ROWS and (s == 1 or s * width <= TOGETHER) for s in steps)
            # Only the last piece may be padded, and by a quarter at most.
            assert -left <= steps[-1] / 4


@pytest.mark.parametrize("name", ["model.bin", "model.xml", "tokenizer.json", "export.json"])
@pytest.mark.parametrize("damage", ["cut", "altered", "gone"])
def test_a_damaged_folder_is_refused(folders, tmp_path, name, damage):
    folder = tmp_path / "x"
    shutil.copytree(folders["parse"], folder)
    file = folder / name
    content = bytearray(file.read_bytes())
    if damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "altered":
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    else:
        file.unlink()
    with pytest.raises((DamagedError, InputError), match=name):
        Predictor(folder)


def test_folders_that_are_no_exports(folders, tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        Predictor(tmp_path / "none")
    with pytest.raises(InputError, match="no exported model"):
        Predictor(tmp_path)
    shutil.copytree(folders["tag"], tmp_path / "x")
    (tmp_path / "x" / "manifest.json").unlink()
    with pytest.raises(DamagedError, match="manifest"):
        Predictor(tmp_path / "x")


def test_a_file_that_the_manifest_does_not_know_is_not_read(folders, tmp_path):
    shutil.copytree(folders["tag"], tmp_path / "x")
    manifest = json.loads((tmp_path / "x" / "manifest.json").read_text())
    del manifest["files"]["tokenizer.json"]
    (tmp_path / "x" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DamagedError, match="tokenizer"):
        Predictor(tmp_path / "x")


# What the base install has not: the extras' packages.
EXTRAS = ("torch", "transformers", "huggingface_hub", "onnx", "nncf", "polars", "matplotlib")


def test_the_base_install_suffices(folders):
    code = f"""
import sys
for name in {EXTRAS!r}:
    sys.modules[name] = None  # importing it fails, as where it is not installed
from ligero.runtime import Predictor
from ligero.cli import main
found = Predictor({str(folders["tag"])!r})("Nieves Córdoba viajó.")
assert main(["predict", {str(folders["classify"])!r}, "Hola", "--json"]) == 0
assert main(["predict", {str(folders["parse"])!r}, "Hola niña"]) == 0
print(sorted(name for name in {EXTRAS!r} if sys.modules.get(name)))
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    assert out.stdout.splitlines()[-1] == "[]"
