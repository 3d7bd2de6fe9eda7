"""Random regular expressions, most of them valid, some of them not: both sides must agree on that as well."""

from __future__ import annotations

from random import Random

_ATOMS = ("a", "A", "b", "z", "0", "9", "-", "_", "/", ".", r"\.", r"\\", r"\/", r"\x41", r"\x00", r"\n", r"\t")
_CLASSES = (r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", "[a-z]", "[^a-z]", "[aA0]", r"[\d_]", r"[^\W]", "[]a]", "[^]a]")
_CLASSES += (
    "[-a]",
    "[a-]",
    "[[:alpha:]]",
    "[[:^digit:]a]",
    "[a-z&&[^b]]",
    "[a-z--b]",
    "[ab~~bz]",
    "[a[0-9]]",
    r"[\x41-\x5a]",
)
_CLASSES += ("[A-z]", "[ -~]", r"[\]\[]", "[[:upper:][:digit:]]", "[&a]", "[a&]", r"[\-a]", r"[^\n]", "[^^]", "[.*+]")
_PLACES = ("^", "$", r"\b", r"\B", r"\A", r"\z", r"\b{start}", r"\b{end}", r"\<", r"\>")
_REPEATS = ("*", "+", "?", "{2}", "{1,}", "{0,2}", "*?", "+?", "??", "{1,2}?", "{0}", "**", "++", "?+", "{2}{2}")
_FLAGS = ("(?i)", "(?s)", "(?m)", "(?x)", "(?U)", "(?-i)", "(?is)", "(?i-s)")
_BROKEN = (
    r"(?=a)",
    r"(?!a)",
    r"(?<=a)",
    r"(?<!a)",
    r"\1",
    r"\Z",
    r"(?P=n)",
    "(",
    ")",
    "[",
    "{",
    "a{2,1}",
    "[z-a]",
    "*",
)
_BROKEN += (
    r"\pL",
    r"\q",
    r"\h",
    r"\K",
    "a{,2}",
    "(?>a)",
    "(?#c)",
    r"\e",
    r"\0",
    r"\8",
    "[a-\\d]",
    "x{9999999999}",
    "(?P<1>a)",
)
_BROKEN += (
    "\N{LATIN SMALL LETTER E WITH ACUTE}",
    "[\N{LATIN SMALL LETTER E WITH ACUTE}]",
    r"\x{e9}",
    r"\u00e9",
    "(?L)",
    "(?)",
    r"[\b]",
    "}",
    "]",
)


def pattern(random: Random) -> str:
    """A pattern as it stands between the quotes of a rule."""
    text = choice(random, random.randint(0, 3))
    if random.random() < 0.15:
        text = random.choice(_FLAGS) + text
    if random.random() < 0.08:
        spot = random.randint(0, len(text))
        text = text[:spot] + random.choice(_BROKEN) + text[spot:]
    return text


def choice(random: Random, depth: int) -> str:
    options = [sequence(random, depth) for _ in range(random.choice((1, 1, 1, 2, 3)))]
    return "|".join(options)


def sequence(random: Random, depth: int) -> str:
    return "".join(repeated(random, depth) for _ in range(random.randint(0 if depth else 1, 4)))


def repeated(random: Random, depth: int) -> str:
    part = atom(random, depth)
    return part + random.choice(_REPEATS) if random.random() < 0.3 else part


def atom(random: Random, depth: int) -> str:
    roll = random.random()
    if depth and roll < 0.25:
        opening = random.choice(("(", "(?:", "(?i:", "(?s:", "(?-i:", "(?m:", "(?P<n>", "(?x:"))
        return f"{opening}{choice(random, depth - 1)})"
    if roll < 0.35:
        return random.choice(_PLACES)
    if roll < 0.4:
        return random.choice(_FLAGS)
    return random.choice(_CLASSES) if roll < 0.6 else random.choice(_ATOMS)
