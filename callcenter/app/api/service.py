"""The server about itself: health for anyone, status, flows and the OpenAPI document for those who run it."""

from typing import Any

from fastapi import FastAPI

from callcenter.app.api.access import allow
from callcenter.app.api.models import FlowList, Health
from callcenter.console.ports import Status


def add_service_routes(app: FastAPI, status: Status) -> None:
    """`/api/health`, `/api/status`, `/api/config/flows`, `/api/openapi.json`."""

    @app.get("/api/health", dependencies=allow("public"), tags=["service"])
    async def health() -> Health:
        """Whether new calls are taken; says nothing else to strangers."""
        return Health(status="ok" if status.healthy() else "degraded")

    @app.get("/api/status", dependencies=allow("status.read"), tags=["service"])
    async def show_status() -> dict[str, Any]:
        """Counters and the state of each part."""
        return dict(status.status())

    @app.get("/api/config/flows", dependencies=allow("config.read"), tags=["service"])
    async def flows() -> FlowList:
        """The flows that calls are run through, with their versions."""
        return FlowList(flows=[dict(flow) for flow in status.flows()])

    @app.get("/api/openapi.json", dependencies=allow("api.read"), include_in_schema=False)
    async def openapi() -> dict[str, Any]:
        """This API's description."""
        return app.openapi()
