"""The consoles as people use them: Chromium, by keyboard, on the real server with real phones and callers.

Each state of the desk is looked at in both languages, both themes and both sizes: axe finds nothing, and nothing is
cut off. With TEST_PICTURES=FOLDER each look is kept there.
"""

import contextlib
import itertools
import os
import signal
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from tests.e2e.house import OWN_RTP_PORTS, QUEUE, House, files
from tests.support.ageing import grow_old
from tests.support.browser import SIZES, Browser, Page
from tests.support.scenario import Sound, caller, phone
from tests.support.server import Document, Server, eventually
from tests.support.sipp import Sipp

pytestmark = pytest.mark.e2e

Way = tuple[tuple[int, int], str, str]
EVERY_WAY: tuple[Way, ...] = tuple(itertools.product(SIZES, ("en", "zh"), ("light", "dark")))
# Each size with each language and each theme, but not all three with each other.
EACH_ONCE = (EVERY_WAY[0], EVERY_WAY[3], EVERY_WAY[5], EVERY_WAY[6])
SCREEN_QUEUE = "450"
DISPOSITIONS = [
    {"code": "resolved", "names": {"en": "Resolved", "zh": "已解决"}},
    {"code": "sold", "names": {"en": "Sold", "zh": "已成交"}},
]
POLICY = {
    "name": "standard",
    "calendar": "always",
    "first_response": {"targets": {"normal": 60, "high": 60}, "escalation": {"raise_to": "high"}},
    "resolution": {"targets": {"normal": 2400, "high": 960}, "pausing": ["pending"]},
}
WAITING = (
    "[...document.querySelectorAll('dl div')].some((one) => one.querySelector('dt').textContent === 'Waiting'"
    " && one.querySelector('dd').textContent === '{}')"
)
ALWAYS = {"zone": "UTC", "weekly": {"mon-sun": ["00:00-24:00"]}}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """anna's phone rings at once, cleo accepts on the screen; both have time after a call."""
    folder = tmp_path_factory.mktemp("browser")
    documents = files(OWN_RTP_PORTS)
    queue = {"music": "music", "ring_s": 60, "wrap_up_s": 120, "record": True}
    documents.queues = [{"name": name, "skills": {name: 1}, **queue} for name in ("billing", "desk")]
    documents.queues[1]["wrap_up"] = "optional"
    # Nobody calls it: its name is a long word that must fit.
    documents.queues.append({"name": "sales_chinese", "skills": {"billing": 1}, **queue})
    documents.agents = [
        {"id": "anna", "name": "Anna", "user": "anna", "phone": "anna", "skills": {"billing": 3}},
        {"id": "cleo", "name": "Cleo", "user": "cleo", "phone": "cleo", "skills": {"desk": 3}, "delivery": "console"},
    ]
    for name, number in (("billing", QUEUE), ("desk", SCREEN_QUEUE)):
        documents.flows[name] = _greeted(name)
        documents.trunks[0]["numbers"][number] = name
    server = Server(folder, documents)
    _add(server.config / "queues.yaml", dispositions=DISPOSITIONS)
    _add(server.config / "tickets.yaml", policies=[POLICY], default="standard", categories={"complaint": "standard"})
    _add(server.config / "calendars" / "always.yaml", **ALWAYS)
    with server:
        house = House(server, folder, OWN_RTP_PORTS)
        bring_in(house, "Maria Rossi,ACME Trading and Logistics,+39061000901,maria@example.com,it\n")
        yield house
        assert house.client("sue").get("/api/status").json()["surprises"] == 0
        house.close()
        assert server.tracebacks() == []


def _greeted(queue: str) -> Document:
    """The greeting gives the look-up its time: the pop then comes with the record."""
    hello = {"kind": "play", "prompts": ["call-recorded"], "next": "wait"}
    waiting = {"kind": "queue", "queue": queue, "music": ["music"]}
    after = {"next": "end", "on_timeout": "end", "on_full": "end"}
    nodes = {"hello": hello, "wait": {**waiting, **after}, "end": {"kind": "hangup"}}
    return {"language": "en", "start": "hello", "on_error": "end", "nodes": nodes}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser
        assert browser.surprises == []


