"""Folders as `ligero compress`, `ligero suite` and `ligero export` leave them, for the frontier's tests."""

import json

from ligero import runs

CONVENTIONS = {"ligero": ["accuracy", "macro_f1"], "paper": ["chunk_f1"]}


def row(model, score, **more):
    return {
        "model": model,
        "parameters": 2_000_000,
        "dev": {"accuracy": score},
        "test": {"accuracy": score, "chunk_f1": score - 1, "loss": 1.0},
        "interval": {"accuracy": [score - 2, score + 2]},
        "seconds_per_1000": 2.5,
        **more,
    }


def results(task="pos-ancora", **models):
    return {
        "task": task, "metric": "accuracy", "conventions": CONVENTIONS, "scored": "test",
        "models": models,
    }  # fmt: skip


def run(folder, command, found, *, config=None, data="d"):
    """A finished run; config: that of the model it saved."""
    folder.mkdir(parents=True)
    begun = {"ligero": "0", "command": command, "identity": {"content": data}}
    runs.write_json(folder / "config.json", begun)
    if config:
        (folder / "model").mkdir()
        runs.write_json(folder / "model" / "config.json", config)
    runs.write_json(folder / "results.json", found)
    runs.write_manifest(folder)
    return folder


def export(folder, points, *, of="pos-ancora", **changes):
    """An exported folder; nothing runs it but a made-up engine."""
    card = {
        "name": folder.name, "kind": "tag", "labels": ["A", "B"], "window": 128, "pad_id": 1,
        "inputs": ["input_ids", "attention_mask"], "format": "openvino", "precision": "int8",
        "buckets": [16, 32, 64], "entries": 50,
        "task": {"name": of, "metric": "accuracy", "split": "test",
                 "lengths": {"p50": 10, "p95": 20}},
        "model": {"family": "modernbert", "config": {
            "hidden_size": 192, "intermediate_size": 384, "num_hidden_layers": 2}, "parameters": 7},
        "score": {"original": points + 0.1, "exported": points, "interval": [points - 1, points + 1]},
        "bytes": 3_000_000,
    } | changes  # fmt: skip
    with runs.publish(folder) as place:
        (place / "export.json").write_text(json.dumps(card))
    return folder
