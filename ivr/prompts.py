"""Which WAV file a prompt id is: `FOLDER/<language>/<id>.wav`, else `FOLDER/any/<id>.wav` (music, beep)."""

from collections.abc import Iterable
from pathlib import Path

ANY_LANGUAGE = "any"


class PromptFolder:
    """The prompts that a folder held when it was read; `refresh` reads it again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._files: dict[tuple[str, str], str] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the folder again (after prompts were added)."""
        files: dict[tuple[str, str], str] = {}
        for path in sorted(self._folder.rglob("*.wav")):
            language, *rest = path.relative_to(self._folder).with_suffix("").parts
            if rest:
                files[language, "/".join(rest)] = str(path)
        self._files = files

    def find(self, language: str, prompt: str) -> str | None:
        """The absolute path of `prompt` in `language` (or for any language), None when there is none."""
        return self._files.get((language, prompt)) or self._files.get((ANY_LANGUAGE, prompt))

    def ids(self, languages: Iterable[str]) -> frozenset[str]:
        """Every prompt id that exists in one of `languages` or for any."""
        wanted = {*languages, ANY_LANGUAGE}
        return frozenset(prompt for language, prompt in self._files if language in wanted)
