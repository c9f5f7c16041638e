"""`python -m callcenter` is the command `callcenter`."""

import sys

from callcenter.app.command import main

sys.exit(main())
