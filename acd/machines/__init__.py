"""The three machines of the distributor: agent, offer, queue entry. Frozen, pure, one file each."""
