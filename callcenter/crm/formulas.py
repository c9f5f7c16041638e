"""Cells that a spreadsheet would run as formulas: a leading quote makes them text, and reading takes it off again.

Source: OWASP, CSV injection. The two functions undo each other, so that an export comes back as it was.
"""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")


def quoted(cell: str) -> str:
    """`cell` so that a spreadsheet shows it and does nothing else."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unquoted(cell: str) -> str:
    """What `quoted` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
