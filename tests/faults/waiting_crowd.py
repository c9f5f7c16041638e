"""Thirty callers in three queues, three to be called back, one whose time runs out, agents at all kinds of work."""

import random
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.waiting_site import (
    CALLBACK,
    CALLERS,
    CARRIER,
    LATE,
    PAST,
    PHONES,
    QUEUES,
    TALK,
    WAITING,
    WaitingSite,
)
from tests.support.capture import Capture
from tests.support.scenario import caller, phone, refused_caller
from tests.support.server import eventually
from tests.support.sipp import Sipp

EACH = 10
MEDIA = {name: 20000 + 100 * place for place, name in enumerate(("wait", "ask", "work", "late"))}
MEDIA |= {name: 21000 + 100 * place for place, name in enumerate(("stay", "ring", "serve", "carrier"))}
TIMEOUT_S = 90


class WaitingCrowd:
    """`with crowd: crowd.stage()`: then everything stands, and `ring` is about to be offered the first of gold."""

    def __init__(self, site: WaitingSite, folder: Path, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._site, self._folder = site, folder
        chance = random.Random(seed)
        first = 390700000000 + seed % 100000 * 100
        services = [number for number in WAITING for _ in range(EACH // 2)]
        chance.shuffle(services)
        self.waiting = [(service, f"+{first + place}") for place, service in enumerate(services)]
        self.asking = [(service, f"+{first + 50 + place}") for place, service in enumerate(CALLBACK)]
        self.late = f"+{first + 60}"
        self._working = [(PAST, f"+{first + 70 + place}") for place in range(3)] + [(TALK, f"+{first + 80}")]
        self._ring_ms = chance.randint(1500, 4500)
        self._wire = Capture(folder / "wire.pcap", f"udp port {site.server.sip[1]}")
        self._parties: list[Sipp] = []

    def __enter__(self) -> Self:
        self._wire.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._parties:
            each.stop()
        self._wire.__exit__(kind, error, trace)

    @property
    def wire(self) -> Capture:
        return self._wire

    # -- staging -----------------------------------------------------------------------------------------------------

    def stage(self) -> None:
        """Everybody to his place. What lasts only seconds comes last."""
        self._phones()
        site = self._site
        self._start("wait", self.waiting, caller(number="[field1]", hangs_up=False))
        self._start("ask", self.asking, refused_caller("480", number="[field1]"))
        site.set_state("lunch", "not_ready", "lunch")
        for agent in ("wrap_break", "wrap_short", "wrap_open", "talk"):
            site.set_state(agent, "available")
        self._start("work", self._working, caller(number="[field1]", hangs_up=False))
        for agent in ("wrap_break", "wrap_short", "wrap_open", "talk"):
            site.becomes(agent, "on_contact")
        site.set_state("talk", "not_ready", "break")
        site.set_state("wrap_break", "not_ready", "break")
        eventually("all wait", self._all_wait, within_s=20)
        self._start("late", [(LATE, self.late)], caller(number="[field1]", hangs_up=False))
        for agent in ("wrap_break", "wrap_short", "wrap_open"):
            site.ask("/api/agents/me/call", login=agent, json={"action": "hang_up"})
        eventually("the late one waits", lambda: len(site.entries()) == len(self.waiting) + len(self.asking) + 1)

    def _all_wait(self) -> bool:
        counts = [sum(entry["queue"] == queue for entry in self._site.entries()) for queue in QUEUES]
        return counts == [EACH + 1] * len(QUEUES)

    def _phones(self) -> None:
        self._phone("stay", phone(asked_again=True))
        self._phone("ring", phone(ring_ms=self._ring_ms, hangs_up=True, asked_again=True), talk_ms=300)
        self._phone("serve", phone(ring_ms=50, hangs_up=True, asked_again=True), talk_ms=150)
        self._phone("carrier", phone(ring_ms=100, asked_again=True), address=CARRIER)

    def _phone(self, name: str, scenario: str, *, address: str = PHONES, talk_ms: int = 0) -> None:
        local = (address, self._site.ports[name])
        self._run(
            Sipp(
                scenario,
                self._site.server.sip,
                local,
                calls=None,
                talk_ms=talk_ms,
                media=(address, MEDIA[name]),
                timeout_s=600,
            )
        )

    def _start(self, name: str, calls: list[tuple[str, str]], scenario: str) -> Sipp:
        table = self._folder / f"{name}.csv"
        table.write_text("SEQUENTIAL\n" + "".join(f"{service};{own};\n" for service, own in calls))
        local = (CALLERS, self._site.ports[name])
        return self._run(
            Sipp(
                scenario.replace("[service]", "[field0]"),
                self._site.server.sip,
                local,
                calls=len(calls),
                rate=30,
                media=(CALLERS, MEDIA[name]),
                timeout_s=TIMEOUT_S,
                extra=("-inf", str(table)),
            )
        )

    def _run(self, party: Sipp) -> Sipp:
        self._parties.append(party)
        return party.start()

    # -- afterwards --------------------------------------------------------------------------------------------------

    def rings(self) -> None:
        """One offer begins to ring; that agent wants a break after it."""
        self._site.set_state("ring", "available")
        self._site.set_state("ring", "not_ready", "break")

    def talker_is_done(self) -> None:
        self._site.ask("/api/agents/me/call", login="talk", json={"action": "hang_up"})

    def all_served(self) -> None:
        """Until each caller was let go; fails with SIPp's words where one was not."""
        for party in self._parties:
            if party.calls is not None:
                party.wait()
