"""Where a checkpoint is: a local folder, or a repository of the Hugging Face hub. Without torch.

Only safetensors weights are fetched or accepted. PyTorch's older `.bin` and the like are pickles,
which run code when opened, so they are refused unopened.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ligero.errors import InputError, excerpt
from ligero.hub import TIMEOUT, bars, is_network, told
from ligero.runs import MANIFEST, digest, is_published, sha256, verify

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
CONFIG = "config.json"
_WANTED = ("*.json", "*.safetensors", "*.txt", "*.model")
# Folders inside a repository hold other formats and old checkpoints.
_UNWANTED = ("*/*",)
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib")
_HUB_ID = re.compile(r"([\w.-]+/[\w.-]+)(?:@(\S+))?")


def locate(reference: str | Path) -> Path:
    """The local folder of a checkpoint, downloaded into the hub's own cache when it is not here.

    reference: a folder, or `owner/name`, or `owner/name@revision` (branch, tag, commit, or
        `refs/pr/1`). An existing folder wins and touches no network. A hub folder's name is the
        commit it holds.

    Raises InputError when there is no such folder or repository, when it needs a permission, or
    when it is not a checkpoint that `check` accepts; DamagedError for a folder that ligero
    wrote and that no longer is what it wrote; LigeroError when the hub cannot be reached and
    the cache does not have it.
    """
    folder = Path(reference).expanduser()
    if folder.is_dir():
        if is_published(folder):
            verify(folder)
        check(folder)
        return folder.resolve()
    if folder.exists():
        raise InputError("a file", file=folder, expected="the folder of a checkpoint")
    matched = _HUB_ID.fullmatch(str(reference))
    if matched is None or str(reference).startswith("."):
        raise InputError(
            f"no folder {excerpt(str(reference))}",
            expected="a folder, a hub repository such as owner/name or owner/name@revision",
        )
    fetched = _fetch(*matched.groups())
    check(fetched)
    return fetched


def check(folder: Path) -> None:
    """Accepts a folder with a readable `config.json` and whole safetensors weights.

    Reads headers, not weights: a cut or foreign file is found by its header and length.

    Raises InputError, one line, for anything else.
    """
    if not folder.is_dir():
        raise InputError("no such folder", file=folder)
    read_json(folder / CONFIG)
    for file in _weight_files(folder):
        _check_weights(file)


def fingerprint(folder: Path) -> str:
    """SHA-256 over the files that make a checkpoint what it is, whatever the folder is called."""
    wanted = sorted({path for pattern in _WANTED for path in folder.glob(pattern)})
    return digest({path.name: sha256(path) for path in wanted if path.name != MANIFEST})


def read_json(file: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises InputError when it is missing or is not one."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"no {file.name}", file=file.parent, expected="a checkpoint") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"no valid JSON ({error})", file=file) from None
    if not isinstance(value, dict):
        raise InputError(f"a JSON {type(value).__name__}", file=file, expected="a JSON object")
    return value


def _weight_files(folder: Path) -> list[Path]:
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if not (folder / INDEX).is_file():
        _refuse(str(folder), [file.name for file in folder.iterdir()])
    shards = read_json(folder / INDEX).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise InputError("no weight_map", file=folder / INDEX)
    for name in shards.values():
        # A name with a folder in it would read outside the checkpoint.
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(WEIGHTS[5:]):
            raise InputError(
                f"shard {excerpt(str(name))}",
                file=folder / INDEX,
                expected="a .safetensors file beside it",
            )
    files = [folder / name for name in sorted(set(shards.values()))]
    lacking = [file.name for file in files if not file.is_file()]
    if lacking:
        raise InputError(f"{len(lacking)} shards missing, {lacking[0]} first", file=folder / INDEX)
    return files


def _refuse(where: str, names: Iterable[str], advice: str = "") -> None:
    """Raises the error for a place without safetensors weights."""
    pickles = sorted(name for name in names if name.lower().endswith(_PICKLES))
    if pickles:
        raise InputError(
            f"{where}: found only {pickles[0]}, weights in pickle format, refused unopened "
            f"because opening one can run code; expected {WEIGHTS}"
            + (
                advice
                or "; to convert a file you trust, load it with transformers and call "
                "save_pretrained"
            )
        )
    raise InputError(f"{where}: found no {WEIGHTS}; expected a checkpoint in safetensors format")


def _check_weights(file: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as tensors:
            names = list(tensors.keys())
    except (SafetensorError, OSError, ValueError) as error:
        size = file.stat().st_size
        raise InputError(
            f"{size} bytes that are not whole safetensors weights ({error})",
            file=file,
            expected="the complete file",
        ) from None
    if not names:
        raise InputError("no weights inside", file=file)


def _fetch(repository: str, revision: str | None) -> Path:
    from huggingface_hub import HfApi, snapshot_download

    named = f"{repository}@{revision}" if revision else repository
    reached = True
    with told(repository, revision, named=named, what="model", missing="no folder"):
        try:
            listing = HfApi().model_info(repository, revision=revision, timeout=TIMEOUT)
            _refuse_on_hub(repository, named, [file.rfilename for file in listing.siblings or ()])
        except Exception as error:
            if not is_network(error):
                raise
            reached = False
        with bars():
            return Path(
                snapshot_download(
                    repository,
                    revision=revision,
                    allow_patterns=list(_WANTED),
                    ignore_patterns=list(_UNWANTED),
                    local_files_only=not reached,
                )
            )


def _refuse_on_hub(repository: str, named: str, names: list[str]) -> None:
    top = [name for name in names if "/" not in name]
    if CONFIG not in top:
        raise InputError(f"{named}: found no {CONFIG}; expected the repository of an encoder")
    if WEIGHTS not in top and INDEX not in top:
        # The hub's converter opens a pull request. It is not the owner's word, so a person chooses.
        _refuse(
            named,
            top,
            f"; the hub's converter may have left one in a pull request: try {repository}@refs/pr/1"
            " or https://huggingface.co/spaces/safetensors/convert",
        )
