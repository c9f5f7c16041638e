"""What we know of a peer's stream: loss, jitter, gaps (RFC 3550 sections 6.4.1, A.1, A.3, A.8).

One `Reception` follows a leg over all its sources: a new SSRC starts a new count and the old one stays in the totals.
Arrival times are in samples (1/8000 s) of one monotonic clock, as timestamps are.
"""

from dataclasses import dataclass

from callcenter.media.rtp import signed

MAX_DROPOUT = 3000
MAX_MISORDER = 100
# A jump of a source's clock (hold, a new talker behind the same SSRC) is not jitter.
MAX_TRANSIT_STEP = 8000


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """One source as a receiver saw it (RFC 3550 section 6.4.1). Delays in 1/65536 s, jitter in samples."""

    ssrc: int
    fraction_lost: int
    cumulative_lost: int
    highest_sequence: int
    jitter: int
    last_sr: int = 0
    delay_since_last_sr: int = 0


class Reception:
    """Counts of the packets of one leg."""

    __slots__ = (
        "_bad_sequence", "_base", "_earlier_lost", "_expected_prior", "_received", "_received_prior", "_transit",
        "highest", "jitter16", "largest_gap", "last_arrival", "received", "ssrc",
    )  # fmt: skip

    def __init__(self) -> None:
        self.ssrc = -1
        self.received = 0
        self.highest = 0
        self.jitter16 = 0
        self.last_arrival = 0
        self.largest_gap = 0
        self._base = 0
        self._received = 0
        self._earlier_lost = 0
        self._bad_sequence = -1
        self._transit = 0
        self._expected_prior = 0
        self._received_prior = 0

    def heard(self, ssrc: int, sequence: int, timestamp: int, arrival: int) -> None:
        """Count one packet that has been accepted."""
        if self.received:
            self.largest_gap = max(self.largest_gap, arrival - self.last_arrival)
        self.last_arrival = arrival
        self.received += 1
        if ssrc != self.ssrc:
            self._start(ssrc, sequence, timestamp, arrival)
            return
        step = (sequence - self.highest) & 0xFFFF
        if step < MAX_DROPOUT:
            self.highest += step
            self._bad_sequence = -1
        elif step <= 0xFFFF - MAX_MISORDER:
            if sequence != self._bad_sequence:
                self._bad_sequence = (sequence + 1) & 0xFFFF
                return
            self._start(ssrc, sequence, timestamp, arrival)
            return
        self._received += 1
        transit = arrival - timestamp
        change = abs(signed(transit - self._transit, 32))
        self._transit = transit
        if change < MAX_TRANSIT_STEP:
            self.jitter16 += change - ((self.jitter16 + 8) >> 4)

    def _start(self, ssrc: int, sequence: int, timestamp: int, arrival: int) -> None:
        self._earlier_lost += self._lost_now()
        self.ssrc = ssrc
        self._base = self.highest = sequence
        self._received = 1
        self._bad_sequence = -1
        self._transit = arrival - timestamp
        self._expected_prior = self._received_prior = 0

    def resume(self, arrival: int) -> None:
        """Forget the pause of a hold: it is neither a gap nor silence."""
        self.last_arrival = arrival

    def _lost_now(self) -> int:
        return self.highest - self._base + 1 - self._received if self._received else 0

    @property
    def lost(self) -> int:
        """Packets expected and not received; duplicates make up for losses, never below zero."""
        return max(0, self._earlier_lost + self._lost_now())

    @property
    def jitter(self) -> int:
        """Interarrival jitter in samples."""
        return self.jitter16 >> 4

    def report(self, last_sr: int, delay_since_last_sr: int) -> ReportBlock | None:
        """The block for the next RTCP report, None before the first packet; starts the next interval."""
        if not self._received:
            return None
        expected = self.highest - self._base + 1
        expected_interval = expected - self._expected_prior
        lost_interval = expected_interval - (self._received - self._received_prior)
        self._expected_prior = expected
        self._received_prior = self._received
        fraction = (lost_interval << 8) // expected_interval if expected_interval > 0 and lost_interval > 0 else 0
        cumulative = max(-0x800000, min(0x7FFFFF, expected - self._received))
        return ReportBlock(
            self.ssrc, min(255, fraction), cumulative, self.highest & 0xFFFFFFFF, self.jitter, last_sr,
            delay_since_last_sr,
        )  # fmt: skip
