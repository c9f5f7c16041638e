"""What must hold of a run in which something was killed (security.md R1), from wire, journal, records and files."""

import json
import sqlite3
import wave
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from callcenter.kernel.events import Envelope
from callcenter.kernel.journal_file import JournalReader
from tests.faults.wire import Dialog, Wire
from tests.support.server import Document, eventually

SILENCE_S = 10.0
RECORDING_LOST_S = 2.0
EDGE_S = 0.3


@dataclass
class Facts:
    """Everything that is known after a run. `since` is the journal's number before it."""

    wire: Wire
    events: list[Envelope]
    records: list[Document]
    kind_of: dict[str, str]
    recordings: Path
    stall: Callable[[float, float], float] = lambda _since, _until: 0.0
    """What the machine withheld from any process between two moments, in seconds."""

    def of_type(self, *types: str) -> list[Envelope]:
        """The events of these types, in order."""
        return [event for event in self.events if event.type in types]


def journal_position(data: Path) -> int:
    """The number of the last entry now."""
    reader = JournalReader(data / "live.db")
    try:
        return reader.last_seq()
    finally:
        reader.close()


def events_since(data: Path, position: int) -> list[Envelope]:
    """The journal's events after `position`."""
    reader = JournalReader(data / "live.db")
    try:
        return reader.events_after(position, 1_000_000)
    finally:
        reader.close()


def rows_left(data: Path) -> dict[str, int]:
    """How many state rows of a call there are, by kind: none, when all calls are over.

    Dialogs are left out: one waits 32 s for the 487 of a phone that does not heed CANCEL, as SIPp in a pause.
    """
    database = sqlite3.connect(f"file:{data / 'live.db'}?mode=rw", uri=True, timeout=5)
    try:
        kinds = ("contact", "process", "delivery", "entry", "offer", "flow")
        rows = database.execute("SELECT kind, count(*) FROM live_state GROUP BY kind").fetchall()
        return {kind: count for kind, count in rows if kind in kinds}
    finally:
        database.close()


def entries(data: Path) -> dict[str, object]:
    """`enqueued_at` of every entry that waits now, by its id."""
    database = sqlite3.connect(f"file:{data / 'live.db'}?mode=rw", uri=True, timeout=5)
    try:
        rows = database.execute("SELECT id, blob FROM live_state WHERE kind = 'entry'").fetchall()
        return {id_: json.loads(blob)["enqueued_at"] for id_, blob in rows}
    finally:
        database.close()


def live_contacts(data: Path) -> set[str]:
    """The contacts that are not over."""
    database = sqlite3.connect(f"file:{data / 'live.db'}?mode=rw", uri=True, timeout=5)
    try:
        return {row[0] for row in database.execute("SELECT id FROM live_state WHERE kind = 'contact'")}
    finally:
        database.close()


def everything_over(data: Path) -> None:
    """Wait until no row of a call is left."""
    eventually(f"no rows left: {rows_left(data)}", lambda: not rows_left(data), within_s=40)


# -- the checks ----------------------------------------------------------------------------------------------------


def each_call_has_one_record(facts: Facts) -> None:
    """No call without a record, none with two, none without a call; every one answered as it would have been."""
    received = Counter(str(event.data["leg"]) for event in facts.of_type("calls.contact.received"))
    assert set(received.values()) <= {1}, "a caller's INVITE was taken twice"
    ended = Counter(event.subject for event in facts.of_type("calls.contact.ended"))
    contacts = {event.subject for event in facts.of_type("calls.contact.received")}
    assert ended == Counter(contacts), "a contact that did not end, or ended twice"
    recorded = Counter(str(record["contact"]) for record in facts.records)
    assert recorded == Counter(contacts), "records and contacts differ"
    answered = {dialog.leg for dialog in facts.wire.callers() if "200 INVITE" in dialog.finals}
    assert answered <= received.keys(), "a call that got a 200 has no record"


def each_call_went_as_without_the_kill(facts: Facts, lost: Collection[str] = ()) -> None:
    """The kill changed no outcome but that of the contacts `lost` with their worker; nobody else was cut off."""
    wrong = []
    for record in facts.records:
        outcome = (record["result"], record["reason"])
        is_lost = record["contact"] in lost
        expected = {("failed", "media_lost"), ("answered", "media_lost")} if is_lost else {("answered", "hangup")}
        if outcome not in expected:
            wrong.append((facts.kind_of.get(str(record["caller"])), *outcome, record["contact"]))
    assert not wrong, f"calls that went wrong: {wrong}"
    assert len(facts.records) == len(facts.kind_of), "not every call has a record"


def contacts_on(facts: Facts, worker: str, moment: float) -> set[str]:
    """The contacts of which a leg had its sound on `worker` when it died at that moment (epoch seconds).

    What it opened last was told a little later.
    """
    opened = facts.of_type("calls.media.opened")
    over = {event.data["leg"] for event in facts.of_type("calls.leg.ended") if event.at.timestamp() < moment}
    return {event.subject for event in opened if event.data["worker"] == worker and event.data["leg"] not in over}


def every_outcome_has_its_reason(facts: Facts) -> Counter[str]:
    """Each caller was served, refused with 503, or hung up on; nobody is left without a final answer."""
    outcomes: Counter[str] = Counter()
    reasons = {str(record["caller"]): str(record["reason"]) for record in facts.records}
    for dialog in facts.wire.callers():
        assert len(dialog.finals) == 1, f"final answers {dialog.finals} to {dialog.caller}"
        final = dialog.finals[0]
        if final == "200 INVITE":
            assert dialog.first("BYE"), "a call without an end"
            outcomes["answered, " + reasons[dialog.caller]] += 1
        else:
            assert final == "503 INVITE", f"{final} to {dialog.caller}"
            outcomes[final] += 1
    return outcomes


