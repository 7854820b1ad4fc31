"""What came of the product beside the floor: ratios, which aims are reached, tables and charts."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.charts import bars
from benchmarks.page import PICTURES, measured_on, table, write

IN_WORDS = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
FLOOR, PRODUCT, FULL = "floor", "product", "product, full database"
OF_FLOOR, TIMES_P99, FLAT, A_SECOND, START, MEMORY = 0.6, 2.0, 0.9, 200, 2.0, 150
"""The aims. FLAT: of the turns a second on an empty database. START: seconds. MEMORY: MB."""


def in_words(turns: dict) -> str:
    """What was measured on."""
    slower = f" + {turns['commit_ms']:g} ms a commit" if turns["commit_ms"] else ""
    sooner = "" if turns["waits_for_disk"] else ", not waiting for the disk"
    return IN_WORDS[turns["vendor"]] + slower + sooner


def is_as_shipped(turns: dict) -> bool:
    return turns["waits_for_disk"] and not turns["commit_ms"]


def ratios(turns: dict, key: str, name: str, to: str = FLOOR) -> list[float]:
    """One for each round, of two who had the same minute; the first round warms up."""
    ours, theirs = (turns["rounds"][one][1:] for one in (name, to))
    return [a[key] / b[key] for a, b in zip(ours, theirs, strict=True)]


def spread(values: list[float]) -> str:
    """The median, and from where to where."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


# Aims --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Aim:
    """What is to be reached, and what was."""

    what: str
    came: str
    is_reached: bool

    @property
    def verdict(self) -> str:
        return f"{self.came}: {'reached' if self.is_reached else 'missed'}"


def aims(turns: dict, rate: dict | None) -> Iterator[Aim]:
    """Of the product on an empty and on a full database, whichever is further from the aim."""
    ours = [name for name in turns["contestants"] if name != FLOOR]
    came = [turns["contestants"][name] for name in ours]
    speed, p99 = (
        [statistics.median(ratios(turns, key, name)) for name in ours]
        for key in ("turns_a_second", "p99")
    )
    yield Aim(
        f"at least {OF_FLOOR} of the floor's turns a second",
        f"{min(speed):.2f}",
        min(speed) >= OF_FLOOR,
    )
    yield Aim(
        f"99 of 100 turns within {TIMES_P99:g} times what the floor takes",
        f"{max(p99):.2f} times",
        max(p99) <= TIMES_P99,
    )
    if FULL in ours:
        flat = statistics.median(ratios(turns, "turns_a_second", FULL, to=PRODUCT))
        yield Aim(
            f"on a full database at least {FLAT} of the turns a second on an empty one",
            f"{flat:.2f}",
            flat >= FLAT,
        )
    if rate:
        yield Aim(
            f"a worker sends at least {A_SECOND} messages a second",
            f"{rate['a_second']:.0f}",
            rate["a_second"] >= A_SECOND,
        )
    start, memory = (max(one[key] for one in came) for key in ("start", "memory"))
    yield Aim(f"the first answer within {START:g} s of the start", f"{start:.1f} s", start < START)
    yield Aim(f"less than {MEMORY} MB a process", f"{memory:.0f} MB", memory < MEMORY)


def aims_of_all(turns: list[dict], rates: list[dict]) -> dict[str, dict[str, str]]:
    """The verdicts of each aim, by what was measured on; the worker's as shipped alone."""
    sent = {one["vendor"]: one for one in rates}
    verdicts: dict[str, dict[str, str]] = {}
    for one in turns:
        for aim in aims(one, sent.get(one["vendor"]) if is_as_shipped(one) else None):
            verdicts.setdefault(aim.what, {})[in_words(one)] = aim.verdict
    return verdicts


def tell_aims(turns: list[dict], rates: list[dict]) -> None:
    for what, verdicts in aims_of_all(turns, rates).items():
        print(f"{what}:")
        for measured, verdict in verdicts.items():
            print(f"  {measured}: {verdict}")


def table_of_aims(turns: list[dict], rates: list[dict]) -> str:
    measured = [in_words(one) for one in turns]
    return table(
        ["aim", *measured],
        (
            [what, *(verdicts.get(one, "") for one in measured)]
            for what, verdicts in aims_of_all(turns, rates).items()
        ),
    )


# The page ----------------------------------------------------------------------------------------


def table_of_turns(turns: list[dict]) -> str:
    title = [
        "",
        "turns a second",
        "of the floor's",
        "p50, p95, p99 in ms",
        "p99, times the floor's",
        "CPU s per 1,000 turns",
        "SQL statements per 1,000",
        "MB a process",
        "start to first answer",
    ]
    return table(title, (row(one, name) for one in turns for name in one["contestants"]))


def row(turns: dict, name: str) -> list[str]:
    came = turns["contestants"][name]
    of_database = came["cpu_of_database"]
    return [
        f"{in_words(turns)}: {name}",
        f"{came['turns_a_second']:,.0f}",
        "1" if name == FLOOR else spread(ratios(turns, "turns_a_second", name)),
        f"{came['p50']:.1f}, {came['p95']:.1f}, {came['p99']:.1f}",
        "1" if name == FLOOR else spread(ratios(turns, "p99", name)),
        f"{came['cpu']:.2f}" + (f" + {of_database:.2f} of the database" if of_database else ""),
        f"{turns['statements'][FLOOR if name == FLOOR else PRODUCT]:,.0f}",
        f"{came['memory']:.0f}",
        f"{came['start']:.1f} s",
    ]


def rounds(turns: list[dict]) -> str:
    """How far the rounds are apart, to tell how quiet the machine was."""
    return "\n".join(
        f"- {in_words(one)}, {name}: "
        + ", ".join(f"{turn['turns_a_second']:,.0f}" for turn in came[1:])
        for one in turns
        for name, came in one["rounds"].items()
    )


def sending(rates: list[dict]) -> str:
    said = (
        f"{one['a_second']:.0f} messages a second on {IN_WORDS[one['vendor']]} "
        f"({', '.join(f'{run:.0f}' for run in one['runs'])}; {one['cpu']:.1f} CPU s per 1,000)"
        for one in rates
    )
    return f"One worker sent {' and '.join(said)}."


def write_all(turns: list[dict], rates: list[dict], busy: str) -> None:
    """The figures into the page, and the charts beside it."""
    first = turns[0]
    load = max(came["cpu_of_load"] for one in turns for came in one["contestants"].values())
    write(
        "turns",
        f"{measured_on()}, with {first['workers']} gunicorn workers and {first['connections']} "
        f"connections; {first['turns']:,} turns a round, medians of "
        f"{len(first['rounds'][FLOOR]) - 1} rounds after a warm-up. {busy}",
        table_of_aims(turns, rates),
        "![Turns a second](pictures/performance-turns.svg)",
        "![p99](pictures/performance-p99.svg)",
        table_of_turns(turns),
        f"The load generator, on the same machine, took at most {load:.2f} CPU s per 1,000 turns. "
        "Turns a second in each round:",
        rounds(turns),
        sending(rates),
    )
    for name, key, title, form in (
        ("turns", "turns_a_second", "Turns a second: more is better", "{:,.0f}"),
        ("p99", "p99", "99 of 100 turns are answered within: less is better", "{:.0f} ms"),
    ):
        groups = {
            in_words(one): [
                (contestant, came[key], contestant != FLOOR)
                for contestant, came in one["contestants"].items()
            ]
            for one in turns
        }
        (PICTURES / f"performance-{name}.svg").write_text(bars(title, groups, form))
