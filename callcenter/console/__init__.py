"""The browsers' side: websocket protocol, live view, fan-out and the screen pop. An adapter: it knows no routes."""
