"""Pure: what may become of a ticket."""
