"""Questions on disk: persisted before they are acknowledged, claimed by one process, finished once."""
