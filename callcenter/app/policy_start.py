"""Which policy a starting application runs, before the site database answers.

`DATA/policy.json` (0600) keeps the active version with a digest of the files of config/ as they were when they were
last taken in. While the files are the same, that version holds; files that have changed hold themselves
(`policy_side` makes a version of them once the database is there).
"""

import json
import logging
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from acd.config import AGENTS, QUEUES, Roster
from acd.policy_text import PolicyInvalid, Texts, checked
from callcenter.app.inherited import write_whole

log = logging.getLogger(__name__)

KEPT = "policy.json"


@dataclass(frozen=True, slots=True)
class KeptPolicy:
    """What `DATA/policy.json` says: the active version, and the digest of the files as they were then."""

    number: int
    files: str
    texts: Texts


def texts_of(config: Path) -> Texts:
    """Both files as they are. Raises OSError, UnicodeDecodeError."""
    return Texts(*((config / name).read_text(encoding="utf-8") for name in (QUEUES, AGENTS)))


def digest_of(texts: Texts) -> str:
    """What tells these texts from others."""
    return sha256(f"{len(texts.queues)}\n{texts.queues}{texts.agents}".encode()).hexdigest()


def kept_policy(data: Path) -> KeptPolicy | None:
    """None before the first version, and when the file is not one."""
    try:
        found = json.loads((data / KEPT).read_text(encoding="utf-8"))
        return KeptPolicy(int(found["number"]), str(found["files"]), Texts(found["queues"], found["agents"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        log.warning("the kept policy cannot be read")
        return None


def active_roster(config: Path, data: Path) -> Roster | None:
    """The active version; None: the files of `config` hold, because they have changed or nothing was kept."""
    kept = kept_policy(data)
    if kept is not None:
        try:
            if digest_of(texts_of(config)) == kept.files:
                return checked(kept.texts)
        except (OSError, UnicodeDecodeError):
            pass  # whoever reads them says what is wrong with them
        except PolicyInvalid:
            log.error("the active policy is not one for this version of the program, config/ holds")  # noqa: TRY400 - said whole
    return None


def keep_policy(data: Path, kept: KeptPolicy) -> None:
    """For the next start."""
    texts = kept.texts
    document = {"number": kept.number, "files": kept.files, "queues": texts.queues, "agents": texts.agents}
    write_whole(data / KEPT, json.dumps(document, ensure_ascii=False))
