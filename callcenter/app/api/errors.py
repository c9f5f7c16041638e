"""The error tree as HTTP answers: `{code, message, data}` with the status that the error's class names.

422 is for payloads that break their schema and names the field; an expected failure is never a 500.
"""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from callcenter.kernel.errors import CallcenterError, InvalidInput, NotFound

log = logging.getLogger(__name__)


class Problem(BaseModel):
    """The body of every answer from 400 up. `code` is stable; `message` is English; `data` depends on `code`."""

    code: str
    message: str
    data: dict[str, Any]


class WrongOrigin(CallcenterError):
    """An unsafe method from a page that is not ours, or without an Origin header."""

    code = "wrong_origin"
    http_status = 403


class TooLarge(CallcenterError):
    """The request's body is over the limit."""

    code = "too_large"
    http_status = 413


class MethodNotAllowed(CallcenterError):
    """The address exists, but not for this method."""

    code = "method_not_allowed"
    http_status = 405


class BadRequest(CallcenterError):
    """HTTP itself was misused (a Range that is none, for one)."""

    code = "bad_request"
    http_status = 400


def problem(error: CallcenterError) -> Response:
    """The answer for `error`."""
    headers = {}
    retry_after = error.data.get("retry_after_s")
    if isinstance(retry_after, int | float):
        headers["Retry-After"] = str(max(1, round(retry_after)))
    body = {"code": error.code, "message": error.message, "data": dict(error.data)}
    return JSONResponse(body, status_code=error.http_status, headers=headers)


def add_error_handlers(app: FastAPI) -> None:
    """Answer every expected failure as a `Problem`."""
    app.add_exception_handler(CallcenterError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unknown)


async def _known(_request: Request, error: Exception) -> Response:
    assert isinstance(error, CallcenterError)
    if error.http_status >= 500 and error.http_status != 503:
        log.error("request failed", extra={"code": error.code}, exc_info=error)
    return problem(error)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = [{"field": _field(one["loc"]), "reason": one["type"]} for one in error.errors()]
    data = {"field": problems[0]["field"], "problems": problems}
    return problem(InvalidInput("The request does not fit its schema.", data=data))


def _field(location: Sequence[str | int]) -> str:
    """`("body", "state")` is `state`; the place of a broken JSON text is the whole body."""
    where, *rest = location
    if where != "body":
        return ".".join(str(part) for part in rest)
    return ".".join(str(part) for part in rest if not isinstance(part, int) or len(rest) > 1) or "body"


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return problem(NotFound("There is nothing at this address."))
    if error.status_code == 405:
        return problem(MethodNotAllowed("This address does not know the method."))
    if error.status_code == 413:
        return problem(TooLarge("The body is too large."))
    return problem(BadRequest("The request could not be understood."))


async def _unknown(_request: Request, _error: Exception) -> Response:
    """A bug of ours; the server logs its traceback."""
    return problem(CallcenterError("Something went wrong here."))
