"""The figures of a day so far."""

from datetime import timedelta

from callcenter.kernel.site import Site
from callcenter.reporting.today import QueueFigures, queue_figures
from tests.callcenter.reporting.conftest import CallHistory
from tests.callcenter.reporting.stories import START, Story, agent_call


async def test_figures_count_each_call_that_came_to_a_queue_since_then(site: Site, history: CallHistory) -> None:
    refused = Story("c2").received(5_000).leg_ended(5_003, by="us").ended(5_003, "system", "refused", 503)
    await history.holds(agent_call("c1"), refused, agent_call("c3"))
    (billing,) = await queue_figures(site, START)
    assert (billing.queue, billing.offered, billing.answered, billing.in_time, billing.abandoned) == (
        "billing",
        2,
        2,
        2,
        0,
    )
    assert billing.wait_ms is not None
    assert billing.sl_answered == 1.0
    assert await queue_figures(site, START + timedelta(days=1)) == []


def test_service_level_is_of_the_answered_and_none_before_the_first() -> None:
    assert QueueFigures("billing", 100, 90, 70, 10, 9_000).sl_answered == 70 / 90
    assert QueueFigures("billing", 3, 0, 0, 3, None).sl_answered is None
