"""The call-centre server: composition, adapters, director and the rooms that live under one roof."""

__version__ = "0.1.0"
