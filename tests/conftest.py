"""What several tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the real data sets; the test is skipped where they are not at hand."""
    folder = os.environ.get("LIGERO_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("real data are not at hand: LIGERO_DATA names no folder")
    return Path(folder)
