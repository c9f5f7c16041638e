"""The web application: routes, consoles and pages behind one gate. It knows ports only; bootstrap wires the rooms."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from acd.policy_ports import PolicyDesk
from acd.policy_routes import MAX_BODY as MAX_POLICY
from acd.policy_routes import PATH as POLICY_PATH
from acd.policy_routes import add_policy_routes
from acd.why_routes import Decisions, add_why_routes
from callcenter import __version__
from callcenter.app.api.access import allow, check_routes
from callcenter.app.api.calls import add_call_routes
from callcenter.app.api.customers import IMPORT_PATH, MAX_IMPORT, add_customer_routes
from callcenter.app.api.desk import add_desk_routes
from callcenter.app.api.errors import Problem, add_error_handlers
from callcenter.app.api.laboratory import add_laboratory_routes
from callcenter.app.api.metrics import add_metric_routes
from callcenter.app.api.names import add_name_routes
from callcenter.app.api.service import add_service_routes
from callcenter.app.api.session import add_session_routes
from callcenter.app.api.supervision import add_supervision_routes
from callcenter.app.experiment_files import Laboratory
from callcenter.app.gate import MAX_BODY, Gate
from callcenter.app.pages import add_page_routes
from callcenter.console.consoles import Consoles
from callcenter.console.customer_ports import CustomerPorts
from callcenter.console.metric_ports import Metrics
from callcenter.console.ports import Calls, Desk, Identity, Status
from callcenter.console.socket import ConsoleSocket
from callcenter.console.supervision_ports import Supervision
from tickets.ports import Tickets
from tickets.routes import add_ticket_routes

LARGER = {IMPORT_PATH: MAX_IMPORT, POLICY_PATH: MAX_POLICY, f"{POLICY_PATH}/check": MAX_POLICY}


@dataclass(frozen=True, slots=True)
class Ports:
    """What the web application needs from the rest."""

    identity: Identity
    calls: Calls
    desk: Desk
    status: Status
    customers: CustomerPorts
    tickets: Tickets
    policy: PolicyDesk
    decisions: Decisions
    metrics: Metrics
    supervision: Supervision
    laboratory: Laboratory
    zone: str = "UTC"


def create_api(
    ports: Ports, consoles: Consoles, *, recordings: Path, dist: Path, behind_proxy: bool = False
) -> FastAPI:
    """The HTTP routes; `behind_proxy`: what comes from this machine may be anybody's. Raises ConfigError when one of
    them declares no permission.
    """
    app = FastAPI(
        title="callcenter",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=MAX_BODY,
        responses={code: {"model": Problem} for code in (401, 403, 404, 409, 413, 422, 503)},
    )
    app.state.identity = ports.identity
    add_error_handlers(app)
    add_session_routes(app, ports.identity, consoles)
    add_call_routes(app, ports.calls, recordings)
    add_desk_routes(app, ports.desk)
    add_supervision_routes(app, ports.supervision)
    add_customer_routes(app, ports.customers)
    add_ticket_routes(app, ports.tickets, allow)
    add_policy_routes(app, ports.policy, allow)
    add_why_routes(app, ports.decisions, allow)
    add_name_routes(app, ports.identity, ports.desk, ports.zone)
    add_metric_routes(app, ports.metrics, behind_proxy=behind_proxy)
    add_laboratory_routes(app, ports.laboratory)
    add_service_routes(app, ports.status)
    add_page_routes(app, dist)
    check_routes(app)
    return app


def create_app(
    ports: Ports, consoles: Consoles, *, recordings: Path, dist: Path, origins: Sequence[str] = ()
) -> Gate:
    """The ASGI application for `HttpServer`.

    `recordings` is the folder of WAV files, `dist` the built pages (may be missing), `origins` the addresses under
    which browsers know this server when that is not what they send as Host (`https://calls.example.org`).
    """
    api = create_api(ports, consoles, recordings=recordings, dist=dist, behind_proxy=bool(origins))
    return Gate(api, ConsoleSocket(ports.identity, consoles, origins=origins), origins=origins, larger=LARGER)
