"""`ligero push` and `ligero pull`: their flags, and what is called, asked and printed. No logic."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ligero import flags
from ligero.errors import InputError

_HUB = ("huggingface_hub", "safetensors")


def add_push(parser: Any) -> None:
    """Give `ligero push` its flags."""
    parser.add_argument(
        "model", metavar="RUN", help="a finished run, a model's folder, or an exported folder"
    )
    parser.add_argument("repository", metavar="OWNER/NAME", help="where it goes on the hub")
    parser.add_argument("--private", action="store_true", help="a new repository is for you alone")
    parser.add_argument("--revision", metavar="NAME", help="another branch than main")
    parser.add_argument(
        "--license", metavar="NAME",
        help="of the weights; what follows from start and data where left out",
    )  # fmt: skip
    parser.add_argument("--export", metavar="DIR", help="its export, where that is not in RUN")
    parser.add_argument(
        "--no-export", action="store_true", help="send the model without its export"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="write the folder that would go up, and send nothing"
    )
    parser.add_argument(
        "--out", metavar="DIR", help="where --dry-run writes it (the repository's name if left out)"
    )
    parser.add_argument("--yes", action="store_true", help="send without asking")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_push)


def add_pull(parser: Any) -> None:
    """Give `ligero pull` its flags."""
    parser.add_argument("repository", metavar="OWNER/NAME", help="a model on the hub")
    parser.add_argument("--revision", metavar="NAME", help="a branch, a tag or a commit")
    parser.add_argument(
        "--out", metavar="DIR", help="the folder (the repository's name if left out)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_pull)


def _push(chosen: argparse.Namespace) -> None:
    if chosen.out and not chosen.dry_run:
        raise InputError(f"--out {chosen.out}", expected="--dry-run with it")
    flags.need(_HUB, "train")
    from ligero.share import push

    name = chosen.repository.rpartition("/")[2]
    out = Path(chosen.out or name) if chosen.dry_run else None
    with push.packed(
        chosen.model, chosen.repository, licence=chosen.license, export=chosen.export,
        with_export=not chosen.no_export, out=out,
    ) as parcel:  # fmt: skip
        if out:
            made = {
                "folder": str(out), "licence": parcel.licence, "files": parcel.files,
                "deleted": push.LEFT,
            }  # fmt: skip
            print(json.dumps(made) if chosen.json else f"{push.contents(parcel)}\n{out}: not sent")
            return
        done = push.send(
            parcel, private=chosen.private, revision=chosen.revision or push.MAIN,
            agreed=lambda question: _agreed(question, chosen.yes),
        )  # fmt: skip
    if done is None:
        print("not sent")
    elif chosen.json:
        print(json.dumps(done))
    else:
        print(f"{done['url']}: commit {done['commit']}, {done['files']} files")


def _agreed(question: str, yes: bool) -> bool:
    """Say what is about to go where; whether it may."""
    print(question, file=sys.stderr)
    if yes:
        return True
    if not sys.stdin.isatty():
        raise InputError("nobody to ask whether to send this", expected="--yes, or a terminal")
    print("send it? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "s", "sí", "si")


def _pull(chosen: argparse.Namespace) -> None:
    flags.need(_HUB, "train")
    from ligero.share import pull
    from ligero.share.wire import shown

    out = Path(chosen.out) if chosen.out else None
    found = pull.pull(chosen.repository, chosen.revision, out)
    if chosen.json:
        # In ASCII: a card may hold what a terminal obeys, or cannot write.
        print(json.dumps(found))
        return
    for name, why in found["left"].items():
        print(f"left out: {shown(name)} ({why})")
    print(f"licence: {shown(found['licence'] or 'none stated')}")
    for name in found["datasets"]:
        print(f"trained on: {shown(name)}")
    if "warning" in found:
        print(shown(found["warning"]))
    folder = found["folder"]
    print(f"{folder}: {found['files']} files, {found['bytes']:,} bytes, commit {found['commit']}")
    if found["model"]:
        print(f'try: ligero predict {folder} "texto"')
    if found["export"]:
        print(f'faster: ligero predict {folder}/export "texto"')
