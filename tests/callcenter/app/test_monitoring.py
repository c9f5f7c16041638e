"""What monitoring scrapes."""

from callcenter.app.monitoring import EventMeter, by, family
from callcenter.kernel.events import Envelope
from tests.callcenter.reporting.ledgers import Day


def counted(day: Day) -> list[str]:
    meter = EventMeter()
    for event in day.events:
        meter.publish(event)
    return [line for line in meter.text() if not line.startswith("#")]


def test_events_are_counted_by_queue_outcome_and_result() -> None:
    day = Day().queued(1, "a").queued(2, "b").leaves(9, "b", "abandoned", 7)
    day.offered(10, "a", "ann").over(12, "a", "ann", "timed_out").offered(12, "a", "bob").answered(13, "a", "bob", 12)
    day.hangs_up(20, "a", "bob", "caller").queued(21, "c").leaves(
        30, "c", "ended", 9, outcome="callback", reason="key"
    )
    lines = counted(day)
    assert 'callcenter_queue_entered_total{queue="billing"} 3' in lines
    left = [line for line in lines if line.startswith("callcenter_queue_left_total")]
    assert left == [
        f'callcenter_queue_left_total{{queue="billing",outcome="{outcome}"}} 1'
        for outcome in ("abandoned", "answered", "callback")
    ]
    assert 'callcenter_offers_total{result="missed"} 1' in lines
    assert 'callcenter_contacts_ended_total{reason="hangup"} 1' in lines


def test_waits_of_the_answered_are_a_histogram_whose_buckets_add_up() -> None:
    day = Day()
    for call, wait_s in (("a", 3.0), ("b", 20.0), ("c", 700.5)):
        day.queued(0, call).answered(1, call, "ann", wait_s)
    lines = [line for line in counted(day) if line.startswith("callcenter_queue_wait_seconds")]
    assert lines[0] == 'callcenter_queue_wait_seconds_bucket{queue="billing",le="5"} 1'
    assert lines[2] == 'callcenter_queue_wait_seconds_bucket{queue="billing",le="20"} 2'
    assert lines[-3:] == [
        'callcenter_queue_wait_seconds_bucket{queue="billing",le="+Inf"} 3',
        'callcenter_queue_wait_seconds_sum{queue="billing"} 723.500',
        'callcenter_queue_wait_seconds_count{queue="billing"} 3',
    ]


def test_callbacks_are_counted_neither_as_callers_nor_with_their_days_as_a_wait() -> None:
    day = Day().queued(1, "a").tell(2, "acd.entry.queued", "b", entry="b-1", queue="billing", callback=True)
    day.answered(9, "b", "ann", 200_000).answered(11, "a", "bob", 10)
    day.tell(12, "acd.entry.queued", "c", entry="c-1", queue="billing", callback=True)
    day.leaves(90, "c", "ended", 88, outcome="failed", reason="not_reached")
    lines = counted(day)
    assert 'callcenter_queue_entered_total{queue="billing"} 1' in lines
    left = [line for line in lines if line.startswith("callcenter_queue_left_total")]
    assert left == ['callcenter_queue_left_total{queue="billing",outcome="answered"} 1']
    assert 'callcenter_queue_wait_seconds_sum{queue="billing"} 10.000' in lines


def test_a_callback_of_before_the_start_is_known() -> None:
    meter = EventMeter(callbacks={"c-1"})
    for event in Day().answered(9, "c", "ann", 200_000).events:
        meter.publish(event)
    assert not any("left_total{" in line or "wait_seconds_" in line for line in meter.text())


def test_labels_cannot_break_out_of_their_quotes() -> None:
    lines = list(family("queue_waiting", "gauge", "Callers who wait.", by("queue", {'a"b\\c\nd': 1.5})))
    assert lines == [
        "# HELP callcenter_queue_waiting Callers who wait.",
        "# TYPE callcenter_queue_waiting gauge",
        'callcenter_queue_waiting{queue="a\\"b\\\\c\\nd"} 1.5',
    ]


def test_events_that_say_less_than_expected_stop_nothing() -> None:
    meter = EventMeter()
    meter.publish(Envelope("live", 1, "e1", 1, "acd.entry.ended", Day().tell(0, "x", "c").events[0].at, "c", {}))
    assert any('outcome="None"' in line for line in meter.text())
