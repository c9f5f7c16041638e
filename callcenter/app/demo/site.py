"""The demo's site: the sample flows and prompts, three queues, eight agents, a trunk for the callers."""

import shutil
from pathlib import Path

import yaml

SERVICES = {"100": "billing", "200": "support", "300": "sales"}
"""Dialled number -> queue."""
AGENTS = ("Ann", "Bob", "Chen", "Dora", "Emil", "Fatma", "Gino", "Hana")
SKILLS = (("billing",), ("billing", "support"), ("support",), ("support", "sales"), ("sales",), ("sales", "billing"))
WRAP_UP_S = 6
RING_S = 12


def phone_of(index: int) -> str:
    """The telephone of agent `index`, from 0."""
    return str(2001 + index)


def write_site(source: Path, folder: Path, callers: tuple[str, int]) -> None:
    """Write a configuration into `folder`; prompts and calendars are those of `source` (a config/)."""
    (folder / "flows").mkdir(parents=True)
    shutil.copytree(source / "prompts", folder / "prompts")
    shutil.copytree(source / "calendars", folder / "calendars")
    phones = [{"user": phone_of(index), "name": name} for index, name in enumerate(AGENTS)]
    agents = [
        {
            "id": name.lower(),
            "name": name,
            "user": name.lower(),
            "phone": phone_of(index),
            "delivery": "phone",
            "skills": dict.fromkeys(SKILLS[index % len(SKILLS)], 3),
        }
        for index, name in enumerate(AGENTS)
    ]
    queues = [
        {
            "name": queue,
            "skills": {queue: 1},
            "music": "music",
            "ring_s": RING_S,
            "wrap_up_s": WRAP_UP_S,
            "record": True,
        }
        for queue in SERVICES.values()
    ]
    documents: dict[str, object] = {
        "settings.yaml": {"site": {"name": "Demo", "zone": "Europe/Rome", "region": "IT"}, "drain_s": 1.0},
        "trunks.yaml": {
            "trunks": [{"name": "callers", "addresses": [f"{callers[0]}:{callers[1]}"], "numbers": SERVICES}]
        },
        "phones.yaml": {"phones": [*phones, {"user": "2100", "name": "A caller"}], "dial": SERVICES},
        "agents.yaml": {"agents": agents},
        "queues.yaml": {"queues": queues},
    }
    documents |= {f"flows/{queue}.yaml": _flow(queue) for queue in SERVICES.values()}
    for name, document in documents.items():
        (folder / name).write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def _flow(queue: str) -> dict[str, object]:
    return {
        "name": queue,
        "language": "en",
        "start": "welcome",
        "on_error": "end",
        "nodes": {
            "welcome": {"kind": "play", "prompts": ["agents-busy", "call-recorded"], "next": "wait"},
            "wait": {
                "kind": "queue",
                "queue": queue,
                "music": ["music"],
                "next": "bye",
                "on_timeout": "bye",
                "on_full": "bye",
            },
            "bye": {"kind": "play", "prompts": ["goodbye"], "next": "end"},
            "end": {"kind": "hangup"},
        },
    }
