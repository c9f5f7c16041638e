"""A supervisor tries other rules on a day of an imported log: in Chromium, by keyboard, while the server runs."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.house import OWN_RTP_PORTS, House, files
from tests.e2e.test_browser import EACH_ONCE, desk, look
from tests.support.bank import HEADER, LOST, row
from tests.support.browser import Browser
from tests.support.server import Server

pytestmark = pytest.mark.e2e

LEFT = row(vru_entry="9:01:00", vru_exit="9:01:10", q_start="9:01:10", q_exit="9:01:40", **LOST)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Has a log of three calls of two types."""
    folder = tmp_path_factory.mktemp("laboratory")
    server = Server(folder, files(OWN_RTP_PORTS))
    log = folder / "log.tsv"
    log.write_text("\n".join([HEADER, row(), row(type="NW", priority="2", server="BOB"), LEFT]))
    with server:
        take_in(server, log)
        house = House(server, folder, OWN_RTP_PORTS)
        yield house
        house.close()
        assert server.tracebacks() == []


def take_in(server: Server, log: Path) -> None:
    words = ["calls", "import", str(log), "--format", "technion", "--zone", "Asia/Jerusalem"]
    folders = ["--config", str(server.config), "--data", str(server.data)]
    subprocess.run([sys.executable, "-m", "callcenter", *words, *folders], check=True, capture_output=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser
        assert browser.surprises == []


def test_a_supervisor_tries_other_staffing_by_keyboard(site: House, browser: Browser) -> None:
    with desk(site, browser, "sue") as page:
        page.go("laboratory")
        page.sees("Try other rules or other staffing", "1999-02-03 (3 calls)")
        look(page, "laboratory-form", EACH_ONCE)
        page.tab_to("Agents more or fewer")
        page.write("1")
        page.tab_to("Run")
        page.press("Enter")
        page.sees("1999-02-03: done", within_s=60)
        page.sees("Result: 1999-02-03", "As it is", "What is assumed")
        look(page, "laboratory-result", EACH_ONCE)
        figures = page.evaluate("document.querySelectorAll('svg[role=img]').length")
        rows = page.evaluate("document.querySelectorAll('table')[0].tBodies[0].rows.length")
        assert figures == rows == 5
