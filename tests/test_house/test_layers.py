"""The contracts on imports hold, cover every machine, and fail when they are broken."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.test_house.tree import PACKAGES, REPOSITORY, python_files, text_of

IMPURE = {"asyncio", "time", "random", "secrets", "threading", "socket", "logging"}
IMPURE |= {"sqlalchemy", "redis", "celery", "fastapi", "uvloop"}

# A file, what is written into it, and the contract that must say no.
BREACHES = [
    ("callcenter/kernel/breach.py", "import callcenter.calls.ports\n", "layers"),
    ("acd/breach.py", "import ivr.model\n", "layers"),
    ("callcenter/calls/breach.py", "import callcenter.reporting.tables\n", "layers"),
    ("callcenter/director/breach.py", "import callcenter.sip.message\n", "layers"),
    ("callcenter/sip/breach.py", "import callcenter.media.protocol\n", "layers"),
    ("acd/machines/breach.py", "import random\n", "purity"),
    ("callcenter/calls/machines/breach.py", "from time import monotonic\n", "purity"),
    ("ivr/machines/breach.py", "import callcenter.kernel.clock\n", "purity"),
    ("acd/laboratory/breach.py", "import random\n", "laboratory"),
    ("callcenter/app/start.py", "import fastapi\n", "supervisor"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages in a folder of their own, to be broken."""
    folder = tmp_path_factory.mktemp("house")
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    return folder


def test_contracts_hold(copy: Path) -> None:
    code, told = _lint(copy)
    assert code == 0, told


@pytest.mark.parametrize(("name", "line", "contract"), BREACHES, ids=[breach[0] for breach in BREACHES])
def test_breach_fails_the_build(copy: Path, name: str, line: str, contract: str) -> None:
    file = copy / name
    before = file.read_text(encoding="utf-8") if file.exists() else None
    file.write_text((before or "") + line, encoding="utf-8")
    try:
        code, told = _lint(copy)
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_text(before, encoding="utf-8")
    assert code != 0
    assert f"{contract}:" in told[told.index("Broken contracts") :]


def test_every_machine_and_policy_module_is_under_the_purity_contract() -> None:
    contracts = tomllib.loads(text_of(Path("pyproject.toml")))["tool"]["importlinter"]["contracts"]
    sources = next(one["source_modules"] for one in contracts if one["name"].startswith("purity"))
    covered = {source.replace("callcenter.*.", "") for source in sources}
    for path in _pure_files():
        parts = path.with_suffix("").parts
        at = next(number for number, part in enumerate(parts) if part in ("machines", "policies"))
        name = parts[at] if parts[0] == "callcenter" and at == 2 else ".".join(parts[: at + 1])
        assert name in covered, f"{path} is not held to the purity contract"


def test_no_machine_or_policy_imports_what_acts() -> None:
    found = [f"{path}: {name}" for path in _pure_files() for name in _imports(path) if name in IMPURE]
    assert not found


def _pure_files() -> list[Path]:
    pure = {"machines", "policies"}
    return [path for path in python_files(*PACKAGES) if pure & {path.stem, *path.parts[:-1]}]


def _imports(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.Import):
            names += [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module.partition(".")[0])
    return names


def _lint(folder: Path) -> tuple[int, str]:
    # The folder comes first on the path, before the package as it is installed.
    environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
