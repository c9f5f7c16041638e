"""One file for each step of the schema; a published step is never edited."""
