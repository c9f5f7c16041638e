"""`python -m callcenter.app.background COMMAND ...`: a command at the lowest priority, beside a running server."""

import os
import sys

from callcenter.app.command import main

if __name__ == "__main__":
    os.nice(15)
    sys.exit(main())
