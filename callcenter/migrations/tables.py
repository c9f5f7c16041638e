"""Every table of every room, gathered for Alembic."""

from acd import policy_tables as acd_policy
from acd import tables as acd
from callcenter.crm import tables as crm
from callcenter.identity import tables as identity
from callcenter.kernel import site_tables
from callcenter.kernel.site import Base
from callcenter.reporting import interval_tables as intervals
from callcenter.reporting import tables as reporting
from tickets import tables as tickets

MODULES = (acd, acd_policy, crm, identity, intervals, reporting, site_tables, tickets)
METADATA = Base.metadata
