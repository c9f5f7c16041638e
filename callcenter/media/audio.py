"""The standard library's audio arithmetic; from Python 3.13 the package audioop-lts provides it."""

import warnings

__all__ = ["audioop"]

with warnings.catch_warnings():
    # Python 3.11 and 3.12 announce that the module will leave.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop
