"""`grantdesk faq …`: for writers of articles and for whoever doubts an answer."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from faq import evaluation, held_out, training
from faq.library import Library, LibraryError

faq_app = typer.Typer(help="The knowledge layer: try it, measure it, check it.", no_args_is_help=True)

_OUT = Console()
_ERR = Console(stderr=True)

CsvFile = Annotated[Path, typer.Argument(help="Labelled questions: lang,text,labels.", exists=True, dir_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Fractions as JSON instead of a table.")]


@faq_app.command()
def ask(
    text: Annotated[str, typer.Argument(help="A question, as somebody would type it.")],
    lang: Annotated[str, typer.Option(help="The language of the answer's title: zh-CN, zh-TW or en.")] = "en",
) -> None:
    """Explain what one question finds, and why."""
    library = _library()
    matcher = training.build(library)
    for line in evaluation.explain(text, matcher):
        _OUT.print(line, markup=False, highlight=False, soft_wrap=True)
    best = matcher.match(text).best
    title = library.article(best, lang).title if best in library.slugs else "(silence)"
    _OUT.print(f"answer    {title}", markup=False, highlight=False, soft_wrap=True)


@faq_app.command(name="eval")
def evaluate(file: CsvFile, *, as_json: AsJson = False) -> None:
    """Measure the matcher on labelled questions."""
    result = evaluation.evaluate(_rows(file), training.build(_library()))
    if as_json:
        typer.echo(json.dumps(result))
    else:
        _OUT.print(evaluation.table(result, file.name))


@faq_app.command()
def check() -> None:
    """Check every article, phrase and the trained files; for writers, before a pull request."""
    library = _library()
    problems = evaluation.check(library, training.build(library))
    for problem in problems:
        _ERR.print(problem, markup=False, highlight=False, soft_wrap=True)
    if problems:
        raise typer.Exit(1)
    _OUT.print(f"{len(library.slugs)} topics, {len(library.phrases())} phrases: all well.")


@faq_app.command()
def train() -> None:
    """Teach the matcher anew from the article heads; writes weights.json and gate.json."""
    training.teach(_library(), say=_ERR.print)


@faq_app.command(name="held-out")
def held_out_command(file: CsvFile, *, as_json: AsJson = False) -> None:
    """Train without an author and test on that author only, split by split; takes minutes. Needs a column author."""
    results = {}
    for split, result in held_out.run_all(_rows(file), _library(), say=_ERR.print):
        results[split.name] = result
        if not as_json:
            _OUT.print(evaluation.table(result, split.name))
    if as_json:
        typer.echo(json.dumps(results))


def _library() -> Library:
    try:
        return Library.load(collisions=True)
    except LibraryError as error:
        _ERR.print(str(error), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error


def _rows(file: Path) -> list[evaluation.Row]:
    try:
        return evaluation.read_rows(file)
    except evaluation.RowsError as error:
        _ERR.print(str(error), markup=False)
        raise typer.Exit(1) from error
