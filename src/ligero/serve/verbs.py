"""`ligero serve`: its flags, and what is called. No logic."""

import argparse
from typing import Any

from ligero import flags
from ligero.config import ServeConfig


def add(parser: Any) -> None:
    """Give `ligero serve` its flags."""
    parser.usage = f"{parser.prog} FOLDER... [--setting VALUE ...]"
    parser.add_argument(
        "folders", nargs="+", metavar="FOLDER",
        help="exported folders (ligero export makes them); NAME=FOLDER gives one another name",
    )  # fmt: skip
    parser.add_argument("--config", metavar="TOML", help="a file of settings; flags come over it")
    flags.add(parser, ServeConfig)
    parser.set_defaults(run=_serve)


def _serve(chosen: argparse.Namespace) -> None:
    config = flags.read(chosen, ServeConfig)
    flags.need(("httptools",), "serve")
    from ligero.serve.run import run

    run(chosen.folders, config)
