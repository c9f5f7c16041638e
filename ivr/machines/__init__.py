"""Pure machines of the IVR room."""
