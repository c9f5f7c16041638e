"""The 200 customers of the sample site: `python -m callcenter.crm.sample > config/samples/customers.csv`.

Nobody is real. Names are drawn by lot, addresses are of the domains of RFC 2606, and every number is of a range that
its country keeps for fiction: Ofcom (drama use), the 555-0100 block of the NANPA, ARCEP, Bundesnetzagentur
(Drama-Nummern), ACMA, ComReg. Italy and China keep none, so their people have numbers abroad. Always the same file.
"""

import csv
import io
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass

SEED = 20_260_302
NO_COMPANY = 0.4
SHARES = 0.7
COLUMNS = ("name", "company", "email", "language", "numbers", "external_id", "notes")

# What comes before, and how many digits follow.
RANGES = (
    ("+44 20 7946 0", 3),
    ("+44 161 496 0", 3),
    ("+44 7700 900", 3),
    ("+1 212 555 01", 2),
    ("+1 415 555 01", 2),
    ("+33 1 99 00 ", 4),
    ("+33 6 39 98 ", 4),
    ("+49 30 23125 ", 3),
    ("+61 2 5550 ", 4),
    ("+353 20 91", 5),
)
FIRMS = ("Works", "Travel", "Dental", "Energy", "Books", "Insurance")
NOTES = ("", "", "", "Prefers to be called in the morning.", "Asks for an invoice by post.", "Has two contracts.")
DOMAINS = ("example.com", "example.net", "example.org")


@dataclass(frozen=True, slots=True)
class People:
    """Names of one language and how many customers have such. `together`: family name first, nothing between."""

    language: str
    count: int
    given: tuple[str, ...]
    family: tuple[str, ...]
    houses: tuple[str, ...]
    together: bool = False


ENGLISH = People(
    "en",
    100,
    ("Alice", "Brian", "Chloe", "Daniel", "Ella", "Frank", "Grace", "Henry", "Isla", "Jack", "Kate", "Liam", "Mia"),
    (
        "Abbott",
        "Barlow",
        "Carver",
        "Dalton",
        "Ellery",
        "Fenwick",
        "Garland",
        "Hadley",
        "Ingram",
        "Jessop",
        "Kendrick",
    ),
    ("Brightwater", "Oakfield", "Silverline", "Northgate", "Harbour"),
)
ITALIAN = People(
    "it",
    60,
    ("Anna", "Bruno", "Chiara", "Dario", "Elena", "Fabio", "Giulia", "Luca", "Marta", "Nicolò", "Paola", "Sara"),
    (
        "Albertini",
        "Bassani",
        "Carraro",
        "De Angeli",
        "Fornari",
        "Gallesi",
        "Lorandi",
        "Montella",
        "Nardini",
        "Pavesi",
    ),
    ("Fonte Chiara", "Colle Verde", "Sant'Aria", "Lungomare"),
)
CHINESE = People(
    "zh-CN",
    40,
    ("晓明", "丽华", "建国", "雨欣", "子涵", "思远", "美玲", "志强", "佳怡", "文博"),
    ("王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "欧阳"),
    ("海岚", "青禾", "远山", "明湖"),
    together=True,
)


class Lottery:
    """Draws what nobody has yet."""

    def __init__(self) -> None:
        self._lot = random.Random(SEED)  # noqa: S311 (it must fall the same way each time, and is no secret)
        self._taken: set[str] = set()
        self._main_numbers: dict[str, str] = {}

    def customer(self, group: People, count: int) -> tuple[str, ...]:
        """The row of customer number `count`."""
        lot = self._lot
        name = self._fresh(lambda: _name(lot, group))
        company = "" if lot.random() < NO_COMPANY else f"{lot.choice(group.houses)} {lot.choice(FIRMS)}"
        numbers = [self._fresh(lambda: _number(lot)) for _ in range(lot.choice((1, 1, 1, 2, 3)))]
        if company and lot.random() < SHARES:
            # A firm's main number belongs to several of its people: who calls from it is one of many.
            main = f"+44 1632 960{len(self._main_numbers):03}"
            numbers.append(self._main_numbers.setdefault(company, main))
        email = f"customer{count:03}@{lot.choice(DOMAINS)}"
        return (name, company, email, group.language, "; ".join(numbers), f"C{count:04}", lot.choice(NOTES))

    def _fresh(self, draw: Callable[[], str]) -> str:
        while (drawn := draw()) in self._taken:
            pass
        self._taken.add(drawn)
        return drawn


def _name(lot: random.Random, group: People) -> str:
    given, family = lot.choice(group.given), lot.choice(group.family)
    return f"{family}{given}" if group.together else f"{given} {family}"


def _number(lot: random.Random) -> str:
    prefix, digits = lot.choice(RANGES)
    return f"{prefix}{lot.randrange(10**digits):0{digits}}"


def sample_csv() -> str:
    """The file's text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    lottery = Lottery()
    people = [group for group in (ENGLISH, ITALIAN, CHINESE) for _ in range(group.count)]
    writer.writerows(lottery.customer(group, count) for count, group in enumerate(people, 1))
    return text.getvalue()


if __name__ == "__main__":
    sys.stdout.buffer.write(sample_csv().encode())
