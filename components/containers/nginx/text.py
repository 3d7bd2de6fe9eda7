"""nginx configuration as text: statements, blocks and quoting, and nothing that knows what they are for."""

from __future__ import annotations

from collections.abc import Iterable

Lines = list[str]


def block(head: str, *parts: Iterable[str] | str) -> Lines:
    """`head { ... }`; a part is a statement without its semicolon, or the lines of another block."""
    body = [line for part in parts for line in ([statement(part)] if isinstance(part, str) else part)]
    return [f"{head} {{", *(f"    {line}" if line else line for line in body), "}"]


def statement(text: str) -> str:
    return text if text.endswith((";", "}")) else f"{text};"


def statements(*texts: str) -> Lines:
    return [statement(text) for text in texts]


def quoted(value: str) -> str:
    """A value of the settings; those cannot hold what nginx would read as its own (`HeaderValue`)."""
    return f'"{value}"'


def switch(source: str, target: str, cases: Iterable[tuple[str, str]]) -> Lines:
    """`map source target { case value; ... }`, each case and value written as nginx has to read it."""
    return block(f"map {source} {target}", *(f"{case} {value}" for case, value in cases))


def page(*groups: Iterable[str]) -> str:
    """A file: groups of lines with an empty line between."""
    return "\n\n".join("\n".join(group) for group in groups if group) + "\n"
