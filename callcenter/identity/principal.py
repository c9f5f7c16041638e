"""Who is asking: what a session says to whoever has to decide."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking. `session` names the session and is not its secret; `agent` is None for who takes no calls."""

    session: str
    user: str
    login: str
    name: str
    role: str
    permissions: frozenset[str]
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session and the secret that its cookie carries."""

    token: str
    principal: Principal
