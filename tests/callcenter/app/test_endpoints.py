"""trunks.yaml and phones.yaml."""

from pathlib import Path

import pytest

from callcenter.app.endpoints import Endpoints, Phone, Trunk, load_endpoints
from callcenter.kernel.errors import ConfigError


def load(folder: Path, trunks: str = "", phones: str = "") -> Endpoints:
    (folder / "trunks.yaml").write_text(trunks, encoding="utf-8")
    (folder / "phones.yaml").write_text(phones, encoding="utf-8")
    return load_endpoints(folder)


def test_files_become_trunks_and_phones(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        'trunks: [{name: isp, addresses: ["192.0.2.7:5070", 192.0.2.8], numbers: {"100": main}, codecs: [PCMA]}]',
        'phones: [{user: "1001", agent: ann, contact: "sip:m1@127.0.0.1:6160"}]\ndial: {"200": echo}',
    )
    addresses = (("192.0.2.7", 5070), ("192.0.2.8", 5060))
    assert found.trunks == (Trunk("isp", addresses, {"100": "main"}, None, ("PCMA",)),)
    assert found.phones == (Phone("1001", "ann", "1001", "sip:m1@127.0.0.1:6160"),)
    assert found.dial == {"200": "echo"}
    assert found.trunks_outside


def test_missing_files_mean_nobody() -> None:
    assert load_endpoints(Path("/nonexistent")) == Endpoints((), ())


def test_trunk_on_this_machine_is_not_outside(tmp_path: Path) -> None:
    assert not load(tmp_path, 'trunks: [{name: sipp, addresses: ["127.0.0.1:5170"]}]').trunks_outside


def test_every_wrong_key_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "trunks: [{addresses: [a], nmae: x}, 3]", "phones: [{user: 1001}, {}]")
    assert caught.value.message.splitlines() == [
        "trunks.yaml: trunks[0].nmae: is not a setting; did you mean 'name'?",
        "trunks.yaml: trunks[0].name: is missing",
        "trunks.yaml: trunks[1]: must be a mapping, not 3",
        "phones.yaml: phones[0].user: must be text, not 1001",
        "phones.yaml: phones[1].user: is missing",
    ]


@pytest.mark.parametrize(
    ("trunks", "phones", "said"),
    [
        (
            "trunks: [{name: a, addresses: [somewhere]}]",
            "",
            "trunks.yaml: trunks[0].addresses[0]: must be such as \"192.0.2.7:5060\", not 'somewhere'",
        ),
        (
            "trunks: [{name: a, addresses: []}]",
            "",
            "trunks.yaml: trunks[0].addresses: must name at least one address",
        ),
        (
            "trunks: [{name: a, addresses: [192.0.2.7], codecs: [OPUS]}]",
            "",
            "trunks.yaml: trunks[0].codecs[0]: must be one of PCMU, PCMA, not 'OPUS'",
        ),
        (
            "trunks: [{name: a, addresses: [192.0.2.7], numbers: {0100: main}}]",
            "",
            'trunks.yaml: trunks[0].numbers.64: must be in quotes: "64"',
        ),
        (
            "trunks: [{name: a, addresses: [192.0.2.7]}, {name: b, addresses: [192.0.2.7]}]",
            "",
            "trunks.yaml: trunks[1].addresses: ('192.0.2.7', 5060) is already a trunk's",
        ),
        (
            "",
            "phones: [{user: a b}]",
            "phones.yaml: phones[0].user: must be letters, digits, '.', '_' or '-', not 'a b'",
        ),
        ("", 'phones: [{user: "1"}, {user: "1"}]', "phones.yaml: phones[1].user: '1' is already a phone's"),
        (
            "",
            'phones: [{user: "1", contact: "tel:1"}]',
            "phones.yaml: phones[0].contact: must be such as \"sip:1001@192.0.2.7:5060\", not 'tel:1'",
        ),
    ],
)
def test_bad_value_is_told_in_plain_words(tmp_path: Path, trunks: str, phones: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, trunks, phones)
    assert caught.value.message == said


def test_sample_endpoints_are_good_and_lead_only_to_flows_that_exist() -> None:
    sample = Path(__file__).resolve().parents[3] / "config"
    found = load_endpoints(sample)
    flows = {path.stem for path in (sample / "flows").glob("*.yaml")}
    led_to: set[str | None] = {*found.dial.values()}
    for trunk in found.trunks:
        led_to |= {*trunk.numbers.values(), trunk.default}
    assert led_to - {None} <= flows
    assert not found.trunks_outside
