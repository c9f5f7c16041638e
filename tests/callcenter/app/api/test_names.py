"""What pages call things."""

from tests.callcenter.app.api.conftest import Web


async def test_whoever_works_here_learns_what_users_and_agents_are_called(web: Web) -> None:
    for login in ("ann", "quinn", "sue"):
        answer = await (await web.signed_in(login)).get("/api/names")
        assert answer.status_code == 200
        told = answer.json()
        assert (told["zone"], told["users"]["user-ann"]) == ("UTC", "Ann")
        assert told["agents"]["ann"] == "Ann"


async def test_strangers_learn_no_names(web: Web) -> None:
    assert (await web.browser().get("/api/names")).status_code == 401
