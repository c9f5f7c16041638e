"""Call detail records and recordings over HTTP."""

from pathlib import Path

import pytest

from tests.callcenter.app.api.conftest import Web

WAV = b"RIFF" + bytes(range(256))


@pytest.fixture
def recorded(web: Web) -> Web:
    """A call c1 with a recording."""
    (web.fakes.recordings / "c1.wav").write_bytes(WAV)
    web.fakes.calls.records["c1"] = {"contact": "c1", "recordings": ["c1.wav", "c1-2.wav"]}
    return web


async def test_calls_come_newest_first_and_page_by_page(web: Web) -> None:
    web.fakes.calls.records = {f"c{number}": {"contact": f"c{number}"} for number in range(3)}
    browser = await web.signed_in("sue")
    first = (await browser.get("/api/calls?limit=2")).json()
    assert [call["contact"] for call in first["calls"]] == ["c2", "c1"]
    second = (await browser.get("/api/calls", params={"after": first["next"]})).json()
    assert [call["contact"] for call in second["calls"]] == ["c0"]
    assert second["next"] is None


async def test_an_unknown_call_is_not_found(web: Web) -> None:
    answer = await (await web.signed_in("sue")).get("/api/calls/c9")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_recording_is_played_from_anywhere_in_it(recorded: Web) -> None:
    browser = await recorded.signed_in("quinn")
    whole = await browser.get("/api/calls/c1/recording")
    assert (whole.status_code, whole.content) == (200, WAV)
    assert whole.headers["content-type"] == "audio/wav"
    assert whole.headers["cache-control"] == "no-store"
    part = await browser.get("/api/calls/c1/recording", headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"\x00\x01\x02\x03")
    assert part.headers["content-range"] == f"bytes 4-7/{len(WAV)}"


async def test_a_call_with_several_recordings_has_them_by_number(recorded: Web) -> None:
    (recorded.fakes.recordings / "c1-2.wav").write_bytes(b"second")
    browser = await recorded.signed_in("quinn")
    assert (await browser.get("/api/calls/c1/recording?part=2")).content == b"second"
    assert (await browser.get("/api/calls/c1/recording?part=3")).status_code == 404


@pytest.mark.parametrize("value", ["bytes=900-", "bytes=x", "lines=1-2"])
async def test_a_range_outside_the_file_is_refused(recorded: Web, value: str) -> None:
    browser = await recorded.signed_in("quinn")
    answer = await browser.get("/api/calls/c1/recording", headers={"Range": value})
    assert answer.status_code in {400, 416}


@pytest.mark.parametrize("name", ["../secret.wav", "link.wav", "{folder}/secret.wav", "", ".", "gone.wav"])
async def test_a_recording_outside_its_folder_does_not_exist(web: Web, name: str) -> None:
    folder: Path = web.fakes.folder
    (folder / "secret.wav").write_bytes(WAV)
    (web.fakes.recordings / "link.wav").symlink_to(folder / "secret.wav")
    web.fakes.calls.records["c1"] = {"recordings": [name.format(folder=folder)]}
    answer = await (await web.signed_in("quinn")).get("/api/calls/c1/recording")
    assert (answer.status_code, answer.json()["code"]) == (404, "recording_missing")


@pytest.mark.parametrize("contact", ["..%2fsecret", "%2e%2e", "a%00b", "a" * 65])
async def test_an_identifier_that_is_none_never_reaches_the_records(web: Web, contact: str) -> None:
    answer = await (await web.signed_in("quinn")).get(f"/api/calls/{contact}/recording")
    assert answer.status_code in {404, 422}


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "since=yesterday", "until=2026-03-02T09:00:00", "queue=a/b"]
)
async def test_a_query_that_breaks_its_schema_names_the_field(web: Web, query: str) -> None:
    answer = await (await web.signed_in("sue")).get(f"/api/calls?{query}")
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_input"
    assert answer.json()["data"]["field"] == query.partition("=")[0]
