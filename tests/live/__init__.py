"""A real FreeSWITCH with telephones of our own; skipped where there is no FreeSWITCH."""