def _add(path: Path, **keys: object) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(yaml.safe_dump({**document, **keys}, allow_unicode=True), encoding="utf-8")


def bring_in(house: House, rows: str) -> None:
    text = ("name,company,numbers,email,language\n" + rows).encode()
    answer = house.client("sue").post("/api/customers/import", content=text, headers={"Content-Type": "text/csv"})
    assert answer.json()["created"] == rows.count("\n")


@contextlib.contextmanager
def desk(house: House, browser: Browser, login: str) -> Iterator[Page]:
    """`login` at the console, signed in with keys."""
    with browser.page(f"http://127.0.0.1:{house.server.http}/") as page:
        page.sees("Sign in")
        page.sign_in(login, house.user_password(login))
        yield page


def look(page: Page, state: str, ways: Sequence[Way] = EVERY_WAY) -> None:
    """Nothing is wrong with `state`, however it is shown."""
    found: list[str] = []
    for size, language, theme in ways:
        page.resize(size)
        page.show(language=language, theme=theme)
        name = f"{state}-{size[0]}-{language}-{theme}"
        page.picture(name)
        found += [f"{name}: {each}" for each in (*page.violations(), *page.clipped())]
    page.resize(SIZES[0])
    page.show(language="en", theme="light")
    assert found == []


def ticket_of(house: House, contact: str) -> Document:
    listed = house.client("sue").get("/api/tickets", params={"contact": contact}).json()["tickets"]
    assert len(listed) == 1
    ticket: Document = listed[0]
    return ticket


def rings(house: House, number: str, service: str) -> Sipp:
    """A customer who talks until somebody ends it."""
    return house.caller(caller(Sound(), number=number, hangs_up=False), service).start()


def test_an_agent_works_a_call_through_by_keyboard(site: House, browser: Browser) -> None:
    with desk(site, browser, "anna") as page, site.baresip("anna") as telephone:
        page.sees("My state", "Signed out of the queues")
        look(page, "idle")
        page.act("a")
        page.sees("Available", "for 0:0")
        page.tab_to("My desk")
        customer = rings(site, "+39061000901", QUEUE)
        telephone.wait_for("CALL_INCOMING", within_s=20)
        # What the ear is told is there by now, and the hands are where they were.
        page.sees("Your phone is ringing")
        assert page.announced == "Incoming call: Maria Rossi, queue billing, number +39061000901"
        assert page.focus == "My desk"
        page.sees("Your phone is ringing", "ACME Trading and Logistics", "maria@example.com", "Before")
        look(page, "ringing")
        assert page.focus == "My desk"
        telephone.accept()
        page.sees("On the line")
        page.act("h")
        page.sees("On hold: the caller hears music")
        page.act("h")
        page.sees("On the line", "Hold")
        _open_ticket(page, "Invoice is wrong")
        look(page, "talking")
        _reload_in_a_call(page)
        page.act("e")
        page.sees("Wrap-up", "How did it end?")
        customer.wait()
        look(page, "wrap-up")
        _kill_in_wrap_up(site, page)
        page.press("1")
        page.wait_for("document.querySelector('input[name=disposition]:checked')?.value === 'resolved'")
        page.act("w")
        page.sees("No call. The next one appears here")
        site.becomes("anna", "available")
        page.act("n")
        site.becomes("anna", "not_ready")
    _is_recorded(site, "+39061000901", agent="anna", queue="billing", disposition="resolved")


def _open_ticket(page: Page, subject: str) -> None:
    page.act("k")
    page.wait_for("document.activeElement?.closest('form')?.getAttribute('aria-labelledby') === 'ticket'")
    page.write(subject)
    page.press("Enter")
    page.wait_for("/^Ticket [0-9]+ opened$/.test(document.querySelector('.opened')?.textContent ?? '')")
    page.wait_for("!document.activeElement?.closest('form')")


