"""The room of calls: legs and media control. Nothing else drives them."""
