"""What can go wrong between an app and Slack, ordered on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

Effect = Literal["lose_request", "lose_reply", "status", "error", "storm", "delay"]


@dataclass(slots=True)
class Fault:
    """Something that happens to calls of matching methods (a glob), so many times; None means always."""

    method: str
    effect: Effect
    times: int | None = 1
    error: str = ""
    status: int = 500
    seconds: float = 1.0


class Faults:
    """The faults in force. Each call takes the first that matches and has times left."""

    def __init__(self) -> None:
        self.drop_metadata = False
        """Accept metadata and forget it, as some emulators do."""
        self.list_whispers = False
        """Show whispers among the replies of their thread, as some emulators do."""
        self._faults: list[Fault] = []

    def lose_request(self, method: str, times: int | None = 1) -> None:
        """Drop the connection before anything is done."""
        self._faults.append(Fault(method, "lose_request", times))

    def lose_reply(self, method: str, times: int | None = 1) -> None:
        """Do what was asked, then drop the connection: the caller cannot know."""
        self._faults.append(Fault(method, "lose_reply", times))

    def fail(self, method: str, status: int = 500, times: int | None = 1) -> None:
        """Answer with an HTTP status and no JSON."""
        self._faults.append(Fault(method, "status", times, status=status))

    def refuse(self, method: str, error: str, times: int | None = None) -> None:
        """Answer ``ok: false`` with this error; ``unknown_method`` plays an older server."""
        self._faults.append(Fault(method, "error", times, error=error))

    def storm(self, method: str, seconds: int = 1, times: int | None = 5) -> None:
        """Answer 429 with this Retry-After."""
        self._faults.append(Fault(method, "storm", times, seconds=seconds))

    def delay(self, method: str, seconds: float, times: int | None = None) -> None:
        """Answer, but late."""
        self._faults.append(Fault(method, "delay", times, seconds=seconds))

    def no_streaming(self) -> None:
        """Be a server that has never heard of streams or of agent sessions."""
        for method in ("chat.*Stream", "agents.*", "assistant.*"):
            self.refuse(method, "unknown_method")

    def clear(self) -> None:
        """Everything works again."""
        self._faults.clear()
        self.drop_metadata = self.list_whispers = False

    def take(self, method: str) -> Fault | None:
        """The fault that befalls this call, counted."""
        for fault in self._faults:
            if fnmatchcase(method, fault.method) and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
