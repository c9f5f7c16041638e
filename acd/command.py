"""`callcenter acd replay`: the proof that the log explains itself. `callcenter acd why`: one call explained by it."""

import argparse
import json
import sqlite3
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from acd.model import instant
from acd.reading import DecisionLog, NothingLogged, Stretch, core_at, readable, story_in
from acd.replay import Divergence, Replay, Verdict
from acd.version import core_version
from acd.why_text import document, words
from callcenter.kernel.clock import SystemClock
from callcenter.kernel.site import CommandSettings

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

EXIT_DIVERGED = 1
TELL_EVERY = timedelta(seconds=2)
UNKNOWN = "unknown"


def register(commands: "Commands") -> None:
    """Add the command."""
    parser = commands.add_parser("acd", help="look into the distributor's decisions")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    replaying = actions.add_parser(
        "replay",
        help="run the log of decisions again and say whether they are the same",
        description="Runs the journalled inputs through the distributor and compares every fact and every snapshot. "
        "Exit code 0: equal; 1: not, and the first difference is named. The server may run meanwhile.",
    )
    replaying.add_argument(
        "--from", dest="since", type=_number, metavar="SEQ",
        help="begin at the last snapshot before this journal number (default: what this release wrote)",
    )  # fmt: skip
    replaying.add_argument("--json", action="store_true", help="print JSON instead of text")
    replaying.set_defaults(handler=_replay)
    why = actions.add_parser(
        "why",
        help="tell why a call waited and why each agent was or was not offered it",
        description="Replays the log to each decision about the call. The server may run meanwhile.",
    )
    why.add_argument("call", help="the call's id, as `callcenter calls list` prints it")
    why.add_argument("--json", action="store_true", help="print JSON instead of text")
    why.set_defaults(handler=_why)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no journal number (a whole number from 0)")
    return int(text)


def _replay(given: argparse.Namespace) -> int:
    settings: CommandSettings = given.settings
    try:
        with DecisionLog(settings.data_dir) as log:
            stretch = log.by_core(core_version()) if given.since is None else log.since(given.since)
            verdict = _verdict(log, stretch)
            first = stretch.snapshot.seq + 1
            last = log.last
    except (sqlite3.Error, msgspec.MsgspecError) as error:
        raise NothingLogged(readable(error)) from error
    if given.json:
        text = json.dumps({**_document(first, last, verdict), "left_out": stretch.left_out})
    else:
        text = _text(first, last, verdict)
        if stretch.left_out:
            text += f"\nleft out: what another core wrote before number {first}; --from 0 replays it all the same"
    sys.stdout.write(text + "\n")
    return 0 if verdict.divergence is None else EXIT_DIVERGED


def _why(given: argparse.Namespace) -> int:
    settings: CommandSettings = given.settings
    story = story_in(settings.data_dir, given.call)
    text = json.dumps(document(story), ensure_ascii=False) if given.json else words(story, settings.site.zone)
    sys.stdout.write(text + "\n")
    return 0


def _verdict(log: DecisionLog, stretch: Stretch) -> Verdict:
    replay = Replay(core_at(stretch))
    tell = _progress(stretch.snapshot.seq + 1, stretch.upto)
    for item in log.items(stretch):
        tell(item.seq)
        divergence = replay.take(item)
        if divergence is not None:
            return replay.verdict(divergence)
    return replay.verdict(replay.take(log.at_the_end(replay.core)))


def _progress(first: int, last: int) -> Callable[[int], None]:
    """Says on stderr how far it has come, every few seconds."""
    clock = SystemClock()
    told_at, count = clock.now(), 0

    def tell(seq: int) -> None:
        nonlocal told_at, count
        count += 1
        if count % 1000 == 0 and clock.now() - told_at >= TELL_EVERY:
            told_at = clock.now()
            done = (seq - first) * 100 // max(1, last - first + 1)
            sys.stderr.write(f"replaying: {done} % (journal number {seq} of {last})\n")
            sys.stderr.flush()

    return tell


def _other_cores(verdict: Verdict) -> list[tuple[int, str]]:
    mine = core_version()
    return [(seq, core or UNKNOWN) for seq, core in verdict.cores if core != mine]


def _document(first: int, last: int, verdict: Verdict) -> dict[str, object]:
    found = verdict.divergence
    return {
        "equal": found is None,
        "from_seq": first,
        "to_seq": last if found is None else found.seq,
        "inputs": verdict.inputs,
        "facts": verdict.facts,
        "snapshots": verdict.snapshots,
        "core": core_version(),
        "logged_cores": [{"seq": seq, "core": core or UNKNOWN} for seq, core in verdict.cores],
        "divergence": None if found is None else {
            "seq": found.seq,
            "input": found.input,
            "at": instant(found.at).isoformat(timespec="milliseconds"),
            "logged": found.logged,
            "replayed": found.replayed,
        },
    }  # fmt: skip


def _text(first: int, last: int, verdict: Verdict) -> str:
    found, others = verdict.divergence, _other_cores(verdict)
    lines = []
    if found is None:
        lines.append(
            f"equal: {verdict.inputs} inputs give the {verdict.facts} facts of the log "
            f"(journal numbers {first} to {last}, {verdict.snapshots} snapshots)"
        )
    else:
        lines += _difference(found, verdict)
    lines.append(f"core: {core_version()}")
    lines += [f"from number {seq} on the log was written by another core: {core}" for seq, core in others]
    if others and found is not None:
        lines.append("another core may decide differently: replay with the release that wrote the log to be sure")
    return "\n".join(lines)


def _difference(found: Divergence, verdict: Verdict) -> list[str]:
    at = instant(found.at).isoformat(timespec="milliseconds")
    return [
        f"NOT equal: the first difference is at journal number {found.seq} (input {found.input}, {at}), "
        f"after {verdict.inputs} inputs and {verdict.facts} facts",
        f"  log:    {found.logged or 'nothing'}",
        f"  replay: {found.replayed or 'nothing'}",
    ]
