"""What a run plays on, and what its prompts and expressions mean there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from callcenter.calendars import Calendar
from ivr.expressions import Names, Template, Value
from ivr.model import Flow, Prompt, PromptFile
from ivr.speech import NotSpeakable, say_digits, say_number

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class MissingPrompt(Exception):
    """A prompt that was there when the flow was checked has no file any more."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The document of a run's version, the prompts and the calendars of the site."""

    flow: Flow
    prompt: PromptFile
    calendars: Mapping[str, Calendar]

    def time(self, wall: datetime) -> Mapping[str, Value]:
        """The fields of `time` at `wall` in the flow's zone."""
        local = wall.astimezone(ZoneInfo(self.flow.zone))
        return {
            "hour": local.hour,
            "minute": local.minute,
            "weekday": WEEKDAYS[local.weekday()],
            "day": local.day,
            "month": local.month,
            "date": local.date().isoformat(),
        }

    def files(self, prompts: tuple[Prompt, ...], language: str, names: Callable[[], Names]) -> tuple[str, ...]:
        """The WAV files of `prompts`, in order; raises MissingPrompt, NotSpeakable, ExpressionError."""
        files: list[str] = []
        for prompt in prompts:
            ids = (prompt,) if isinstance(prompt, str) else _spoken(prompt.style, prompt.what, language, names())
            for id_ in ids:
                file = self.prompt(language, id_)
                if file is None:
                    raise MissingPrompt(id_)
                files.append(file)
        return tuple(files)


def _spoken(style: Literal["digits", "number"], what: Template, language: str, names: Names) -> tuple[str, ...]:
    text = what.text(names)
    if style == "digits":
        return say_digits(text, language)
    try:
        return say_number(int(text), language)
    except ValueError:
        raise NotSpeakable("not a number") from None
