"""`ligero export`: its flags, and what is called and printed. No logic."""

import argparse
import json
from typing import Any

from ligero import flags
from ligero.config import ExportConfig


def add(parser: Any) -> None:
    """Give `ligero export` its flags."""
    parser.usage = (
        f"{parser.prog} RUN [--task NAME | --train FILE --dev FILE] [--setting VALUE ...]"
    )
    parser.add_argument(
        "model", metavar="RUN", help="a finished run, a compression (its student), a model's folder"
    )
    parser.add_argument("--task", help="the catalog's task it was trained on, where RUN is no run")
    parser.add_argument("--config", metavar="TOML", help="a file of settings; flags come over it")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    flags.add(parser, ExportConfig)
    parser.set_defaults(run=_export)


def _export(chosen: argparse.Namespace) -> None:
    config = flags.read(chosen, ExportConfig, chosen.task)
    needed = {"openvino": ("openvino", "nncf"), "onnx": ("onnxruntime",)}[config.runtime]
    flags.need(flags.TRAINING, "train")
    flags.need(("onnx", *needed), "export")
    from ligero.export.build import export
    from ligero.report import export as report
    from ligero.report import tables

    results = export(chosen.model, config)
    if chosen.json:
        print(json.dumps(results, ensure_ascii=False))
        return
    tables.show(tables.terminal(*report.verdicts(results)))
    print(f"\n{report.line(results)}")
    print(
        f"{results['folder']}: {results['bytes'][results['chosen']] / 1e6:.1f} MB; go on: "
        f'ligero predict {results["folder"]} "un texto"'
    )
