"""The documents agree with the tree."""

import re
from pathlib import Path

from callcenter.app.settings import Settings, keys_of
from tests.test_house.tree import PACKAGES, text_of, tracked


def test_every_setting_is_documented_and_nothing_else() -> None:
    table = [line for line in text_of(Path("docs/settings.md")).splitlines() if line.startswith("| `")]
    documented = {key for line in table for key in re.findall(r"`([a-z_.0-9]+)`", line.split("|")[1])}
    assert documented == set(keys_of(Settings))


def test_every_folder_of_the_packages_is_in_the_directory() -> None:
    listed = set(re.findall(r"^\| `([a-z_./]+)/`", text_of(Path("docs/directory.md")), flags=re.MULTILINE))
    folders = {path.parts[0] for path in tracked() if len(path.parts) > 1}
    folders |= {
        "/".join(path.parts[:2]) for path in tracked() if path.parts[0] == "callcenter" and len(path.parts) > 2
    }
    assert folders - {"callcenter"} <= listed
    assert {name for name in listed if name.split("/")[0] in PACKAGES} <= folders


def test_every_link_between_documents_leads_somewhere() -> None:
    names = {str(path) for path in tracked()}
    folders = {str(parent) for path in tracked() for parent in path.parents}
    broken = []
    for path in tracked():
        if path.suffix == ".md" and path.parts[0] != "agent_ui":
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text_of(path)):
                joined = (path.parent / target).as_posix().rstrip("/")
                if joined not in names | folders:
                    broken.append(f"{path}: {target}")
    assert not broken


def test_every_decision_record_fits_on_a_page() -> None:
    records = [path for path in tracked() if path.parts[:2] == ("docs", "adr")]
    assert len(records) >= 6
    assert all(text_of(path).count("\n") <= 60 for path in records)
