"""`python -m callcenter.app.background COMMAND ...`: a command at the lowest priority, beside a running server."""

import sys

from callcenter.app.command import main
from callcenter.kernel.priority import set_priority

if __name__ == "__main__":
    set_priority(15)
    sys.exit(main())