def _reload_in_a_call(page: Page) -> None:
    """Nothing of the call is lost with the page, and nothing is announced that is no news."""
    page.reload()
    page.sees("On the line", "Maria Rossi", "maria@example.com", "Invoice is wrong")
    assert page.announced == ""


def _kill_in_wrap_up(site: House, page: Page) -> None:
    """The record is there again after the server has lost everything that it had not written."""
    pid, epoch = site.server.application()
    os.kill(pid, signal.SIGKILL)
    site.server.wait_ready(after_epoch=epoch)
    page.sees("Connected", "Wrap-up", "How did it end?", "maria@example.com", within_s=20)


def _is_recorded(site: House, number: str, *, agent: str, queue: str, disposition: str) -> None:
    said = f"the record of {number} says {disposition}"
    eventually(said, lambda: site.record(number)["disposition"] == disposition)
    record = site.record(number)
    assert (record["queue"], record["agent"]) == (queue, agent)
    assert record["wait_ms"] is not None
    ticket = ticket_of(site, record["contact"])
    assert [one["number"] for one in record["tickets"]] == [ticket["number"]]
    assert (ticket["assignee"], ticket["queue"], ticket["customer"]) == (agent, queue, record["customer"])
    assert record["customer"] is not None


def test_an_agent_who_accepts_on_the_screen_is_rung_only_then(site: House, browser: Browser) -> None:
    bring_in(site, "Nora Neri,,+39061000902,,\n")
    with desk(site, browser, "cleo") as page, site.phone("cleo", phone(Sound(), ring_ms=200)) as telephone:
        page.act("a")
        site.becomes("cleo", "available")
        customer = rings(site, "+39061000902", SCREEN_QUEUE)
        page.sees("A call for you", "Nora Neri", within_s=20)
        assert page.announced.startswith("Incoming call: Nora Neri")
        look(page, "offered")
        assert "INVITE" not in telephone.messages()
        page.act("y")
        page.sees("On the line")
        _open_ticket(page, "Wants a quotation")
        page.act("x")
        page.sees("After this call you have time to wrap up.")
        look(page, "asked", EACH_ONCE)
        page.act("e")
        page.sees("Finish wrap-up")
        # Pressed in one go; the disposition is not lost.
        page.press("2", "w")
        site.becomes("cleo", "available")
        page.act("n")
        site.becomes("cleo", "not_ready")
        customer.wait()
        telephone.wait()
    _is_recorded(site, "+39061000902", agent="cleo", queue="desk", disposition="sold")


def test_a_sign_in_may_end_the_others(site: House, browser: Browser) -> None:
    with desk(site, browser, "quinn") as first, browser.page(f"http://127.0.0.1:{site.server.http}/") as second:
        second.sees("Sign in")
        second.tab_to("Sign me out everywhere else")
        second.press(" ")
        second.evaluate("document.querySelector('[name=login]').focus()")
        second.sign_in("quinn", site.user_password("quinn"))
        first.sees("Password")
        second.sees("Calls found")


def test_a_lost_connection_is_said_and_found_again(site: House, browser: Browser) -> None:
    with desk(site, browser, "anna") as page:
        page.connect(offline=True)
        pid, epoch = site.server.application()
        os.kill(pid, signal.SIGKILL)
        page.sees("Connection lost, trying again", "The connection is lost.")
        look(page, "lost")
        site.server.wait_ready(after_epoch=epoch)
        # While it is offline: else it may find the connection by itself, and the button is gone.
        page.tab_to("Try now")
        page.connect(offline=False)
        page.press("Enter")
        page.sees("Connected", within_s=30)
        assert "The connection is lost." not in page.text


