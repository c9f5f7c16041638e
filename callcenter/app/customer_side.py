"""What the web application needs of customers, put together."""

from collections.abc import Sequence

from callcenter.app.contact_customers import ContactCustomerChoice
from callcenter.app.customer_records import CustomerRecords
from callcenter.app.live import LiveSide
from callcenter.app.timeline import CustomerTimeline, Source, calls_source
from callcenter.console.customer_ports import CustomerPorts
from callcenter.kernel.site import Site


def customer_ports(site: Site, live: LiveSide, *, region: str, sources: Sequence[Source] = ()) -> CustomerPorts:
    """The ports over `site`; `sources` add to the calls of the timeline."""
    return CustomerPorts(
        CustomerRecords(
            site, live.clock, region=region, agents=lambda: {agent.id for agent in live.site.roster.agents}
        ),
        ContactCustomerChoice(site, live),
        CustomerTimeline(site, [calls_source(site, region=region), *sources]),
    )
