"""Who may serve whom, and in which order: pure functions and the index that answers them without a scan."""
