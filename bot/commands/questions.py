"""Starts a team's own question file, and grows it from what people really asked."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from bot import console, results
from bot.commands.house import AsJson, ConfigPath, house_of, show
from bot.settings import Duration
from connectors.errors import Misconfigured

commands = typer.Typer(
    help="Write the questions that `quoth eval FILE --answers` asks: start a file, grow it, check it.",
    no_args_is_help=True,
)

DEFAULT = Path("questions.yaml")
_PRINTED = Path("-")

KnowledgeBase = Annotated[
    str | None, typer.Option("--kb", metavar="KB", help="The knowledge base; not needed where there is only one.")
]
Output = Annotated[
    Path,
    typer.Option("-o", "--output", metavar="FILE", help="Where to write: YAML, or JSON lines as .jsonl; - prints."),
]


@commands.command("init")
def start_file(  # noqa: PLR0913, PLR0917  # a command's options are its parameters
    context: typer.Context,
    kb: KnowledgeBase = None,
    output: Output = DEFAULT,
    count: Annotated[
        int,
        typer.Option(
            "-n",
            min=1,
            max=1000,
            metavar="N",
            help="How many questions to propose; some that nothing answers come on top.",
        ),
    ] = 40,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if there is one.")] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Start a question file from your own knowledge base.

    Headings, definitions, commands and tables of its documents are turned into
    questions, each with words of the passage that answers it and the document
    to be cited; a few more ask what nothing there answers. No model is used,
    and the same knowledge base gives the same file.

    They are proposals: read each one, say it as your people would, and correct
    what a right answer must say. Then: quoth eval questions.yaml --answers
    """
    from bot.evaluation.answers.reading import records_in  # noqa: PLC0415  # needed here alone
    from bot.evaluation.answers.standing import the_only_one  # noqa: PLC0415
    from bot.evaluation.answers.starting import started  # noqa: PLC0415
    from bot.evaluation.answers.writing import write  # noqa: PLC0415

    if output.exists() and not force and output != _PRINTED:
        raise Misconfigured(f"{output} is there already. Name another file with -o, or replace it with --force.")
    with house_of(context, config) as house:
        base = kb or the_only_one(house.settings, "The command")
        text = started(house, house.ledger, base, count, as_lines=output.suffix == ".jsonl")
    if output == _PRINTED:
        sys.stdout.write(text)
        return
    write(output, text)
    _, questions = records_in(output)
    told = {"file": str(output), "knowledge_base": base, "questions": len(questions)}
    show(context, as_json, told, lambda: _show_started(told))


@commands.command("record")
def record(
    context: typer.Context,
    kb: Annotated[
        str | None, typer.Option("--kb", metavar="KB", help="Only what was answered from this knowledge base.")
    ] = None,
    since: Annotated[str, typer.Option(metavar="TIME", help="How far back: 12h, 30d.")] = "30d",
    output: Output = DEFAULT,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Turn questions that got feedback in Slack into cases.

    A question whose answer people found helpful is added with short words of
    that answer as its facts and the cited documents as its sources; one that
    they did not is added with `review: true`: it is not asked until a person
    has written what is right. Earlier messages of the thread come along.

    Only what is still kept can be recorded (keep_words in quoth.yaml). A file
    that is there keeps all that it holds; questions it has are not added again.
    """
    from bot.evaluation.answers.growing import grown  # noqa: PLC0415  # needed here alone
    from bot.evaluation.answers.writing import write  # noqa: PLC0415

    within = _duration(since)
    with house_of(context, config) as house:
        if kb is not None:
            house.scope_of(kb)
        if not house.settings.keep_words:
            raise Misconfigured("keep_words is 0 in quoth.yaml: questions and answers are not kept, so none is there.")
        rated = [one for one in asyncio.run(house.inbox.rated(within)) if kb in (None, one.knowledge_base)]
        bases = list(house.settings.knowledge_bases)
    growth = grown(None if output == _PRINTED else output, rated, kb or (bases[0] if len(bases) == 1 else None))
    if growth.added and output == _PRINTED:
        sys.stdout.write(growth.text)
        return
    if growth.added:
        write(output, growth.text)
    told = {"file": str(output), "added": growth.added, "to_review": growth.to_review, "known": growth.known}
    show(context, as_json, told, lambda: _show_recorded(told, since))


@commands.command("check")
def check(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A question file.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Validate a question file: every mistake is named with its line."""
    from bot.evaluation.answers.reading import questions_in  # noqa: PLC0415  # needed here alone

    questions = questions_in(file)
    answerable = sum(case.is_answerable for case in questions.cases)
    told = {
        "file": str(file),
        "answerable": answerable,
        "nothing": len(questions.cases) - answerable,
        "to_review": questions.waiting,
    }
    show(context, as_json, told, lambda: _show_checked(told))


@commands.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of question files, for editors."""
    from bot.evaluation.answers.form import schema  # noqa: PLC0415  # needed here alone

    sys.stdout.write(results.line_of(schema()) + "\n")


def _duration(text: str) -> timedelta:
    try:
        length: timedelta = TypeAdapter(Duration).validate_python(text)
    except ValidationError:
        raise Misconfigured(f"--since takes a number and a unit, such as 12h or 30d, not “{text}”.") from None
    return length


def _show_started(told: dict[str, Any]) -> None:
    file = told["file"]
    console.out.print(f"{told['questions']} questions are in {file}. Read and correct them, then:", markup=False)
    console.out.print(f"    quoth eval {file} --answers", markup=False)


def _show_recorded(told: dict[str, Any], since: str) -> None:
    if not told["added"]:
        known = f"{told['known']} are in {told['file']} already" if told["known"] else "none is there"
        console.out.print(f"Nothing to add: of the questions with feedback in the last {since}, {known}.", markup=False)
        return
    console.out.print(f"{told['added']} questions were added to {told['file']}.", markup=False)
    if told["to_review"]:
        console.out.print(f"{told['to_review']} of them wait for a person: look for “review: true”.", markup=False)


def _show_checked(told: dict[str, Any]) -> None:
    counts = f"{told['answerable']} questions with an answer, {told['nothing']} without one"
    console.out.print(f"{told['file']} is valid: {counts}, {told['to_review']} to review.", markup=False)
