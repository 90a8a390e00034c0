"""Make of a finished pre-training what comes with ligero: fp16 weights, tokenizer, model card.

    python benchmarks/release.py runs/ligero-tiny --lift benchmarks/results/lift-ligero-tiny.json

Writes src/ligero/models/released/NAME, and refuses more than 20 MB of weights. The card's figures are
read from the run and from `lift.py`'s results; what cannot be measured stands here.
"""

import argparse
import json
import shutil
import statistics
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from ligero.models.reference import RELEASED, finished
from ligero.report import tables
from ligero.runs import MANIFEST, publish, read_json

MOST = 20_000_000  # bytes of weights
FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")

HEAD = """---
language: es
license: apache-2.0
library_name: transformers
pipeline_tag: fill-mask
tags: [spanish, modernbert, masked-language-modeling]
---
"""

SOURCES = """| source | share of bytes | licence, as the source states it |
| --- | ---: | --- |
| novels of 1830 to 1940 (conha19, ELTeC-spa, textbox) | 36% | texts in the public domain, markup CC BY |
| parliamentary speech (ParlaMint-ES) | 34% | CC BY 4.0 |
| laws of Uruguay (IMPO, who are to be credited) and Chile | 15% | open data; public domain |
| textbooks (OpenStax, in Spanish) | 4% | CC BY 4.0 |
| documentation of ASP.NET and Dynamics 365, in Spanish | 4% | CC BY 4.0 |
| documentation of Python, in Spanish | 3.5% | PSF; translations CC0 |
| sentences of Tatoeba | 2% | CC BY 2.0 |
| theatre (spandracor), clinical cases (MEDDOCAN), Common Voice | 2% | public domain; CC BY 4.0; CC0 |"""

LIMITS = """There is no encyclopaedia, no news and nothing of the web in the text, and most of what is
literary in it is a century old: expect less on today's names and things, and older spellings and views
of people than one would write now. It was seen for hours, not months: a model of {parameters}
parameters that saw {tokens} sub-words knows forms, inflection and common turns of Spanish, and few
facts. Texts of up to {length} sub-words."""


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--lift", type=Path, required=True)
    parser.add_argument("--name", default="ligero-tiny")
    parser.add_argument("--hardware", default="2 processor cores with AVX-512 and AMX")
    arguments = parser.parse_args()
    source = finished(arguments.run)
    results, lift = read_json(arguments.run / "results.json"), read_json(arguments.lift)
    out = RELEASED / arguments.name
    with publish(out) as place:
        weights = {
            n: t.to(torch.float16) for n, t in load_file(source / "model.safetensors").items()
        }
        save_file(weights, place / "model.safetensors", metadata={"format": "pt"})
        for name in FILES:
            shutil.copyfile(source / name, place / name)
        config = read_json(place / "config.json")
        config["dtype"] = "float16"
        (place / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        card = page(arguments.name, results, lift, arguments.hardware)
        (place / "README.md").write_text(card, encoding="utf-8")
        size = (place / "model.safetensors").stat().st_size
        if size > MOST:
            raise SystemExit(f"{size:,} bytes of weights, more than {MOST:,}")
    print(f"{out}: {size:,} bytes of weights; {MANIFEST} vouches for all of it")


def page(name: str, results: dict[str, Any], lift: dict[str, Any], hardware: str) -> str:
    """The model card."""
    parameters, tokens = (f"{results[key] / 1e6:.1f}M" for key in ("parameters", "tokens"))
    last = results["phases"][-1]
    phases = "; ".join(
        f"{p['steps']:,} steps of {p['batch_size']} windows of {p['length']} sub-words, peak learning "
        f"rate {p['learning_rate']:g}"
        for p in results["phases"]
    )
    rows = [
        [task, start, f"{statistics.mean(scores):.2f} ± {statistics.stdev(scores):.2f}"]
        for task, starts in lift.items()
        for start, scores in starts.items()
    ]
    length = max(p["length"] for p in results["phases"])
    times, hours = f"{results['tokens'] / results['text']:.1f}", f"{results['hours']:.1f}"
    text, seeds = (
        f"{results['text'] / 1e6:.1f}M",
        len(next(iter(next(iter(lift.values())).values()))),
    )
    return f"""{HEAD}
# {name}

A small encoder of Spanish: ModernBERT's shape, {parameters} parameters, a cased vocabulary of
{results["entries"]:,}, made to be fine-tuned and distilled on ordinary processors. It comes with ligero
and loads in plain transformers:

```python
from transformers import AutoModelForMaskedLM, AutoTokenizer

model = AutoModelForMaskedLM.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
```

## How it was made

Masked words (whole words, 80/10/10) over {text} sub-words of Spanish, read {times} times: {tokens}
sub-words in {hours} hours on {hardware}. {phases}. The recipe is
`recipes/pretrain/{name}.toml`; the vocabulary is Unigram, learned from the same text.

On held-out documents of the same sources: loss {last["loss"]:.3f} nats, {last["accuracy"]:.1f}% of the hidden
sub-words guessed right (windows of {last["length"]}).

## What it gives

{tables.markdown(["task", "start", "score on test"], rows)}

Entity F1 on CoNLL-2002 esp.testb; accuracy of parts of speech on AnCora's test file, trained on its dev
file alone. Mean and deviation over {seeds} seeds; both starts with the same
vocabulary, settings and seeds (`benchmarks/lift.py`).

## Text and licences

{SOURCES}

Cleaned by `ligero corpus`: named rules, copies and near copies dropped. The weights are under Apache-2.0; the
text's own licences, above, ask that its sources be named.

## Limits

{LIMITS.format(parameters=parameters, tokens=tokens, length=length)}
"""


if __name__ == "__main__":
    main()
