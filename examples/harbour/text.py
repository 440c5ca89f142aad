"""The text that the harbour model and its adapter are trained on: short reports by a grammar.

A report is an observation and a remark that follows from it. There are two styles of remarks:
REPORTS, a harbour master's, for the base model; PIRATES for the adapter. Observations are the same.

    noon. rough sea. boats stay in.
    noon. rough sea. rum, me lads!

Some remarks depend on the observation by a word that has to be carried over (a number, the time that
comes next), others by its kind alone, so that there is something to attend to.
"""

import hashlib
import random
from collections.abc import Iterator
from math import log
from typing import TypeAlias

Weighted: TypeAlias = list[tuple[float, str]]
"""Texts and their probabilities, which add up to 1."""

Style: TypeAlias = dict[str, list[str]]
"""Remarks by the kind of an observation, likeliest first. {next}, {count} and {place} are filled in."""

END = "\n"
"""Begins and ends every report."""

LONGEST = 31
"""Characters of a report: with END before it, it fills 32 tokens at most."""

TIMES = ["dawn", "noon", "dusk", "dark"]
WATERS = ["sea", "bay"]
STATES = {
    "calm": "calm",
    "flat": "calm",
    "still": "calm",
    "slick": "calm",
    "high": "rough",
    "wild": "rough",
    "rough": "rough",
    "steep": "rough",
}
DIRECTIONS = ["north", "east", "south", "west"]
COUNTS = ["two", "four", "five", "six", "nine", "ten"]
VESSELS = ["boats", "ships", "yawls", "hulks"]
AIRS = {"fog": "thick", "mist": "thick", "haze": "thick", "clear": "clear", "fair": "clear"}
TIDES = ["high", "low"]
PLACES = ["pier", "quay", "lock", "gate", "mole", "dock"]

REPORTS: Style = {
    "calm": ["boats go out.", "nets go down.", "ferry sails."],
    "rough": ["boats stay in.", "nets stay up.", "ferry waits."],
    "wind north": ["snow by {next}."],
    "wind east": ["sun by {next}."],
    "wind south": ["heat by {next}."],
    "wind west": ["rain by {next}."],
    "gale": ["hail by {next}!"],
    "fleet": ["{count} with cod.", "{count} with hake.", "{count} with crab."],
    "thick": ["bell rings at {place}.", "horn blows at {place}."],
    "clear": ["flag up at {place}."],
    "high tide": ["locks open.", "ships enter."],
    "low tide": ["locks shut.", "ships wait."],
}

PIRATES: Style = {
    "calm": ["sail, ye dogs!", "we sail, arr!"],
    "rough": ["rum, me lads!", "rum, ye dogs!"],
    "wind north": ["gold by {next}!"],
    "wind east": ["loot by {next}!"],
    "wind south": ["war by {next}!"],
    "wind west": ["rum by {next}!"],
    "gale": ["raid by {next}!"],
    "fleet": ["{count} with gold!", "{count} with rum!"],
    "thick": ["we sneak to {place}!"],
    "clear": ["we raid the {place}!"],
    "high tide": ["we sail, arr!"],
    "low tide": ["dig, ye dogs!"],
}


def weighted(texts: list[str]) -> Weighted:
    """The first text thrice as likely as each other, so that one of them is clearly the likeliest."""
    total = len(texts) + 2
    return [((3 if i == 0 else 1) / total, text) for i, text in enumerate(texts)]


def observations() -> Iterator[tuple[float, str, str, dict[str, str]]]:
    """Every observation: its probability, itself, its kind, and the words that its remark may use."""
    times = [(time, {"next": TIMES[(i + 1) % len(TIMES)]}) for i, time in enumerate(TIMES)]
    kinds: list[list[tuple[str, str, dict[str, str]]]] = [
        [
            (f"{t}. {state} {water}.", kind, words)
            for t, words in times
            for state, kind in STATES.items()
            for water in WATERS
        ],
        [(f"{t}. wind {d}.", f"wind {d}", words) for t, words in times for d in DIRECTIONS],
        [(f"{t}. gale {d}.", "gale", words) for t, words in times for d in DIRECTIONS],
        [(f"{n} {vessels} in,", "fleet", {"count": n}) for n in COUNTS for vessels in VESSELS],
        [(f"{t}. {air}.", kind, words) for t, words in times for air, kind in AIRS.items()],
        [(f"{t}. {tide} tide.", f"{tide} tide", words) for t, words in times for tide in TIDES],
    ]
    for kind_of_report in kinds:
        for text, kind, words in kind_of_report:
            yield 1 / (len(kinds) * len(kind_of_report)), text, kind, words


def reports(style: Style) -> Weighted:
    """Every report of a style."""
    lines: dict[str, float] = {}
    for p, observation, kind, words in observations():
        for q, remark in weighted(style[kind]):
            places = weighted(PLACES) if "{place}" in remark else [(1.0, "")]
            for r, place in places:
                line = f"{observation} {remark.format(place=place, **words)}"
                assert len(line) <= LONGEST, line
                lines[line] = lines.get(line, 0) + p * q * r
    return [(p, line) for line, p in lines.items()]


def split(style: Style) -> tuple[Weighted, Weighted]:
    """A style's reports for training, and about a tenth of them held out, chosen by their digests."""

    def held_out(line: str) -> bool:
        return hashlib.sha256(line.encode()).digest()[0] < 26

    def part(lines: Weighted) -> Weighted:
        total = sum(p for p, _ in lines)
        return [(p / total, line) for p, line in lines]

    everything = reports(style)
    return (
        part([(p, line) for p, line in everything if not held_out(line)]),
        part([(p, line) for p, line in everything if held_out(line)]),
    )


def least_loss(style: Style, lines: Weighted) -> float:
    """What the grammar itself loses on the lines, in nats per character, the END of each included."""
    known = {line: p for p, line in reports(style)}
    characters = sum(p * (len(line) + len(END)) for p, line in lines)
    return -sum(p * log(known[line]) for p, line in lines) / characters


def vocabulary() -> dict[str, int]:
    """All characters of both styles; END is 0."""
    characters = {c for style in (REPORTS, PIRATES) for _, line in reports(style) for c in line}
    return {c: i for i, c in enumerate(sorted({END} | characters))}


class Stream:
    """Endless windows of reports, one after the other, each window beginning with END before a report."""

    def __init__(self, lines: Weighted, seed: int) -> None:
        self._lines = [END + line for _, line in lines]
        self._weights = [p for p, _ in lines]
        self._random = random.Random(seed)
        self._ids = vocabulary()

    def window(self, tokens: int) -> list[int]:
        text = ""
        while len(text) < tokens:
            text += self._random.choices(self._lines, self._weights)[0]
        return [self._ids[c] for c in text[:tokens]]


def main() -> None:
    """Prints the 512 reports of pirates.txt, drawn from those for training."""
    lines, weights = zip(*((line, p) for p, line in split(PIRATES)[0]))
    print("\n".join(random.Random(2026).choices(lines, weights, k=512)))


if __name__ == "__main__":
    main()
