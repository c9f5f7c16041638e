"""The files that the house's rules are about: what git tracks, or would track."""

import subprocess
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("callcenter", "acd", "ivr", "tickets")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the work tree that is not ignored, relative to the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    ).stdout.decode()
    return tuple(Path(name) for name in sorted(set(listed.split("\0"))) if name and (REPOSITORY / name).is_file())


def python_files(*roots: str) -> list[Path]:
    """The Python files below `roots`, all without one."""
    return [path for path in tracked() if path.suffix == ".py" and (not roots or path.parts[0] in roots)]


def text_of(path: Path) -> str:
    return (REPOSITORY / path).read_text(encoding="utf-8")
