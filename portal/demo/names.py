"""Names of invented people. Faker is slow, so pools are drawn once and names are combined from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from faker import Faker

_POOL = 160
_RUSSIAN_MASCULINE_ENDINGS = ("ov", "ev", "jov", "in", "õn")


@dataclass(frozen=True, slots=True)
class NamePool:
    """Names of one language: first names by sex ("M", "F"), and family names as a man bears them."""

    first: dict[str, tuple[str, ...]]
    family: tuple[str, ...]
    is_russian: bool = False

    def family_name(self, rng: Random) -> str:
        return rng.choice(self.family)

    def first_name(self, sex: str, rng: Random) -> str:
        return rng.choice(self.first[sex])

    def borne_by(self, family: str, sex: str) -> str:
        """The family name in the form for `sex`: a Russian one takes an ending."""
        return (
            family + "a" if sex == "F" and self.is_russian and family.endswith(_RUSSIAN_MASCULINE_ENDINGS) else family
        )


@dataclass(frozen=True, slots=True)
class Names:
    """The languages of the country and how common each is."""

    pools: tuple[NamePool, ...]
    weights: tuple[int, ...]

    def pool(self, rng: Random) -> NamePool:
        return rng.choices(self.pools, self.weights)[0]


def draw_names(seed: int) -> Names:
    """The same pools for the same seed."""
    estonian, english = Faker("et_EE"), Faker("en_GB")
    estonian.seed_instance(seed)
    english.seed_instance(seed)
    pools = (
        NamePool(
            {"M": _drawn(estonian.first_name_male_est), "F": _drawn(estonian.first_name_female_est)},
            _drawn(estonian.last_name_est),
        ),
        NamePool(
            {"M": _drawn(estonian.first_name_male_rus), "F": _drawn(estonian.first_name_female_rus)},
            _drawn(estonian.last_name_rus),
            is_russian=True,
        ),
        NamePool(
            {"M": _drawn(english.first_name_male), "F": _drawn(english.first_name_female)}, _drawn(english.last_name)
        ),
    )
    return Names(pools, (68, 27, 5))


def _drawn(draw: Callable[[], str]) -> tuple[str, ...]:
    return tuple(draw() for _ in range(_POOL))
