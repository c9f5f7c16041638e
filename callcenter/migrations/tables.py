"""Every table of every room, gathered for Alembic."""

from callcenter.crm import tables as crm
from callcenter.identity import tables as identity
from callcenter.kernel import site_tables
from callcenter.kernel.site import Base
from callcenter.reporting import tables as reporting

MODULES = (crm, identity, reporting, site_tables)
METADATA = Base.metadata
