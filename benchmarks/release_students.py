"""Make of finished students what comes with ligero: their exports, each with a card, by short names.

    python benchmarks/release_students.py ner=runs/ner-student topics=runs/topics-student …

Each run has its export in RUN/export (`ligero export RUN --precision int8`). Writes
src/ligero/runtime/released/NAME, and refuses more than 12 MB. The card is the one that `ligero push` makes:
figures, intervals, data and licences are what the run and the export wrote down.
"""

import argparse
import shutil
from dataclasses import replace

from ligero.runs import MANIFEST, publish, write_text
from ligero.runtime.card import Card
from ligero.runtime.predictor import Predictor
from ligero.runtime.released import RELEASED
from ligero.share import card, finished

MOST = 12_000_000  # bytes of a folder


def main() -> None:
    """Write the folders."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("students", nargs="+", metavar="NAME=RUN")
    for one in parser.parse_args().students:
        name, _, run = one.partition("=")
        release(name, run)


def release(name: str, run: str) -> None:
    """Write one."""
    found = finished.find(run)
    export = found.export
    if export is None:
        raise SystemExit(f"{run}: no export (ligero export {run})")
    # Without its weights in torch: what the card says of these would not be there.
    found = replace(found, model=None)
    out = RELEASED / name
    with publish(out) as place:
        shutil.copytree(export, place, dirs_exist_ok=True)
        (place / MANIFEST).unlink()
        write_text(place / "README.md", card.page(found, name, found.licence()))
        size = sum(file.stat().st_size for file in place.iterdir())
        if size > MOST:
            raise SystemExit(f"{name}: {size:,} bytes, more than {MOST:,}")
        replace(Card.read(export), name=name, bytes=size).write(place)
    print(f"{out}: {size:,} bytes")
    print(Predictor(name)("Nieves Córdoba viajó a Córdoba con el Real Zaragoza."))


if __name__ == "__main__":
    main()