def conversations(facts: Facts, lost: Collection[str] = ()) -> list[tuple[Dialog, Dialog, float, float]]:
    """(customer, other, joined, parted) of every conversation but those of the contacts `lost`, epoch seconds."""
    ends: dict[str, float] = {}
    for event in facts.of_type("calls.leg.ended"):
        ends[str(event.data["leg"])] = event.at.timestamp()
    found = []
    for event in facts.of_type("calls.bridge.joined"):
        customer = facts.wire.of_leg(str(event.data["customer"]))
        other = facts.wire.of_leg(str(event.data["agent"]))
        if customer is not None and other is not None and event.subject not in lost:
            until = min(
                *(ends.get(leg, 1e12) for leg in (customer.leg, other.leg)),
                facts.wire.ended_at(customer),
                facts.wire.ended_at(other),
            )
            found.append((customer, other, event.at.timestamp(), until))
    return found


def talking_gap(facts: Facts, since: float, until: float, lost: Collection[str] = ()) -> tuple[float, float, int]:
    """(largest gap heard in a conversation, largest left out by the speakers themselves, conversations), in seconds.

    Measured between `since` and `until`, in both directions of each conversation that was up all that time.
    """
    heard = said = 0.0
    count = 0
    for customer, other, joined, parted in conversations(facts, lost):
        start, end = max(since, joined + EDGE_S), min(until, parted - 0.05)
        if end - start < EDGE_S:
            continue
        count += 1
        for listener, speaker in ((customer, other), (other, customer)):
            heard = max(heard, facts.wire.gap_heard(listener, start, end))
            said = max(said, facts.wire.gap_said(speaker, start, end))
    return heard, said, count


def nobody_sits_in_silence(facts: Facts, killed: float) -> float:
    """Every caller who was up at the kill hears something or is hung up on within 10 s; the longest silence."""
    longest = 0.0
    for dialog in facts.wire.callers():
        up = dialog.first("ACK")
        if up is None or up > killed or facts.wire.ended_at(dialog) < killed:
            continue
        until = min(killed + SILENCE_S, facts.wire.ended_at(dialog))
        longest = max(longest, facts.wire.gap_heard(dialog, killed, until))
    assert longest < SILENCE_S, f"a caller heard nothing for {longest:.1f} s"
    return longest


def recordings_play(facts: Facts) -> int:
    """Each conversation's file is a whole WAV that lacks 2 s at most; how many there are."""
    count = 0
    joined = {str(event.data["customer"]): event for event in facts.of_type("calls.bridge.joined")}
    for customer, _, since, until in conversations(facts):
        path = joined[customer.leg].data["recording"]
        if path is None:
            continue
        with wave.open(str(facts.recordings / str(path))) as file:
            length = file.getnframes() / file.getframerate()
            assert file.getnchannels() == 2, "stereo"
        assert length >= until - since - RECORDING_LOST_S, f"{path}: {length:.1f} s of {until - since:.1f} s"
        count += 1
    return count


def nothing_rang_twice(facts: Facts) -> int:
    """One dialog for each leg that was invited, all its INVITEs the same bytes; how many there are."""
    legs = {str(event.data["leg"]) for event in facts.of_type("calls.leg.invited")}
    out = [e for e in facts.of_type("calls.contact.received") if e.data.get("direction") == "outbound"]
    legs |= {str(event.data["leg"]) for event in out}
    # Without an INVITE: the end of a call that came before the capture.
    rung = [dialog for dialog in facts.wire.dialogs.values() if not dialog.inbound and dialog.invites]
    assert {dialog.leg for dialog in rung} <= legs, "a phone rang for no leg"
    assert len({dialog.leg for dialog in rung}) == len(rung), "a leg rang under two Call-IDs"
    changed = [dialog.leg for dialog in rung if len(dialog.invites) != 1]
    assert not changed, f"INVITEs sent again in other words: {changed}"
    offers = Counter(str(event.data["offer"]) for event in facts.of_type("acd.offer.created"))
    assert set(offers.values()) <= {1}, "an offer was made twice"
    return len(rung)


def queue_kept_its_order(facts: Facts, queue: str) -> None:
    """They were answered in the order in which they came."""
    came = [event.data["entry"] for event in facts.of_type("acd.entry.queued") if event.data["queue"] == queue]
    answered = [event.data["entry"] for event in facts.of_type("acd.entry.answered") if event.data["queue"] == queue]
    assert answered == [entry for entry in came if entry in set(answered)], "the queue's order changed"


def agents_are_where_their_calls_are(agents: Iterable[Document], live: Iterable[str]) -> None:
    """Nobody is on a contact that is over."""
    stuck = [agent["id"] for agent in agents if agent["contact"] is not None and agent["contact"] not in set(live)]
    assert not stuck, f"agents on calls that are over: {stuck}"


def logs_are_clean(logs: Path) -> None:
    """No traceback in any log."""
    for log in sorted(logs.glob("*.log")):
        text = log.read_text(errors="replace")
        assert "Traceback" not in text, f"{log.name}: {text[text.index('Traceback') - 500 :][:3000]}"
        assert '"exception"' not in text, f"{log.name}: {text[text.index(chr(34) + 'exception') - 500 :][:3000]}"
