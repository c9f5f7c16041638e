"""The policy of queues and agents over HTTP. The application hands in how a route declares its permission."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from acd.policy_ports import Allow, PolicyDesk
from acd.policy_text import MOST_CHARACTERS, Texts
from acd.policy_versions import VersionView, WholeVersion

PATH = "/api/admin/policy"
MAX_BODY = 2_500_000
Text = Annotated[str, Field(max_length=MOST_CHARACTERS)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class PolicyTexts(_Payload):
    """The texts of queues.yaml and agents.yaml, YAML or JSON."""

    queues: Text
    agents: Text

    @property
    def texts(self) -> Texts:
        """As the room has them."""
        return Texts(self.queues, self.agents)


class NewPolicy(PolicyTexts):
    """A new version. `based_on` is the version that was in force when the editing began."""

    based_on: int = Field(ge=1, le=2**31 - 1)
    note: str = Field(default="", max_length=500)
    activate: bool = True


class Activation(_Payload):
    """`active` is the version in force as its administrator saw it."""

    active: int = Field(ge=1, le=2**31 - 1)


class VersionOut(BaseModel):
    """A version. `policy` names its rules as the log of decisions does."""

    version: int
    policy: str
    based_on: int | None
    author: str
    at: datetime
    note: str
    activated_at: datetime | None
    activated_by: str | None
    active: bool

    @classmethod
    def of(cls, view: VersionView) -> "VersionOut":
        """The room's view as a body."""
        return cls(**_fields(view))


class WholeVersionOut(VersionOut):
    """A version with its texts and its difference from the one that it was made from."""

    queues: str
    agents: str
    diff: str

    @classmethod
    def whole(cls, found: WholeVersion) -> "WholeVersionOut":
        """The room's version as a body."""
        return cls(**_fields(found.view), queues=found.texts.queues, agents=found.texts.agents, diff=found.diff)


class VersionsOut(BaseModel):
    """The versions, newest first."""

    versions: list[VersionOut]


class ProblemOut(BaseModel):
    """A mistake at its key; `line` counts from 1."""

    file: str
    key: str
    message: str
    line: int | None


class CheckOut(BaseModel):
    """What is wrong, and the difference from what holds."""

    errors: list[ProblemOut]
    diff: str


def _fields(view: VersionView) -> dict[str, Any]:
    return {
        "version": view.number,
        "policy": view.policy,
        "based_on": view.based_on,
        "author": view.author,
        "at": view.at,
        "note": view.note,
        "activated_at": view.activated_at,
        "activated_by": view.activated_by,
        "active": view.is_active,
    }


def _asking_user(request: Request) -> str:
    principal: Any = request.state.principal
    return str(principal.user)


User = Annotated[str, Depends(_asking_user)]


def add_policy_routes(app: FastAPI, policy: PolicyDesk, allow: Allow) -> None:
    """`/api/admin/policy` and below."""

    @app.get(PATH, dependencies=allow("policy.manage"), tags=["policy"])
    async def show_policy() -> WholeVersionOut:
        """The version in force."""
        return WholeVersionOut.whole(await policy.show(None))

    @app.put(PATH, dependencies=allow("policy.manage"), tags=["policy"], max_body_size=MAX_BODY)
    async def change_policy(new: NewPolicy, user: User) -> WholeVersionOut:
        """Save a new version and, unless told otherwise, put it in force: callers keep their places.

        422 with each mistake at its key (`data.errors`); 409 when another version than `based_on` is in force.
        """
        saved = await policy.save(
            new.texts, based_on=new.based_on, note=new.note.strip(), activate=new.activate, by=user
        )
        return WholeVersionOut.whole(saved)

    @app.post(f"{PATH}/check", dependencies=allow("policy.manage"), tags=["policy"], max_body_size=MAX_BODY)
    async def check_policy(texts: PolicyTexts) -> CheckOut:
        """Every mistake, and what would change; nothing is saved."""
        problems, diff = await policy.check(texts.texts)
        errors = [ProblemOut(file=each.file, key=each.key, message=each.message, line=each.line) for each in problems]
        return CheckOut(errors=errors, diff=diff)

    @app.get(f"{PATH}/versions", dependencies=allow("policy.manage"), tags=["policy"])
    async def list_versions() -> VersionsOut:
        """The newest 200 versions, newest first."""
        return VersionsOut(versions=[VersionOut.of(view) for view in await policy.list()])

    @app.get(f"{PATH}/versions/{{number}}", dependencies=allow("policy.manage"), tags=["policy"])
    async def show_version(number: Number) -> WholeVersionOut:
        """One version."""
        return WholeVersionOut.whole(await policy.show(number))

    @app.post(f"{PATH}/versions/{{number}}/activate", dependencies=allow("policy.manage"), tags=["policy"])
    async def activate_version(number: Number, wish: Activation, user: User) -> WholeVersionOut:
        """Put a version in force, an earlier one too. 409 when another version than `active` is in force."""
        return WholeVersionOut.whole(await policy.activate(number, active=wish.active, by=user))
