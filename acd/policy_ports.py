"""What the routes of the policy need, so that they can be tested without a database and a distributor."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from fastapi.params import Depends

from acd.policy_text import Problem, Texts
from acd.policy_versions import VersionView, WholeVersion

PolicyPermission = Literal["policy.manage"]
Allow = Callable[[PolicyPermission], list[Depends]]
"""Makes the `dependencies` of a route that asks for the permission."""


class PolicyDesk(Protocol):
    """`callcenter.app.policy_side.PolicySide`."""

    async def show(self, number: int | None) -> WholeVersion:
        """A version, the one that holds for None. Raises NotFound."""
        ...

    async def list(self) -> Sequence[VersionView]:
        """The versions, newest first."""
        ...

    async def check(self, texts: Texts) -> tuple[Sequence[Problem], str]:
        """What is wrong with `texts`, and how they differ from what holds."""
        ...

    async def save(self, texts: Texts, *, based_on: int, note: str, activate: bool, by: str) -> WholeVersion:
        """A new version, which holds at once if `activate`. Raises PolicyInvalid, PolicyChanged."""
        ...

    async def activate(self, number: int, *, active: int, by: str) -> WholeVersion:
        """Have `number` hold instead of `active`. Raises NotFound, PolicyInvalid, PolicyChanged."""
        ...
