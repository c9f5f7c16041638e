"""Lists by due time: what is due next comes first, and pages meet without a gap, on each engine."""

from tests.tickets.conftest import Desk
from tickets.commands import TicketFilter


async def pages(desk: Desk, limit: int, **query: object) -> list[list[int]]:
    """The numbers of all pages."""
    found: list[list[int]] = []
    after: int | None = None
    while True:
        page = await desk.service.list(TicketFilter(limit, after, sort="due", **query))  # type: ignore[arg-type]  # names of filters
        found.append([ticket.number for ticket in page.tickets])
        after = page.next
        if after is None:
            return found


async def six(desk: Desk) -> None:
    """Due: 4 (complaint), 2 (urgent), 1 and 6 (normal), nothing more: 3 and 5, resolved."""
    await desk.open()
    await desk.open(priority="urgent")
    third = await desk.open()
    await desk.open(category="complaint", priority="high")
    fifth = await desk.open()
    await desk.open(queue="support")
    for ticket in (third, fifth):
        await desk.reply(ticket)
        await desk.change(ticket, status="resolved")


async def test_what_is_due_next_comes_first_and_what_nobody_waits_for_last(desk: Desk) -> None:
    await six(desk)
    assert await pages(desk, 50) == [[4, 2, 1, 6, 3, 5]]


async def test_pages_by_due_time_meet_without_gap_or_overlap(desk: Desk) -> None:
    await six(desk)
    for limit in (1, 2, 4, 5):
        assert [number for page in await pages(desk, limit) for number in page] == [4, 2, 1, 6, 3, 5]


async def test_filters_go_together_with_the_order(desk: Desk) -> None:
    await six(desk)
    assert await pages(desk, 50, priorities=("urgent", "high")) == [[4, 2]]
    assert await pages(desk, 50, category="complaint") == [[4]]
    assert await pages(desk, 50, queue="support", statuses=("new",)) == [[6]]


async def test_forms_offer_the_categories_of_the_site(desk: Desk) -> None:
    assert list(desk.service.options().categories) == ["complaint"]
