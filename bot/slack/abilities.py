"""What this Slack does not have, learned from its refusals."""

from __future__ import annotations

import time
from collections.abc import Callable

_LACKING = {"unknown_method", "feature_disabled", "missing_scope", "not_allowed_token_type", "method_deprecated"}
_REMEMBERED_SECONDS = 600.0


class Abilities:
    """Which methods are worth a try: one that Slack does not have is left alone for a while, by everybody."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lacking_until: dict[str, float] = {}

    def has(self, method: str) -> bool:
        """Whether nothing speaks against calling it."""
        return self._clock() >= self._lacking_until.get(method, 0.0)

    def learn(self, method: str, code: str) -> None:
        """Remember a refusal, if it means that Slack does not have this method for us."""
        if code in _LACKING:
            self._lacking_until[method] = self._clock() + _REMEMBERED_SECONDS
