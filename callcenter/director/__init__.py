"""The order of things between the rooms: who is rung after what was popped, who is joined, who ended what."""
