"""A first start for the supervisor's tests: says that it ran and leaves the file that says so for ever."""

import argparse
from pathlib import Path

from callcenter.app.settings import from_json

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("config", "settings"):
        parser.add_argument(f"--{name}", required=True)
    settings = from_json(Path(parser.parse_args().settings).read_text(encoding="utf-8"))
    (settings.data_dir / "first-start.txt").write_text("made\n", encoding="utf-8")
    print("first start", flush=True)
