"""The built browser pages, served from memory.

Read once at start: a request is a look-up in a table of known addresses, so no address can leave the folder. Vite
puts a hash into the names below `assets/`, so those never change; the page itself is asked for anew (ETag).
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from callcenter.app.api.access import allow
from callcenter.kernel.errors import NotFound

_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_SQUEEZABLE = frozenset({".js", ".css", ".svg", ".html", ".json", ".webmanifest"})

NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Page not built</title>
<h1>The browser page has not been built</h1>
<p>The server is running; its API answers under <code>/api</code>. Only the page's files are missing.</p>
<p>In <code>agent_ui/</code> run <code>npm ci &amp;&amp; npm run build</code>, then start the server again.</p>
</html>
"""


@dataclass(frozen=True, slots=True)
class _File:
    media_type: str
    body: bytes
    squeezed: bytes | None
    etag: str
    immutable: bool


class Pages:
    """The files of `dist` by address."""

    def __init__(self, dist: Path) -> None:
        self._files = {
            "/" + path.relative_to(dist).as_posix(): _read(path, immutable="assets" in path.relative_to(dist).parts)
            for path in sorted(dist.rglob("*"))
            if path.is_file()
        }
        if "/index.html" in self._files:
            self._files["/"] = self._files["/index.html"]

    def answer(self, request: Request) -> Response:
        """The file at the request's address; raises NotFound."""
        path = request.url.path
        file = self._files.get(path)
        if file is None:
            if path == "/":
                return HTMLResponse(NOT_BUILT, status_code=503)
            raise NotFound("There is nothing at this address.")
        headers = {
            "ETag": file.etag,
            "Cache-Control": "public, max-age=31536000, immutable" if file.immutable else "no-cache",
            "Vary": "Accept-Encoding",
        }
        if request.headers.get("if-none-match") == file.etag:
            return Response(status_code=304, headers=headers)
        body = file.body
        if file.squeezed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            body = file.squeezed
            headers["Content-Encoding"] = "gzip"
        return Response(body, media_type=file.media_type, headers=headers)


def _read(path: Path, *, immutable: bool) -> _File:
    body = path.read_bytes()
    media_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    squeezed = gzip.compress(body, mtime=0) if path.suffix in _SQUEEZABLE else None
    etag = '"' + hashlib.sha256(body).hexdigest()[:32] + '"'
    return _File(media_type, body, squeezed, etag, immutable)


def add_page_routes(app: FastAPI, dist: Path) -> None:
    """Everything outside `/api`; to be added last, because it takes what is left."""
    pages = Pages(dist)

    @app.get("/{path:path}", dependencies=allow("public"), include_in_schema=False)
    async def page(request: Request) -> Response:
        """A file of the browser pages."""
        return pages.answer(request)
