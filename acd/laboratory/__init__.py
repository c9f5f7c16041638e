"""The laboratory: the production core (`acd.core`) under a virtual clock (acd.md section 7).

Pure: no clock, and chance only through the generators that a caller hands in. What runs it (processes, files, the
command line) is `acd.experiment` and `acd.command`.
"""
