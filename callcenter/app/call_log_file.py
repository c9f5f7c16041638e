"""Reads call logs from files: plain or gzip, told apart by their first bytes and not by their names."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from callcenter.kernel.errors import InvalidInput

_GZIP = b"\x1f\x8b"


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """The file's lines as text; bytes that are no UTF-8 become U+FFFD. Raises InvalidInput."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
            file.seek(0)
            raw = gzip.GzipFile(fileobj=file) if packed else file
            # Rows end with CR LF or LF; a lone CR is part of a cell.
            with io.TextIOWrapper(raw, encoding="utf-8", errors="replace", newline="\n") as text:
                yield text
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidInput(f"{path}: the gzip file is damaged or not whole", data={"field": "file"}) from error
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}", data={"field": "file"}) from error


def name_of(path: Path) -> str:
    """What the file is called in the database: its name, without the .gz that says only how it is packed."""
    return path.name.removesuffix(".gz")[-128:]


def zone_of(name: str) -> ZoneInfo:
    """The IANA zone `name`. Raises InvalidInput."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(f"zone: there is no IANA zone {name!r}", data={"field": "zone"}) from error
