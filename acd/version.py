"""Which core decides: a name that changes with the code of the decisions, so that a log says what wrote it.

Two programs that differ here may decide differently; a replay that goes another way then proves nothing.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path

from callcenter import __version__

_HERE = Path(__file__).parent
_MODULES = ("commands.py", "core.py", "events.py", "model.py", "state.py")
_FOLDERS = ("machines", "policies", "steps")


@cache
def core_version() -> str:
    """The release and a digest of the modules that decide: `0.3.0+1f2e3d4c5b6a`."""
    files = [_HERE / name for name in _MODULES]
    for folder in _FOLDERS:
        files += sorted((_HERE / folder).glob("*.py"))
    digest = sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return f"{__version__}+{digest.hexdigest()[:12]}"
