"""The one error tree (architecture.md section 7).

Every error has a stable `code`, an `http_status`, translatable text and `data` for the caller. Peer faults
(`RemoteProtocolError`) and our own (`LocalProtocolError`) are told apart, so that a hostile datagram is never
logged as a bug and a bug is never excused as a hostile datagram.
"""

from collections.abc import Mapping
from typing import ClassVar


class CallcenterError(Exception):
    """Root of the tree. `code` never changes once published; `message` may be translated by it."""

    code: ClassVar[str] = "internal"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, data: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.data: Mapping[str, object] = data or {}


class InvalidInput(CallcenterError):
    """A payload broke its schema; `data["field"]` names where."""

    code = "invalid_input"
    http_status = 422


class NotFound(CallcenterError):
    """What was asked for does not exist, or the asker may not know that it does."""

    code = "not_found"
    http_status = 404


class Conflict(CallcenterError):
    """The request is well-formed but the present state forbids it."""

    code = "conflict"
    http_status = 409


class NotAuthenticated(CallcenterError):
    """No valid session."""

    code = "not_authenticated"
    http_status = 401


class PermissionDenied(CallcenterError):
    """A valid session without the permission that the route declares."""

    code = "permission_denied"
    http_status = 403


class Overloaded(CallcenterError):
    """Refused to protect what is already running; `data["retry_after_s"]` tells when to come back."""

    code = "overloaded"
    http_status = 503


class SiteUnavailable(CallcenterError):
    """The site database does not answer; calls go on without it."""

    code = "site_unavailable"
    http_status = 503


class ConfigError(CallcenterError):
    """A setting or a file in config/ is wrong; the message starts with the key (`phones.yaml: phones[2].user`)."""

    code = "config"
    http_status = 500


class ProtocolError(CallcenterError):
    """A rule of a protocol was broken; `reason` is a short stable name counted in the statistics."""

    code = "protocol"
    http_status = 400

    def __init__(self, reason: str, message: str = "", *, data: Mapping[str, object] | None = None) -> None:
        super().__init__(message or reason, data=data)
        self.reason = reason


class RemoteProtocolError(ProtocolError):
    """The peer broke the rule."""

    code = "remote_protocol"


class LocalProtocolError(ProtocolError):
    """We were about to break the rule: a bug of ours."""

    code = "local_protocol"
    http_status = 500


class IllegalTransition(CallcenterError):
    """A machine got an input that its present state does not know (architecture.md section 4)."""

    code = "illegal_transition"
    http_status = 409

    def __init__(self, machine: str, state: str, event: object) -> None:
        super().__init__(f"{machine} in {state} cannot take {type(event).__name__}")
        self.machine = machine
        self.state = state
        self.event = event
