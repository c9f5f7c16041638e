"""Whether anybody is signed in who could serve a caller: agents are counted by what they can."""

from collections import Counter

from acd.model import Need, Skills
from acd.policies.skills import meets


class Staffing:
    """The agents who are signed in, by their skills."""

    def __init__(self) -> None:
        self._skills: dict[str, Skills] = {}
        self._counts: Counter[Skills] = Counter()

    def comes(self, agent: str, skills: Skills) -> bool:
        """He is signed in with these skills; whether he is the first of his kind."""
        self.goes(agent)
        self._skills[agent] = skills
        self._counts[skills] += 1
        return self._counts[skills] == 1

    def goes(self, agent: str) -> bool:
        """He is signed out; whether he was the last of his kind."""
        skills = self._skills.pop(agent, None)
        if skills is None:
            return False
        self._counts[skills] -= 1
        if self._counts[skills]:
            return False
        del self._counts[skills]
        return True

    def can_serve(self, need: Need) -> bool:
        """Whether somebody is there who meets `need`."""
        return any(meets(skills, need) for skills in self._counts)
