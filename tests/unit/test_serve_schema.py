"""The server keeps to what its OpenAPI document promises, whatever is sent."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis import GenerationMode

from ligero.serve import serving

CALM = settings(
    max_examples=6, deadline=None, derandomize=True, database=None,
    phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture(scope="module")
def schema(exports):
    folders = [exports[kind] for kind in ("tag", "classify", "answer")]
    with serving(folders, threads=1, default="tag") as served:
        yield schemathesis.openapi.from_url(f"{served.url}/openapi.json")


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_answers_are_as_promised(schema, mode):
    asked = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and operation.method == "get":
            continue  # there is nothing in it that could be wrong

        @CALM
        @given(case=operation.as_strategy(generation_mode=mode))
        def holds(case):
            if mode is GenerationMode.POSITIVE:
                # One millisecond is no time: 504 is what was asked for then.
                case.headers.pop("X-Timeout-Ms", None)
                if isinstance(case.body, dict) and isinstance(case.body.get("second"), list):
                    # What no schema can say: one for each.
                    assume(len(case.body["second"]) == len(case.body["texts"]))
            case.call_and_validate()

        holds()
        asked.add(operation.label)
    told = {"POST /", "POST /predict", "POST /models/answer", "POST /predict/classify"}
    assert told <= asked
