"""How long encoders of several shapes take for one text: what decided ligero's own shape.

    python benchmarks/latency_of_shapes.py --out benchmarks/results/latency-of-shapes.md

Each shape, weights at random, is converted by OpenVINO at a fixed length and runs in bf16 on two
threads, batch 1; its outputs are compared with the model's own. BETO's shape in plain transformers,
eager attention, fp32, is what ratios are to. All take turns within one process.
Needs: pip install openvino.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openvino as ov
import torch
from torch import nn
from transformers import AutoModel, PreTrainedModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from ligero import machine
from ligero.models import catalog
from ligero.models.build import thaw
from ligero.models.weights import drawn_from, quiet
from ligero.report import tables

LENGTHS = (32, 128, 512)


def shapes() -> dict[str, tuple[str, dict[str, Any]]]:
    """Name -> family and configuration."""
    tiny, own = catalog.find("albeto-tiny"), catalog.find("ligero-tiny")

    def modern(hidden: int, layers: int, ffn: int, *, local: bool = False) -> Any:
        kinds = [
            "sliding_attention" if local and layer % 3 else "full_attention"
            for layer in range(layers)
        ]
        changed = {
            "hidden_size": hidden, "num_hidden_layers": layers, "intermediate_size": ffn,
            "num_attention_heads": hidden // 64, "layer_types": kinds, "local_attention": 128,
        }  # fmt: skip
        return "modernbert", thaw(own.config) | changed

    wide = {"hidden_size": 320, "intermediate_size": 1280, "num_attention_heads": 5}
    return {
        "albeto-tiny, 4 x 312, 12 heads of 26": ("albert", thaw(tiny.config)),
        "albeto-tiny, 4 x 320, 5 heads of 64": ("albert", thaw(tiny.config) | wide),
        "ModernBERT, 4 x 320, FFN 640, local attention": modern(320, 4, 640, local=True),
        "ModernBERT, 4 x 320, FFN 640": modern(320, 4, 640),
        "ModernBERT, 4 x 320, FFN 512": modern(320, 4, 512),
        "ModernBERT, 4 x 256, FFN 512": modern(256, 4, 512),
        "ModernBERT, 3 x 384, FFN 768": modern(384, 3, 768),
        "ModernBERT, 6 x 256, FFN 512": modern(256, 6, 512),
        "ModernBERT, 6 x 320, FFN 640": modern(320, 6, 640),
    }


class States(nn.Module):
    """Last hidden states of ids and mask."""

    def __init__(self, encoder: PreTrainedModel) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """[1, length, hidden]."""
        return self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]


def encoder(family: str, settings: dict[str, Any], attention: str) -> PreTrainedModel:
    """An encoder with random weights, 16,000 entries, without pooler where its class allows."""
    config = CONFIG_MAPPING[family](vocab_size=16_000, pad_token_id=0, **settings)
    with quiet(), drawn_from(0):
        made = AutoModel.from_config(config, attn_implementation=attention)
    if family == "albert":
        merge(made)
    return made.eval()


def merge(albert: Any) -> None:
    """Replace ALBERT's three projections by one product, as ModernBERT's class has it already."""
    for group in albert.encoder.albert_layer_groups:
        for layer in group.albert_layers:
            layer.attention = Merged(layer.attention)


class Merged(nn.Module):
    """ALBERT's attention with query, key and value from one matrix product."""

    def __init__(self, old: Any) -> None:
        super().__init__()
        parts = (old.query, old.key, old.value)
        self.qkv = nn.Linear(parts[0].in_features, 3 * parts[0].out_features)
        with torch.no_grad():
            self.qkv.weight.copy_(torch.cat([p.weight for p in parts]))
            self.qkv.bias.copy_(torch.cat([p.bias for p in parts]))
        self.dense, self.norm = old.dense, old.LayerNorm
        self.heads, self.width = old.num_attention_heads, old.attention_head_size

    def forward(
        self, hidden_states: torch.Tensor, attention_mask: torch.Tensor | None = None, **_: Any
    ) -> tuple[torch.Tensor, None]:
        """As ALBERT's own."""
        rows, length, hidden = hidden_states.shape
        qkv = self.qkv(hidden_states).view(rows, length, 3, self.heads, self.width)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        context = nn.functional.scaled_dot_product_attention(query, key, value, attention_mask)
        context = context.transpose(1, 2).reshape(rows, length, hidden)
        return self.norm(hidden_states + self.dense(context)), None


