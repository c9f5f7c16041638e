"""`callcenter run` with stub children: `python -m tests.support.stub_server DATA [key=value ...]`."""

import sys
from pathlib import Path

from callcenter.app.endpoints import Endpoints
from callcenter.app.settings import load_settings
from callcenter.app.start import run_server
from callcenter.app.supervisor import Modules
from callcenter.kernel.errors import ConfigError

STUBS = Modules(
    application="tests.support.stub_application",
    worker="tests.support.stub_worker",
    first_start="tests.support.stub_first_start",
)

if __name__ == "__main__":
    data = Path(sys.argv[1])
    flags: dict[str, object] = {"data": str(data), "http.port": 0, "sip.port": 0, "media.workers": 2, "drain_s": 30}
    for word in sys.argv[2:]:
        key, _, value = word.partition("=")
        flags[key] = int(value) if value.isdigit() else value
    try:
        sys.exit(run_server(load_settings(data, {}, flags), data, Endpoints((), ()), STUBS))
    except ConfigError as error:
        print(error.message, file=sys.stderr)
        sys.exit(78)
