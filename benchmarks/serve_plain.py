"""What `ligero serve` is measured against: transformers' pipeline behind FastAPI, as its users write it.

    MODEL=runs/tasks/ner-conll2002/model python benchmarks/serve_plain.py 8001

The pipeline is made once, torch has two threads, and the endpoint is a plain function, which FastAPI runs
in threads of its own. VARIANT says what else is done (`VARIANTS`): what a user may come to think of to make
it faster without writing a server. TASK is a pipeline's, token-classification where it is left out.
"""

import os
import sys
import threading
from contextlib import nullcontext
from typing import Any

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

# Variant -> (precision, whether texts are read one after another, attention). All threads of FastAPI reading
# at once share the processors; one at a time leaves each text all of them.
VARIANTS = {
    "plain": (torch.float32, False, None),
    "bf16": (torch.bfloat16, False, "sdpa"),
    "one at a time": (torch.float32, True, "sdpa"),
    "one at a time, bf16": (torch.bfloat16, True, "sdpa"),
}


class Asked(BaseModel):
    """A body, in the form of Hugging Face's inference."""

    inputs: str


def application(folder: str, variant: str) -> FastAPI:
    """The whole server."""
    precision, alone, attention = VARIANTS[variant]
    torch.set_num_threads(2)
    more = {"attn_implementation": attention} if attention else {}
    model = AutoModelForTokenClassification.from_pretrained(folder, dtype=precision, **more)
    # "first", as the model was trained and as ligero reads: "simple" would cut words where sub-words end.
    read: Any = pipeline(
        "token-classification", model=model, tokenizer=AutoTokenizer.from_pretrained(folder),
        aggregation_strategy="first",
    )  # fmt: skip
    lock = threading.Lock() if alone else nullcontext()
    app = FastAPI()

    @app.post("/")
    def predict(asked: Asked) -> list[dict[str, Any]]:
        with lock, torch.inference_mode():
            found = read(asked.inputs)
        return [{**one, "score": float(one["score"])} for one in found]

    return app


if __name__ == "__main__":
    made = application(os.environ["MODEL"], os.environ.get("VARIANT", "plain"))
    uvicorn.run(made, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