def test_a_supervisor_sees_who_waits_and_sends_an_agent_to_work(site: House, browser: Browser) -> None:
    talks = phone(Sound(), ring_ms=300, hangs_up=True)
    with site.phone("anna", talks, talk_ms=500) as telephone, desk(site, browser, "sue") as page:
        page.sees("Queues", "billing", "Anna")
        customer = rings(site, site.number(), QUEUE)
        page.wait_for(WAITING.format(1), within_s=20)
        look(page, "live", EACH_ONCE)
        assert page.evaluate("document.querySelector('header').offsetHeight") < 70, "the top bar is one line"
        page.tab_to("Change the state of Anna")
        page.press("a")
        telephone.wait()
        customer.wait()
        page.wait_for(WAITING.format(0))
        page.sees("Wrap-up")
    site.set_state("anna", "not_ready")


def test_a_reviewer_finds_a_call_and_hears_it(site: House, browser: Browser) -> None:
    _has_rung(site, "+39061000905", disposition="resolved")
    with desk(site, browser, "quinn") as page:
        page.go("calls")
        page.sees("Calls found")
        page.tab_to("Caller")
        page.write("06 1000905")
        page.press("Enter")
        page.wait_for("document.querySelectorAll('tbody tr').length === 1")
        page.tab_to("Details")
        page.press("Enter")
        page.sees("Recording 1", "Resolved", "Way through the flow")
        page.wait_for("Number(document.querySelector('audio')?.duration) > 0")
        look(page, "call", EACH_ONCE)
        page.tab_to("Play")
        page.press("Enter")
        page.wait_for("document.querySelector('audio').currentTime > 0")


def _has_rung(site: House, number: str, *, disposition: str) -> None:
    """A call of `number` that anna took and wrapped up, recorded."""
    with site.phone("anna", phone(Sound(), ring_ms=300, hangs_up=True), talk_ms=1000) as telephone:
        site.set_state("anna", "available")
        customer = rings(site, number, QUEUE)
        telephone.wait()
        customer.wait()
    site.becomes("anna", "wrap_up")
    anna = site.client("anna")
    anna.post("/api/agents/me/wrap-up", json={"disposition": disposition, "finish": True}).raise_for_status()
    site.set_state("anna", "not_ready")
    eventually("the record", lambda: site.record(number)["recordings"])


def test_a_ticket_is_worked_through_by_keyboard_and_says_that_it_is_overdue(site: House, browser: Browser) -> None:
    anna = site.client("anna")
    wish = {"subject": "Router does not start", "text": "Called twice", "assignee": "anna", "category": "complaint"}
    ticket = anna.post("/api/tickets", json=wish).json()["id"]
    with desk(site, browser, "anna") as page:
        page.tab_to("Tickets")
        page.press("Enter")
        page.sees("Router does not start", "Complaint")
        look(page, "tickets", EACH_ONCE)
        page.tab_to("Router does not start")
        page.press("Enter")
        page.sees("Called twice", "First response", "Explain")
        page.tab_to("Explain")
        page.press("Enter")
        page.sees("counted")
        grow_old(site.server, timedelta(hours=2))
        anna.post(f"/api/tickets/{ticket}/messages", json={"kind": "internal_note", "text": "Rings again."})
        page.sees("First response was due", "Rings again.", "High")
        look(page, "ticket", EACH_ONCE)
        page.tab_to("Put away")
        page.press("Enter")
        page.wait_for("!document.body.innerText.includes('First response was due')")
        page.evaluate("document.querySelector('textarea').focus()")
        page.write("A new one is on its way.")
        page.tab_to("Send reply")
        page.press("Enter")
        page.sees("A new one is on its way.", "of 1:00:00 business time · ended")
        page.evaluate("document.querySelector('fieldset select').focus()")
        page.press("r")
        page.tab_to("Save")
        page.press("Enter")
        page.sees("Saved")
    assert anna.get(f"/api/tickets/{ticket}").json()["ticket"]["status"] == "resolved"


