"""Loss, jitter and gaps as RFC 3550 counts them."""

from callcenter.media.reception import Reception, ReportBlock


def hear(reception: Reception, sequences: list[int], *, ssrc: int = 1, late: int = 0) -> None:
    for sequence in sequences:
        reception.heard(ssrc, sequence & 0xFFFF, sequence * 160 & 0xFFFFFFFF, sequence * 160 + 10_000 + late)


def test_a_stream_without_loss_has_neither_loss_nor_jitter() -> None:
    reception = Reception()
    hear(reception, list(range(65500, 65600)))
    assert (reception.received, reception.lost, reception.jitter) == (100, 0, 0)
    assert reception.highest == 65599


def test_missing_packets_are_lost_and_late_ones_are_not() -> None:
    reception = Reception()
    hear(reception, [1, 2, 5, 4, 8])
    assert reception.lost == 3


def test_the_report_gives_the_fraction_of_its_interval_only() -> None:
    reception = Reception()
    hear(reception, [0, 1, 2, 3])
    assert reception.report(0, 0) == ReportBlock(1, 0, 0, 3, 0)
    hear(reception, [5, 7])
    report = reception.report(11, 22)
    assert report == ReportBlock(1, 128, 2, 7, 0, 11, 22)


def test_nothing_heard_gives_no_report() -> None:
    assert Reception().report(0, 0) is None


def test_jitter_follows_the_formula_of_appendix_a8() -> None:
    reception = Reception()
    reception.heard(1, 0, 0, 0)
    reception.heard(1, 1, 160, 160 + 80)
    reception.heard(1, 2, 320, 320)
    # J += (|D| - J) / 16, twice with |D| = 80, kept in sixteenths.
    assert reception.jitter16 == 80 + 80 - ((80 + 8) >> 4)


def test_a_new_source_keeps_the_losses_of_the_old() -> None:
    reception = Reception()
    hear(reception, [1, 4])
    hear(reception, [5000, 5001], ssrc=2)
    assert (reception.lost, reception.ssrc, reception.received) == (2, 2, 4)


def test_one_wild_sequence_number_is_not_a_loss_of_thousands() -> None:
    reception = Reception()
    hear(reception, [1, 2, 30000, 3, 4])
    assert reception.lost == 0


def test_two_sequence_numbers_in_a_row_are_a_restart() -> None:
    reception = Reception()
    hear(reception, [1, 2, 30000, 30001, 30002])
    assert (reception.lost, reception.highest) == (0, 30002)


def test_the_largest_gap_leaves_out_a_hold() -> None:
    reception = Reception()
    reception.heard(1, 1, 0, 0)
    reception.heard(1, 2, 160, 400)
    reception.resume(90_000)
    reception.heard(1, 3, 320, 90_160)
    assert reception.largest_gap == 400
