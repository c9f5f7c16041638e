"""Settings: where they come from, and what is said of bad ones."""

from pathlib import Path

import pytest

from callcenter.app.settings import ENVIRONMENT, Settings, from_json, load_settings
from callcenter.kernel.errors import ConfigError


def complaint(folder: Path, text: str = "", environ: dict[str, str] | None = None) -> list[str]:
    """The lines of the ConfigError that these settings raise."""
    (folder / "settings.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(folder, environ or {})
    return caught.value.message.splitlines()


def test_without_file_and_environment_the_defaults_hold(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {})
    assert settings == Settings()
    assert (settings.http.bind, settings.http.port, settings.sip.port) == ("127.0.0.1", 8080, 5060)
    assert settings.rtp_ports == (20000, 20999)
    assert settings.drain_s == 60.0


def test_environment_beats_the_file_and_a_flag_beats_both(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("http: {port: 1}\nsip: {port: 1}\ndrain_s: 1\n", encoding="utf-8")
    environ = {"CALLCENTER_HTTP_PORT": "2", "CALLCENTER_SIP_PORT": "2", "UNRELATED": "x"}
    settings = load_settings(tmp_path, environ, {"http.port": 3, "sip.bind": None})
    assert (settings.drain_s, settings.sip.port, settings.http.port, settings.sip.bind) == (1.0, 2, 3, None)


def test_every_wrong_key_is_named_at_once_with_its_source(tmp_path: Path) -> None:
    lines = complaint(
        tmp_path,
        "http: {prot: 80}\nsip: {port: many}\nmedia: {ports: 20001-20002}\n"
        "site: {zone: Mars/Base}\nlog_level: loud\n",
        {"CALLCENTER_HTTP_PORT": "99999", "CALLCENTER_SIPPORT": "1"},
    )
    assert lines == [
        "settings.yaml: http.prot: is not a setting; did you mean 'http.port'?",
        "environment: CALLCENTER_SIPPORT: is not a setting; did you mean 'CALLCENTER_SIP_PORT'?",
        "settings.yaml: sip.port: must be a whole number, not 'many'",
        "settings.yaml: media.ports: must begin even and end odd (RTP takes the even port, RTCP the next),"
        " not '20001-20002'",
        "settings.yaml: site.zone: must be an IANA time zone such as Europe/Vienna, not 'Mars/Base'",
        "settings.yaml: log_level: must be one of debug, info, warning, error, not 'loud'",
        "environment: CALLCENTER_HTTP_PORT: must be a port (0 takes a free one), not 99999",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1\n", "settings.yaml: must be a mapping of settings"),
        ("http: 8080\n", "settings.yaml: http: must be a mapping"),
        ("htpp: {port: 1}\n", "settings.yaml: htpp: is not a setting; did you mean 'http'?"),
        ("sip: {udp: 3}\n", "settings.yaml: sip.udp: must be true or false, not 3"),
        (
            "sip: {bind: everywhere}\n",
            "settings.yaml: sip.bind: must be an IPv4 address of this machine, not 'everywhere'",
        ),
        (
            "media: {ports: 5-1}\n",
            "settings.yaml: media.ports: must be a range of ports such as \"20000-20999\", not '5-1'",
        ),
        ("drain_s: -1\n", "settings.yaml: drain_s: must be 0 or more, not -1"),
        ("limits: {calls: 0}\n", "settings.yaml: limits.calls: must be above 0, not 0"),
        (
            "site: {region: Italy}\n",
            "settings.yaml: site.region: must be a two-letter country code such as AT, not 'Italy'",
        ),
        ("http: {origins: here}\n", "settings.yaml: http.origins: must be a list, not 'here'"),
        (
            "database_url: mysql://x\n",
            "settings.yaml: database_url: must be a postgresql:// address, not 'mysql://x'",
        ),
        ("redis_url: 3\n", "settings.yaml: redis_url: must be text or nothing, not 3"),
    ],
)
def test_bad_value_is_told_in_plain_words(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text) == [said]


def test_broken_yaml_names_file_and_line(tmp_path: Path) -> None:
    (line,) = complaint(tmp_path, "http: {port: 1\n")
    assert line.startswith("settings.yaml: ")
    assert "line 2" in line


def test_every_key_has_its_environment_variable(tmp_path: Path) -> None:
    assert ENVIRONMENT["CALLCENTER_SIP_PUBLIC_ADDRESS"] == "sip.public_address"
    assert ENVIRONMENT["CALLCENTER_DATABASE_URL"] == "database_url"
    assert len(ENVIRONMENT) == len(set(ENVIRONMENT.values()))


def test_environment_text_becomes_the_keys_type(tmp_path: Path) -> None:
    environ = {"CALLCENTER_SIP_TCP": "no", "CALLCENTER_DRAIN_S": "2.5", "CALLCENTER_REDIS_URL": ""}
    settings = load_settings(tmp_path, environ)
    assert (settings.sip.tcp, settings.drain_s, settings.redis_url) == (False, 2.5, None)


def test_settings_reach_the_application_unchanged(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {"CALLCENTER_DATABASE_URL": "postgresql://db/site"}, {"http.port": 81})
    assert from_json(settings.to_json()) == settings
    assert settings.site_database_url == "postgresql+asyncpg://db/site"


def test_sip_stays_on_loopback_until_a_trunk_lies_beyond_it() -> None:
    settings = Settings()
    assert settings.bind_address(trunks_outside=False) == "127.0.0.1"
    assert settings.bind_address(trunks_outside=True) == "0.0.0.0"


def test_sample_settings_are_good() -> None:
    sample = Path(__file__).resolve().parents[3] / "config"
    assert load_settings(sample, {}).site.name == "Sample site"
