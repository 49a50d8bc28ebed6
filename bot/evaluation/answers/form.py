"""The form of a question file, and what each part of it may say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from bot.evaluation.answers.plain import tokens_of
from bot.evaluation.records import storable

_MOST = 200  # Characters of an id; facts, sources, turns of a question. More is a mistake of what wrote the file.

Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1),
    BeforeValidator(lambda text: storable(text) if isinstance(text, str) else text),
]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=_MOST),
    BeforeValidator(
        lambda name: storable(str(name)) if isinstance(name, int | str) and not isinstance(name, bool) else name
    ),
    WithJsonSchema({"type": ["string", "integer"]}),
]
Ways = Annotated[
    list[Text],
    BeforeValidator(lambda fact: [fact] if isinstance(fact, str) else fact),
    Field(min_length=1, max_length=_MOST),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "maxItems": _MOST},
            ]
        }
    ),
]
Turn = tuple[Literal["user", "agent"], Text]


class _Part(BaseModel):
    """Keys that nobody knows are mistakes; a key without a value is one that was left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _given(cls, said: Any) -> Any:
        return {key: value for key, value in said.items() if value is not None} if isinstance(said, dict) else said


class AskedQuestion(_Part):
    """A question, and what is right to answer."""

    id: Name | None = None
    """Unique in its file; q1, q2 … by position where it is left out."""
    ask: Text
    """The words of the question."""
    expect: Literal["answer", "nothing"] = "answer"
    """nothing: the knowledge base does not answer this, and an honest no is right."""
    kind: Literal["unanswerable", "out_of_scope"] | None = None
    """Why nothing is right, for the breakdown; unanswerable where it is left out."""
    facts: Annotated[list[Ways], Field(max_length=_MOST)] = []
    """Each must stand in a correct answer; a list names several ways to say one thing. Case, white space, Markdown and
    punctuation do not matter; numbers must be the same."""
    answer: Text | None = None
    """A reference answer: the answer's words are compared with it."""
    sources: Annotated[list[Text], Field(max_length=_MOST)] = []
    """Documents that a correct answer cites: a document id, an end of one (a path, a page id), a URL or a title."""
    turns: Annotated[list[Turn], Field(max_length=_MOST)] = []
    """Earlier messages of the thread, oldest first, without the question: [[user, …], [agent, …]]."""
    knowledge_base: Text | None = None
    """Where this question is asked; the file's knowledge base where it is left out."""
    review: StrictBool = False
    """A person has to look at this first: it is not asked."""

    @model_validator(mode="after")
    def _makes_sense(self) -> AskedQuestion:
        if self.expect == "answer":
            if self.kind is not None:
                raise ValueError(f"“kind: {self.kind}” is for questions with “expect: nothing”")
            if empty := [at for at, ways in enumerate(self.facts, start=1) if not all(map(tokens_of, ways))]:
                raise ValueError(f"has no word, number or sign to look for in “facts” {empty[0]}")
            if not self.facts and not self.review:
                raise ValueError("needs “facts”, what a correct answer says; or “expect: nothing” if none can be given")
        elif wrong := [key for key in ("facts", "answer", "sources") if getattr(self, key)]:
            raise ValueError(f"expects nothing, so it can have no “{wrong[0]}”")
        return self


class QuestionFile(_Part):
    """A question file: YAML, or JSON lines with one question each."""

    knowledge_base: Text | None = None
    """Where questions are asked; --kb overrides it."""
    questions: Annotated[list[AskedQuestion], Field(min_length=1)]


def schema() -> dict[str, Any]:
    """The JSON Schema of question files."""
    return QuestionFile.model_json_schema()
