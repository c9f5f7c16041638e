"""Fixtures that several rooms' tests share, and how far Hypothesis may wander.

`house` repeats the same examples in every run: a build never fails by luck. `explore` (the soak) looks for new ones.
"""

import os

from hypothesis import Phase, settings

pytest_plugins = ["tests.support.postgres", "tests.support.site"]

# Without explain, and shrinking for as long as it takes in the soak only: a failing build must say so in its time.
_PHASES = [Phase.explicit, Phase.reuse, Phase.generate, Phase.target]
settings.register_profile("house", derandomize=True, deadline=None, database=None, phases=_PHASES, print_blob=True)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))
