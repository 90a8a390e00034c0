"""In what arithmetic a forward pass runs, by what was asked for and what the processor has."""

import pytest
import torch

import small
from ligero.cli import main
from ligero.train import precision

CPU = torch.device("cpu")


@pytest.fixture
def capabilities(monkeypatch):
    """What torch says that the processor has."""
    found = {}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found, raising=False)
    precision.has_bf16.cache_clear()
    yield found
    precision.has_bf16.cache_clear()


def dtype(asked):
    """Of a product."""
    with precision.autocast(asked, CPU):
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


@pytest.mark.parametrize("instructions", precision.INSTRUCTIONS)
def test_auto_is_bf16_where_the_processor_has_it(capabilities, instructions):
    capabilities.update({"avx2": True, instructions: True})
    assert [dtype(p) for p in ("auto", "bf16", "fp32")] == [*[torch.bfloat16] * 2, torch.float32]


def test_auto_is_fp32_where_bf16_would_be_imitated(capabilities):
    capabilities.update({"avx2": True, "avx512_f": True, "avx512_bf16": False})
    assert [dtype(p) for p in ("auto", "bf16", "fp32")] == [
        torch.float32, torch.bfloat16, torch.float32
    ]  # fmt: skip


def test_an_older_torch_is_asked_in_its_own_way(monkeypatch):
    precision.has_bf16.cache_clear()
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    for has in (True, False):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda has=has: has)
        assert precision.has_bf16("cpu") is has
        precision.has_bf16.cache_clear()
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported")
    assert not precision.has_bf16("cpu") and not precision.has_bf16("mps")
    precision.has_bf16.cache_clear()


def test_who_asks_for_imitated_bf16_is_told(capabilities, tmp_path, capsys):
    small.register()
    data = small.write(tmp_path / "data", train=20, dev=5, test=5)
    command = [*small.finetune(data, tmp_path / "run", ending="tsv"), "--epochs", "1"]
    assert main([*command, "--precision", "bf16"]) == 0
    assert "bf16 is very slow on this processor" in capsys.readouterr().err
    capabilities["avx512_bf16"] = True
    precision.has_bf16.cache_clear()
    again = [*small.finetune(data, tmp_path / "again", ending="tsv"), "--epochs", "1"]
    assert main([*again, "--precision", "auto"]) == 0
    assert "very slow" not in capsys.readouterr().err
