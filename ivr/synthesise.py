"""Speaks `config/prompts/texts.yaml` into WAV files with espeak-ng and sox: `python -m ivr.synthesise [FOLDER]`.

For authors only: the files are committed, and nothing is synthesised while calls are up.
"""

import argparse
import array
import logging
import shutil
import subprocess
import sys
import tempfile
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import yaml

from ivr import tones

log = logging.getLogger(__name__)


class Marker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tone that certain prompts begin with; `dbfs` is its peak."""

    hertz: float
    milliseconds: int
    dbfs: float
    prompts: tuple[str, ...]


class Voice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An espeak-ng voice and its speed."""

    voice: str
    words_per_minute: int


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document `texts.yaml`: prompts by id and language, number pieces by language and id."""

    marker: Marker
    peak_dbfs: float
    voices: dict[str, Voice]
    prompts: dict[str, dict[str, str]]
    numbers: dict[str, dict[str, str]]


def read_texts(path: Path) -> Texts:
    """The texts in `path`; raises msgspec.ValidationError naming what does not fit."""
    return msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), Texts)


def synthesise(folder: Path) -> int:
    """Write every WAV file that `folder`/texts.yaml asks for; returns how many. Needs espeak-ng and sox."""
    texts = read_texts(folder / "texts.yaml")
    count = 0
    for language, voice in texts.voices.items():
        spoken = {id_: by_language[language] for id_, by_language in texts.prompts.items()}
        spoken |= {f"numbers/{id_}": text for id_, text in texts.numbers[language].items()}
        for id_, text in spoken.items():
            path = folder / language / f"{id_}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            _speak(text, voice, texts.peak_dbfs, path)
            if id_ in texts.marker.prompts:
                _prepend(path, marker(texts.marker))
            count += 1
    for id_, samples in sounds().items():
        write_wav(folder / "any" / f"{id_}.wav", samples)
        count += 1
    return count


def marker(settings: Marker) -> list[float]:
    """The marker tone and the pause after it."""
    return tones.tone(settings.hertz, settings.milliseconds / 1000, settings.dbfs) + tones.silence(0.1)


def sounds() -> Mapping[str, Sequence[float]]:
    """The prompts of every language."""
    return {"beep": tones.tone(1000, 0.3, -10), "ringback": tones.ringback(), "music": tones.music()}


def write_wav(path: Path, samples: Sequence[float]) -> None:
    """8 kHz mono PCM16."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, tones.RATE, 0, "NONE", "not compressed"))
        file.writeframes(_pcm(samples))


def _pcm(samples: Sequence[float]) -> bytes:
    numbers = array.array("h", (round(sample * 32767) for sample in samples))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _prepend(path: Path, samples: Sequence[float]) -> None:
    with wave.open(str(path), "rb") as file:
        parameters, frames = file.getparams(), file.readframes(file.getnframes())
    with wave.open(str(path), "wb") as file:
        file.setparams(parameters)
        file.writeframes(_pcm(samples) + frames)


def _speak(text: str, voice: Voice, peak_dbfs: float, path: Path) -> None:
    trim = ["silence", "1", "0.005", "0.2%", "reverse"]
    with tempfile.TemporaryDirectory() as folder:
        raw = str(Path(folder) / "raw.wav")
        speed = str(voice.words_per_minute)
        _run("espeak-ng", "-v", voice.voice, "-s", speed, "-w", raw, "--", text)
        # -D: no dither, so that the same text gives the same bytes. Silence is cut at both ends, 40 ms put back.
        convert = ["-D", raw, "-r", str(tones.RATE), "-c", "1", "-b", "16", str(path)]
        _run("sox", *convert, *trim, *trim, "gain", "-n", str(peak_dbfs), "pad", "0.01", "0.04")


def _run(tool: str, *arguments: str) -> None:
    found = shutil.which(tool)
    if found is None:
        raise FileNotFoundError(f"{tool} is not installed")
    subprocess.run([found, *arguments], check=True, capture_output=True)  # noqa: S603  # texts of this repository, no shell


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m ivr.synthesise", description="Speak the prompts' texts.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("config/prompts"))
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    count = synthesise(parser.parse_args().folder)
    log.info("prompts written: %d", count)


if __name__ == "__main__":
    main()
