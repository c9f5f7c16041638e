"""Headless Chromium, driven over its DevTools protocol: what a person at a console sees, hears read out, and presses.

Keys go in as keys and nothing is clicked: whatever a story does here can be done without a mouse.
"""

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support.server import ROOT, eventually

AXE = ROOT / "agent_ui" / "node_modules" / "axe-core" / "axe.min.js"
# Where `Page.picture` puts its files; without it none are taken.
PICTURES = os.environ.get("TEST_PICTURES")
SIZES = ((1280, 800), (1920, 1080))

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-port=0",
    "--lang=en",
)
_CODES = {"Tab": (9, ""), "Enter": (13, "\r"), "Escape": (27, ""), "ArrowDown": (40, ""), " ": (32, " ")}
_CLIPPED = """(() => {
  const wide = innerWidth, bad = []
  if (document.documentElement.scrollWidth > wide) bad.push(`page is ${document.documentElement.scrollWidth} wide`)
  for (const one of document.body.querySelectorAll('*')) {
    const box = one.getBoundingClientRect()
    if (!box.width || !box.height || one.closest('.hidden, .scroll')) continue
    const called = `${one.tagName} ${one.className} "${(one.innerText ?? '').slice(0, 40)}"`
    if (box.right > wide + 1 || box.left < -1) bad.push(`${called} is outside`)
    const {overflowX, display} = getComputedStyle(one)
    if (overflowX === 'auto' && one.scrollWidth > one.clientWidth + 1) bad.push(`${called} scrolls`)
    const isText = one.children.length === 0 && display !== 'inline'
    if (isText && one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1) bad.push(`${called} is cut`)
  }
  for (const head of document.querySelectorAll('th')) {
    const texts = document.createTreeWalker(head, NodeFilter.SHOW_TEXT)
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      for (const word of text.data.matchAll(/[A-Za-z0-9_]+/g)) {
        const range = document.createRange()
        range.setStart(text, word.index)
        range.setEnd(text, word.index + word[0].length)
        if (range.getClientRects().length > 1) bad.push(`"${word[0]}" is broken`)
      }
    }
  }
  return bad
})()"""
_FOCUS = """(() => {
  const one = document.activeElement
  if (!one || one === document.body) return ''
  return [one.getAttribute('aria-label'), one.labels?.[0]?.innerText, one.innerText, one.name].find(Boolean) ?? ''
})()"""


class Browser:
    """One Chromium; `with Browser() as browser: page = browser.page(address)`. Each page is a person of its own."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="chromium-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: ClientConnection | None = None
        self._stack = ExitStack()
        self._numbers = itertools.count(1)
        self.surprises: list[str] = []

    def __enter__(self) -> "Browser":
        command = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        assert command is not None, "there is no Chromium: make tools"
        self._process = subprocess.Popen(
            [command, *_FLAGS, f"--user-data-dir={self._folder}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "LANG": "en_US.UTF-8", "TZ": "America/New_York"},
        )
        told = self._folder / "DevToolsActivePort"
        eventually("Chromium listens", lambda: told.exists() and told.read_text().count("\n") >= 1, within_s=60)
        port, path = told.read_text().split("\n")[:2]
        address = f"ws://127.0.0.1:{port}{path}"
        self._socket = self._stack.enter_context(connect(address, max_size=None, proxy=None, compression=None))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)

    def send(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        """A command, and what it returned."""
        assert self._socket is not None
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message if session is None else {**message, "sessionId": session}))
        while True:
            told = json.loads(self._socket.recv(timeout=30))
            if told.get("method") == "Runtime.exceptionThrown":
                thrown = told["params"]["exceptionDetails"].get("exception", {})
                self.surprises.append(str(thrown.get("description", thrown))[:500])
            if told.get("id") == number:
                assert "error" not in told, f"{method}: {told}"
                result: dict[str, Any] = told["result"]
                return result

    def page(self, address: str, *, size: tuple[int, int] = SIZES[0]) -> "Page":
        """A window without anybody's cookies at `address`."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        target = self.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, context)
        for domain in ("Runtime", "Page", "Network", "Accessibility"):
            page.send(f"{domain}.enable")
        page.resize(size)
        page.send("Page.navigate", url=address)
        page.wait_for("document.readyState === 'complete'")
        return page


