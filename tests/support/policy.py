"""An in-memory `acd.policy_ports.PolicyDesk`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from acd.policy_text import PolicyInvalid, Problem, Texts, checked, difference
from acd.policy_versions import FILES, PolicyChanged, VersionView, WholeVersion
from callcenter.kernel.errors import NotFound

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
QUEUES = "queues:\n  - name: billing\n    skills: {billing: 1}\n"
AGENTS = 'agents:\n  - id: ann\n    phone: "1001"\n    skills: {billing: 3}\n'


class FakePolicy:
    """Versions in a list; `by` says who asked for what."""

    def __init__(self) -> None:
        view = VersionView(1, "abc", None, FILES, AT, "first", AT, FILES, is_active=True)
        self.found = [WholeVersion(view, Texts(QUEUES, AGENTS), "")]

    async def show(self, number: int | None) -> WholeVersion:
        for each in self.found:
            if each.view.number == number or (number is None and each.view.is_active):
                return each
        raise NotFound("There is no such version of the policy.")

    async def list(self) -> Sequence[VersionView]:
        return [each.view for each in reversed(self.found)]

    async def check(self, texts: Texts) -> tuple[Sequence[Problem], str]:
        diff = difference((await self.show(None)).texts, texts)
        try:
            checked(texts)
        except PolicyInvalid as invalid:
            return invalid.problems, diff
        return (), diff

    async def save(self, texts: Texts, *, based_on: int, note: str, activate: bool, by: str) -> WholeVersion:
        checked(texts)
        number = len(self.found) + 1
        view = VersionView(number, "def", based_on, by, AT, note, None, None, is_active=False)
        self.found.append(WholeVersion(view, texts, difference((await self.show(based_on)).texts, texts)))
        return await self.activate(number, active=based_on, by=by) if activate else self.found[-1]

    async def activate(self, number: int, *, active: int, by: str) -> WholeVersion:
        if (held := (await self.show(None)).view.number) != active:
            raise PolicyChanged("Somebody else has changed the policy meanwhile.", data={"active": held})
        wanted = await self.show(number)
        self.found = [replace(each, view=replace(each.view, is_active=each is wanted)) for each in self.found]
        return await self.show(number)
