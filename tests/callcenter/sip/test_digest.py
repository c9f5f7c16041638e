"""Digest authentication, by the vectors of the RFCs and between our own two sides."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from callcenter.sip.digest import (
    MD5,
    SHA_256,
    Checked,
    DigestServer,
    Secrets,
    Verdict,
    answer_challenge,
    digest,
    make_secrets,
)
from callcenter.sip.values import Credentials, parse_credentials

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
REALM = "callcenter.example"
ANN = make_secrets("ann", REALM, "correct horse")
PHONES = {"ann": ANN}


def server(max_nonces: int = 100) -> DigestServer:
    return DigestServer(REALM, b"secret of this start", max_nonces=max_nonces)


def challenges(digests: DigestServer, now: datetime = NOW) -> list[Credentials]:
    return [parse_credentials(value) for value in digests.challenges(now=now, algorithms=(SHA_256, MD5))]


def answer(
    offered: list[Credentials],
    *,
    secrets: Secrets = ANN,
    username: str = "ann",
    count: int = 1,
    method: str = "REGISTER",
) -> Credentials:
    value = answer_challenge(
        offered,
        realm=REALM,
        username=username,
        secrets=secrets,
        method="REGISTER",
        uri="sip:callcenter.example",
        cnonce="c0ffee",
        count=count,
    )
    assert value is not None
    return parse_credentials(value)


def check(digests: DigestServer, given: Credentials, *, now: datetime = NOW, method: str = "REGISTER") -> Checked:
    return digests.check([given], method=method, lookup=PHONES.get, now=now)


def altered(given: Credentials, **changes: str | None) -> Credentials:
    merged: Mapping[str, str | None] = {**given.parameters, **changes}
    return Credentials(given.scheme, {name: value for name, value in merged.items() if value is not None})


def without_qop(offered: Credentials) -> Credentials:
    return altered(offered, qop=None)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        (MD5, "8ca523f5e9506fed4657c9700eebdbec"),
        (SHA_256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_vectors_of_rfc_7616(algorithm: str, response: str) -> None:
    secrets = make_secrets("Mufasa", "http-auth@example.org", "Circle of Life")
    challenge = parse_credentials(
        'Digest realm="http-auth@example.org", qop="auth, auth-int", '
        f'algorithm={algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    value = answer_challenge(
        [challenge],
        realm="http-auth@example.org",
        username="Mufasa",
        secrets=secrets,
        method="GET",
        uri="/dir/index.html",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert value is not None
    given = parse_credentials(value).parameters
    assert given["response"] == response
    assert given["opaque"] == "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"


def test_the_vector_of_rfc_2617() -> None:
    secrets = make_secrets("Mufasa", "testrealm@host.com", "Circle Of Life")
    value = answer_challenge(
        [
            parse_credentials(
                'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
            )
        ],
        realm="testrealm@host.com",
        username="Mufasa",
        secrets=secrets,
        method="GET",
        uri="/dir/index.html",
        cnonce="0a4f113b",
    )
    assert value is not None
    assert parse_credentials(value).parameters["response"] == "6629fae49393a05397450978507c4ef1"


def test_a_digest_without_qop_is_that_of_rfc_2069() -> None:
    # The published example of RFC 2069 is wrong in its response (erratum 749); this is the corrected one.
    ha1 = make_secrets("Mufasa", "testrealm@host.com", "CircleOfLife").md5
    given = digest(MD5, ha1, method="GET", uri="/dir/index.html", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093")
    assert given == "1949323746fe6a43ef61f9606e7febea"


@pytest.mark.parametrize("algorithm", [MD5, SHA_256])
def test_the_right_password_is_accepted(algorithm: str) -> None:
    digests = server()
    offered = [challenge for challenge in challenges(digests) if challenge.parameters["algorithm"] == algorithm]
    assert check(digests, answer(offered)) == Checked(Verdict.ACCEPTED, "ann")


def test_the_algorithms_are_offered_in_order_and_the_first_is_taken() -> None:
    offered = challenges(server())
    assert [challenge.parameters["algorithm"] for challenge in offered] == [SHA_256, MD5]
    assert answer(offered).parameters["algorithm"] == SHA_256


def test_a_phone_with_md5_alone_answers_the_second_challenge() -> None:
    digests = server()
    assert check(digests, answer(challenges(digests), secrets=Secrets(md5=ANN.md5))).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    "given",
    [
        {"secrets": make_secrets("ann", REALM, "wrong")},
        {"username": "nobody", "secrets": make_secrets("nobody", REALM, "x")},
    ],
)
def test_a_wrong_password_and_an_unknown_user_look_the_same(given: dict[str, object]) -> None:
    digests = server()
    offered = challenges(digests)
    secrets, username = given.get("secrets", ANN), given.get("username", "ann")
    assert isinstance(secrets, Secrets)
    assert isinstance(username, str)
    assert check(digests, answer(offered, secrets=secrets, username=username)).verdict is Verdict.WRONG


def test_an_empty_secret_proves_nobody() -> None:
    digests = server()
    given = answer(challenges(digests), secrets=Secrets(sha256=ANN.sha256))
    assert digests.check([given], method="REGISTER", lookup=lambda _: Secrets(), now=NOW).verdict is Verdict.WRONG


def test_credentials_are_bound_to_their_method() -> None:
    digests = server()
    assert check(digests, answer(challenges(digests)), method="INVITE").verdict is Verdict.WRONG


@pytest.mark.parametrize("name", ["uri", "nonce", "cnonce", "response"])
def test_nothing_that_was_hashed_can_be_changed(name: str) -> None:
    digests = server()
    given = answer(challenges(digests))
    assert check(digests, altered(given, **{name: given.parameters[name] + "0"})).verdict is Verdict.WRONG


def test_credentials_sent_again_are_stale() -> None:
    digests = server()
    given = answer(challenges(digests))
    assert check(digests, given).verdict is Verdict.ACCEPTED
    assert check(digests, given).verdict is Verdict.STALE


def test_a_nonce_is_good_for_growing_counts() -> None:
    digests = server()
    offered = challenges(digests)
    verdicts = [check(digests, answer(offered, count=count)).verdict for count in (1, 2, 4, 3)]
    assert verdicts == [Verdict.ACCEPTED, Verdict.ACCEPTED, Verdict.ACCEPTED, Verdict.STALE]


@pytest.mark.parametrize(("age_s", "verdict"), [(299, Verdict.ACCEPTED), (301, Verdict.STALE)])
def test_a_nonce_grows_old(age_s: int, verdict: Verdict) -> None:
    digests = server()
    given = answer(challenges(digests))
    assert check(digests, given, now=NOW + timedelta(seconds=age_s)).verdict is verdict


def test_a_nonce_of_another_start_is_stale() -> None:
    before = DigestServer(REALM, b"secret of the start before")
    assert check(server(), answer(challenges(before))).verdict is Verdict.STALE


def test_a_stale_challenge_says_so() -> None:
    (value,) = server().challenges(now=NOW, stale=True)
    assert parse_credentials(value).parameters["stale"] == "true"


def test_md5_alone_is_offered_unless_more_is_asked_for() -> None:
    (value,) = server().challenges(now=NOW)
    assert parse_credentials(value).parameters["algorithm"] == MD5


def test_without_qop_a_nonce_is_good_once() -> None:
    digests = server()
    offered = [without_qop(challenge) for challenge in challenges(digests)]
    given = answer(offered, secrets=Secrets(md5=ANN.md5))
    assert "qop" not in given.parameters
    assert [check(digests, given).verdict, check(digests, given).verdict] == [Verdict.ACCEPTED, Verdict.STALE]


def test_sha_256_without_qop_is_not_looked_at() -> None:
    digests = server()
    given = answer([without_qop(challenge) for challenge in challenges(digests)])
    assert check(digests, given).verdict is Verdict.MISSING


@pytest.mark.parametrize(
    "changes",
    [
        {"realm": "other"},
        {"algorithm": "MD5-sess"},
        {"qop": "auth-int"},
        {"nc": "1"},
        {"cnonce": None},
        {"username": None},
        {"response": ""},
    ],
)
def test_credentials_that_are_not_for_us_count_as_missing(changes: dict[str, str | None]) -> None:
    digests = server()
    assert check(digests, altered(answer(challenges(digests)), **changes)) == Checked(Verdict.MISSING)


def test_another_scheme_counts_as_missing() -> None:
    assert check(server(), Credentials("basic", {"realm": REALM})).verdict is Verdict.MISSING


def test_a_full_table_ages_its_oldest_nonces_instead_of_forgetting_their_counts() -> None:
    digests = server(max_nonces=2)
    givens = [answer(challenges(digests, NOW + timedelta(seconds=n))) for n in range(3)]
    later = NOW + timedelta(seconds=3)
    assert [check(digests, given, now=later).verdict for given in givens] == [Verdict.ACCEPTED] * 3
    assert [check(digests, given, now=later).verdict for given in givens] == [Verdict.STALE] * 3


def test_names_that_need_escapes_are_proven_too() -> None:
    digests = server()
    secrets = make_secrets('a"\\b', REALM, "x")
    given = answer(challenges(digests), secrets=secrets, username='a"\\b')
    assert digests.check([given], method="REGISTER", lookup=lambda _: secrets, now=NOW).username == 'a"\\b'


@pytest.mark.parametrize(
    "challenge",
    [
        'Digest realm="elsewhere", nonce="n", qop="auth"',
        f'Digest realm="{REALM}", nonce="n", qop="auth-int"',
        f'Digest realm="{REALM}", nonce="n", algorithm=SHA-512-256',
        f'Digest realm="{REALM}", nonce="n", algorithm=MD5-sess',
        f'Digest realm="{REALM}", nonce="", qop="auth"',
        f'Digest realm="{REALM}", nonce="a\\\x00b", qop="auth"',
        f'Basic realm="{REALM}", nonce="n"',
    ],
)
def test_a_challenge_that_we_cannot_or_may_not_answer_is_not_answered(challenge: str) -> None:
    value = answer_challenge(
        [parse_credentials(challenge)],
        realm=REALM,
        username="ann",
        secrets=ANN,
        method="REGISTER",
        uri="sip:callcenter.example",
        cnonce="c",
    )
    assert value is None


def test_secrets_do_not_show_themselves() -> None:
    assert ANN.md5 not in repr(ANN)