def compiled(model: PreTrainedModel, length: int) -> tuple[Callable[[], Any], float]:
    """A call that runs the model once at this length, and the largest relative error of bf16."""
    ids = torch.arange(5, 5 + length)[None]
    mask = torch.ones_like(ids)
    graph = ov.convert_model(
        States(model), example_input={"input_ids": ids, "attention_mask": mask},
        input=[("input_ids", [1, length]), ("attention_mask", [1, length])],
    )  # fmt: skip
    hints = {
        "INFERENCE_PRECISION_HINT": "bf16", "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
    }  # fmt: skip
    request = ov.compile_model(graph, "CPU", hints).create_infer_request()
    given = {"input_ids": ids.numpy(), "attention_mask": mask.numpy()}
    with torch.inference_mode():
        wanted = States(model)(ids, mask)
    found = torch.from_numpy(request.infer(given)[0].copy())
    return lambda: request.infer(given), float((found - wanted).norm() / wanted.norm())


def main() -> None:
    """Measure, and write a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    beto = encoder("bert", thaw(catalog.find("beto-cased").config), "eager")
    found: dict[str, Any] = {}
    for length in LENGTHS:
        calls, errors = {}, {}
        for name, (family, settings) in shapes().items():
            calls[name], errors[name] = compiled(encoder(family, settings, "sdpa"), length)
        ids = torch.arange(5, 5 + length)[None]

        def reference(ids: torch.Tensor = ids) -> Any:
            with torch.inference_mode():
                return beto(input_ids=ids, attention_mask=torch.ones_like(ids))

        taken = in_turn(calls, reference, arguments.rounds)
        base = statistics.median(taken.pop("beto"))
        for name, seconds in taken.items():
            found.setdefault(name, {})[length] = {
                "milliseconds": 1000 * statistics.median(seconds),
                "ratio": base / statistics.median(seconds),
                "error": errors[name],
            }
        print(length, {n: round(f[length]["ratio"], 1) for n, f in found.items()}, flush=True)
    report(found, arguments)


def in_turn(
    calls: dict[str, Callable[[], Any]], reference: Callable[[], Any], rounds: int
) -> dict[str, list[float]]:
    """Seconds of each call, all taking turns; the slow reference every twentieth round."""
    taken: dict[str, list[float]] = {name: [] for name in (*calls, "beto")}
    for number in range(rounds + 10):
        for name, call in calls.items():
            # The first of two leaves the caches as this model has them, as in a server of one model.
            call()
            began = time.perf_counter()
            call()
            if number >= 10:
                taken[name].append(time.perf_counter() - began)
        if number % 20 == 0:
            began = time.perf_counter()
            reference()
            if number:
                taken["beto"].append(time.perf_counter() - began)
    return taken


def report(found: dict[str, Any], arguments: argparse.Namespace) -> None:
    """Print, and write where asked."""
    rows = [
        [
            name,
            *(f"{f[n]['ratio']:.1f}" for n in LENGTHS),
            *(f"{f[n]['milliseconds']:.2f}" for n in LENGTHS),
        ]
        for name, f in found.items()
    ]
    heading = ["encoder", *(f"x BETO, {n}" for n in LENGTHS), *(f"ms, {n}" for n in LENGTHS)]
    worst = max(f[n]["error"] for f in found.values() for n in LENGTHS)
    page = (
        "# Latency of small encoders, one text at a time\n\n"
        f"{tables.markdown(heading, rows)}\n\n"
        "Ratio to BETO's shape in transformers, eager attention, fp32, at the same length; the others "
        "in OpenVINO, bf16, fixed length, batch 1, 2 threads; all in turn in one process, medians of "
        f"{arguments.rounds}. Weights at random. Hidden states in bf16 differ from fp32's by "
        f"{100 * worst:.1f}% at most.\n\n{machine.footer('torch', 'transformers', 'openvino')}"
    )
    print(page)
    if arguments.out:
        arguments.out.write_text(page, encoding="utf-8")
        arguments.out.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
