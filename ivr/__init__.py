"""The IVR room: callers' dialogues as versioned data, run by a pure machine (telephony.md section 5)."""