def test_a_file_of_customers_is_looked_at_before_it_is_brought_in(
    site: House, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "customers.csv"
    rows = ("Olga Orso,06 1000903,cleo", ",06 1000904,", "Pia Poli,not a number,", "Ugo Urso,,zoe")
    file.write_text("\n".join(("name,numbers,owner", *rows, "")), encoding="utf-8")
    with desk(site, browser, "sue") as page:
        page.tab_to("Customers")
        page.press("Enter")
        page.tab_to("Import a file")
        page.press("Enter")
        page.sees("Import customers")
        page.choose_file("input[type=file]", file)
        page.tab_to("Preview")
        page.press("Enter")
        page.sees("Would create 1 and change 0 customers; 3 rows would not be taken.", "Olga Orso", "Cleo")
        page.sees("not a number", "“zoe” is not an agent’s id.")
        look(page, "import", EACH_ONCE)
        assert site.client("sue").get("/api/customers", params={"q": "orso"}).json()["customers"] == []
        page.tab_to("Import the good rows (1)")
        page.press("Enter")
        page.sees("Created 1 and changed 0 customers; 3 rows were not taken.")
        page.tab_to("← All customers")
        page.press("Enter")
        page.sees("Olga Orso")
        look(page, "customers", EACH_ONCE)
        page.show(language="zh", theme="light")
        page.go("customers/import")
        page.choose_file("input[type=file]", file)
        page.tab_to("预览")
        page.press("Enter")
        page.sees("必须填写姓名。", "“not a number”不是电话号码。", "“zoe”不是坐席编号。")


def test_an_agent_edits_a_customer_by_keyboard(site: House, browser: Browser) -> None:
    bring_in(site, "Rita Rossi,,06 1000906,,\n")
    anna = site.client("anna")
    (rita,) = anna.get("/api/customers", params={"q": "rita"}).json()["customers"]
    with desk(site, browser, "anna") as page:
        page.go(f"customers/{rita['id']}")
        page.sees("Rita Rossi", "Edit")
        page.act("c")
        page.wait_for("document.activeElement?.name === 'name'")
        page.tab_to("Company")
        page.write("Rossi & Figli")
        page.tab_to("Numbers")
        page.evaluate("document.activeElement.select()")
        page.write("06 1000906\nnot a number")
        page.tab_to("Save")
        page.press("Enter")
        # The hands are where the server found something wrong.
        page.wait_for("document.activeElement?.name === 'numbers'")
        page.sees("“not a number” is not a telephone number.")
        look(page, "edit", EACH_ONCE)
        page.evaluate("document.activeElement.select()")
        page.write("06 1000906\n06 1000907")
        page.tab_to("Account owner")
        page.press("c")
        page.wait_for("document.activeElement?.value === 'cleo'")
        page.tab_to("Save")
        page.press("Enter")
        page.sees("Saved", "Rossi & Figli", "06 1000907", "Account owner", "Cleo")
        assert page.focus.startswith("Edit")
    found = anna.get("/api/customers/lookup", params={"number": "+39061000907"}).json()
    assert [one["customer"]["id"] for one in found["matches"]] == [rita["id"]]


def test_an_administrator_changes_the_terms_of_a_queue_in_a_form(site: House, browser: Browser) -> None:
    with desk(site, browser, "admin") as page:
        page.go("policy")
        page.sees("In force: version 1", "Nothing differs from the version in force.")
        page.tab_to("Queue")
        page.press("s")
        page.tab_to("Longest wait, s")
        page.write("900")
        page.sees("No mistakes.", "max_wait_s: 900")
        look(page, "policy", EACH_ONCE)
        page.tab_to("Save and put in force")
        page.press("Enter")
        page.sees("Version 2 is in force.")
    held = yaml.safe_load(site.client("admin").get("/api/admin/policy").json()["queues"])["queues"]
    assert [(one["name"], one.get("max_wait_s")) for one in held] == [
        ("billing", None),
        ("desk", None),
        ("sales_chinese", 900),
    ]
