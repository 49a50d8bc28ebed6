"""Questions that a knowledge base cannot answer, because it never speaks of what they ask about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from connectors.text.analysis import STOP_WORDS

_NAMES = (
    "Salesforce", "Okta", "Snowflake", "Zendesk", "Jenkins", "MongoDB", "Splunk", "SAP", "Workday", "RabbitMQ",
    "Datadog", "Heroku", "Cassandra", "Airtable", "Figma", "Trello", "Dropbox", "Kafka", "Terraform", "GraphQL",
)  # fmt: skip
_ABOUT = (
    "How do I reset my {} password?",
    "Who owns our {} account?",
    "How long are {} backups kept?",
    "Which version of {} do we use?",
    "How do I get access to {}?",
    "What does {} cost us a month?",
)
_ELSEWHERE = (
    "Who won the last football world cup?",
    "What is the capital of Australia?",
    "How long do I have to boil an egg?",
    "Will it rain in Lisbon tomorrow?",
)


@dataclass(frozen=True, slots=True)
class Nothing:
    """A question that nothing should answer, and what about it the knowledge base never mentions."""

    ask: str
    kind: Literal["unanswerable", "out_of_scope"]
    unheard: str


@dataclass(slots=True)
class Absence:
    """Hears everything that a knowledge base says, and remembers which well-known names it has not heard."""

    _names: dict[str, frozenset[str]] = field(
        default_factory=lambda: {name: frozenset(_words_of(name)) for name in _NAMES}
    )
    _others: dict[str, frozenset[str]] = field(
        default_factory=lambda: {ask: frozenset(_words_of(ask)) for ask in _ELSEWHERE}
    )

    def take(self, text: str) -> None:
        """Hear a text."""
        heard = set(_words_of(text))
        self._names = {name: terms for name, terms in self._names.items() if not terms & heard}
        self._others = {ask: left for ask, terms in self._others.items() if (left := terms - heard)}

    def questions(self, count: int) -> Sequence[Nothing]:
        """So many questions, or as many as there are: mostly such as a colleague could ask, every fourth of another
        world."""
        inside = [
            Nothing(_ABOUT[at % len(_ABOUT)].format(name), "unanswerable", name) for at, name in enumerate(self._names)
        ]
        outside = [Nothing(ask, "out_of_scope", min(unheard)) for ask, unheard in self._others.items()]
        few = outside[: max(1, count // 4)]
        return [*inside[: count - len(few)], *few]


def _words_of(text: str) -> list[str]:
    """Its words as they stand: knowledge bases are large, and what is looked for has no other forms."""
    return [word for word in re.findall(r"[^\W_]+", text.casefold()) if word not in STOP_WORDS]
