"""How the queues do: quarter hours of a day as JSON or CSV, the moment, and what monitoring scrapes."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request, Response
from pydantic import BaseModel

from callcenter.app.api.access import allow
from callcenter.app.api.models import Identifier
from callcenter.console.metric_ports import FactKind, Metrics

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"
FORWARDED = ("x-forwarded-for", "x-real-ip", "forwarded", "via")


class IntervalList(BaseModel):
    """Facts of quarter hours: `start` (UTC), `local`, `kind`, `name`, every measure and every figure by its name."""

    intervals: list[dict[str, Any]]


class LiveValues(BaseModel):
    """The moment and the day so far. `variants` names the service levels that `today` has."""

    at: str
    since: str
    variants: list[str]
    queues: list[dict[str, Any]]
    skills: list[dict[str, Any]]
    agents: list[dict[str, Any]]


def add_metric_routes(app: FastAPI, metrics: Metrics, *, behind_proxy: bool) -> None:
    """`/api/metrics/...` and `/metrics`. `behind_proxy`: a request from this machine may come from anywhere."""

    @app.get(
        "/api/metrics/intervals",
        dependencies=allow("live.read"),
        tags=["metrics"],
        responses={200: {"content": {"text/csv": {}}, "model": IntervalList}},
        response_model=None,
    )
    async def intervals(
        day: date | None = None,
        kind: FactKind | None = None,
        name: Identifier | None = None,
        format_: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
    ) -> IntervalList | Response:
        """The quarter hours of a day of the site (today without), of one kind, of one queue, skill or agent."""
        if format_ == "json":
            return IntervalList(intervals=[dict(row) for row in await metrics.intervals(day, kind, name)])
        file = f'attachment; filename="intervals-{day or "today"}.csv"'
        text = await metrics.intervals_csv(day, kind, name)
        return Response(text, media_type="text/csv", headers={"content-disposition": file})

    @app.get("/api/metrics/live", dependencies=allow("live.read"), tags=["metrics"])
    async def live() -> LiveValues:
        """Queues, skills and agents as they stand, with the limits that are passed and what the day has brought."""
        return LiveValues.model_validate(dict(await metrics.live()))

    def is_monitor(request: Request) -> bool:
        """With the site's token, or sent on this machine and by nobody for somebody else."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme:
            return scheme.lower() == "bearer" and metrics.is_monitor(token.strip())
        here = request.client is not None and request.client.host.startswith("127.")
        return here and not behind_proxy and not any(name in request.headers for name in FORWARDED)

    app.state.is_monitor = is_monitor

    @app.get("/metrics", dependencies=allow("status.read", monitors=True), include_in_schema=False)
    async def scrape() -> Response:
        """For Prometheus."""
        return Response(metrics.exposition(), media_type=EXPOSITION)
