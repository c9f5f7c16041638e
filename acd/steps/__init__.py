"""What an input brings about, over all the machines that it moves: pure functions of the state.

A module has the inputs of one side and names them in `HANDLERS`; `acd.core` joins them, and knows whose `lapse` runs
when a deadline has come.
"""
