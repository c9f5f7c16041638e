"""Where the shared test material lies: beside the checkout, or nowhere (a stranger's clone)."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"


def shared_path(relative: str) -> Path:
    """The path of `relative` below ../shared; skips the test where that folder is missing."""
    if not SHARED.is_dir():
        pytest.skip("the shared test material (../shared) is not here")
    path = SHARED / relative
    assert path.exists(), f"../shared is there but lacks {relative}"
    return path
