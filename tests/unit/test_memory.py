"""What a training leaves behind in a process that trains many."""

import gc
import re
import weakref
from pathlib import Path

import pytest

from ligero.config import PoolConfig
from ligero.tasks import kinds
from ligero.train import loop
from ligero.train.unlabelled import Pool, Unlabelled

STATUS = Path("/proc/self/status")


class Student:
    """Stands for a model, which reads examples."""

    def features(self, examples):
        return list(examples)


def test_a_pool_keeps_neither_model_nor_examples_alive():
    read, student = kinds.find("classify").read, Student()
    source = Unlabelled([read(f"Frase {n}.") for n in range(9)], PoolConfig())
    pool = Pool(source, lambda some: [{} for _ in some], student.features)
    assert len(pool.take(0, 4)[0]) == 4
    kept = [weakref.ref(each) for each in (pool, student, source)]
    gc.disable()
    try:
        del pool, student, source
        # At once, and not when Python next looks for cycles, which may be some trainings later.
        assert [each() for each in kept] == [None] * 3
    finally:
        gc.enable()


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells")
def test_a_training_begins_without_what_an_earlier_one_has_freed():
    def resident():
        return int(re.search(r"VmRSS:\s*(\d+)", STATUS.read_text())[1]) // 1024

    loop.prepare()
    before = resident()
    pieces = [bytes(2000) for _ in range(100_000)]
    # The last one lies above all the others, so that the heap does not end before it.
    last = pieces.pop()
    pieces.clear()
    assert resident() - before > 150
    loop.prepare()
    assert resident() - before < 50 and len(last) == 2000
