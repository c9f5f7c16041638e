"""The distributor: which waiting caller is offered to which agent, and why (acd.md).

A pure, deterministic core (`acd.core`) with its log around it (`acd.service`). It owns agents' states, queue entries
and offers; it never touches a leg, a clock or a socket.
"""