class Page:
    """A window. What is waited for is JavaScript that becomes true."""

    def __init__(self, browser: Browser, session: str, context: str) -> None:
        self._browser = browser
        self._session = session
        self._context = context

    def __enter__(self) -> "Page":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.picture("failed")
        self._browser.send("Target.disposeBrowserContext", browserContextId=self._context)

    def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """A command to this window."""
        return self._browser.send(method, self._session, **parameters)

    # -- what is there -----------------------------------------------------------------------------------------------

    def evaluate(self, script: str) -> Any:
        """The value of `script`, awaited."""
        told = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def wait_for(self, script: str, *, within_s: float = 10.0) -> Any:
        """The first true value of `script`; a page that is just being replaced has none."""

        def value() -> Any:
            try:
                return self.evaluate(script)
            except AssertionError:
                return None

        return eventually(f"in the browser: {script}", value, within_s=within_s)

    def sees(self, *texts: str, within_s: float = 10.0) -> None:
        """All `texts` are on the page, or will be."""
        for text in texts:
            try:
                self.wait_for(f"document.body.innerText.includes({json.dumps(text)})", within_s=within_s)
            except AssertionError:
                raise AssertionError(f"not on the page: {text!r}\n{self.text}") from None

    @property
    def text(self) -> str:
        """What can be read."""
        return str(self.evaluate("document.body.innerText"))

    @property
    def announced(self) -> str:
        """What is read out at once."""
        return str(self.evaluate("document.querySelector('[role=alert][aria-live=assertive]')?.textContent ?? ''"))

    @property
    def focus(self) -> str:
        """The name of what has the focus."""
        return str(self.evaluate(_FOCUS)).strip()

    def violations(self) -> list[str]:
        """What axe finds wrong."""
        if not self.evaluate("'axe' in window"):
            self.send("Runtime.evaluate", expression=AXE.read_text(encoding="utf-8"))
        found = self.evaluate("axe.run(document, {resultTypes: ['violations']}).then((told) => told.violations)")
        return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]

    def clipped(self) -> list[str]:
        """What does not fit where it stands."""
        found: list[str] = self.evaluate(_CLIPPED)
        return found

    def picture(self, name: str) -> None:
        """A screenshot, where somebody has asked for them."""
        if PICTURES:
            data = self.send("Page.captureScreenshot", format="png")["data"]
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            (Path(PICTURES) / f"{name}.png").write_bytes(base64.b64decode(data))

    # -- what a person does ------------------------------------------------------------------------------------------

    def press(self, *keys: str) -> None:
        """Keys, one after the other: "Tab", "Enter", "a"."""
        for key in keys:
            code, text = _CODES.get(key, (ord(key[0].upper()), key))
            down = {"key": key, "windowsVirtualKeyCode": code, "text": text}
            self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **down)
            self.send("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def act(self, key: str) -> None:
        """The one key of a button, once the button is there and takes it: one that is at work takes none."""
        there = f"document.querySelector('[aria-keyshortcuts=\"{key.upper()}\"]')"
        self.wait_for(f"{there}?.getAttribute('aria-disabled') === 'false'")
        self.press(key)

    def write(self, text: str) -> None:
        """Type `text` where the focus is."""
        self.send("Input.insertText", text=text)

    def tab_to(self, name: str, *, most: int = 80) -> None:
        """Press Tab until the focus is on what is called `name`."""
        for _ in range(most):
            if self.focus.startswith(name):
                return
            self.press("Tab")
        raise AssertionError(f"Tab never reached {name!r}, but {self.focus!r}\n{self.text}")

    def sign_in(self, login: str, password: str) -> None:
        """Through the form, with keys."""
        self.tab_to("User name")
        self.write(login)
        self.tab_to("Password")
        self.write(password)
        self.press("Enter")
        self.sees("Connected")

    def choose_file(self, selector: str, path: Path) -> None:
        """What the system's own dialog does."""
        script = f"document.querySelector({selector!r})"
        self.wait_for(f"{script} !== null")
        found = self.send("Runtime.evaluate", expression=script)["result"]["objectId"]
        self.send("DOM.setFileInputFiles", objectId=found, files=[str(path)])

    def go(self, page: str) -> None:
        """Follow the address `#page`."""
        self.evaluate(f"location.hash = {json.dumps(page)}")

    # -- the machine below -------------------------------------------------------------------------------------------

    def resize(self, size: tuple[int, int]) -> None:
        width, height = size
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def show(self, *, language: str, theme: str) -> None:
        """Have the page in `language` (en, zh) and `theme` (light, dark), the focus where it was."""
        for place, value in ((0, language), (1, theme)):
            self.evaluate(
                "(([one, value]) => { one.value = value; one.dispatchEvent(new Event('change', {bubbles: true})) })"
                f"([document.querySelectorAll('.preferences select')[{place}], {value!r}])"
            )

    def reload(self) -> None:
        self.evaluate("window.isOld = true")
        self.send("Page.reload")
        self.wait_for("!window.isOld && document.readyState === 'complete'")

    def connect(self, *, offline: bool) -> None:
        """Take the network away, or give it back. Sockets that are open stay."""
        self.send(
            "Network.emulateNetworkConditions", offline=offline, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )
