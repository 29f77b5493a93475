import pytest

from evidence_api.demo import people

FIRST = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
SECOND = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)


def weighed(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11


def test_the_check_digit_is_the_weighted_sum():
    assert people.iin("99031450001") == "990314500014"
    assert weighed("99031450001", FIRST) == 4


def test_other_weights_where_the_first_give_ten():
    eleven = next(text for text in (f"{n:011}" for n in range(10**4)) if weighed(text, FIRST) == 10)
    assert people.iin(eleven) == f"{eleven}{weighed(eleven, SECOND)}"


def test_eleven_digits_without_a_check_digit_are_refused():
    both = (text for text in (f"{n:011}" for n in range(10**5)) if weighed(text, FIRST) == weighed(text, SECOND) == 10)
    with pytest.raises(ValueError, match="no check digit"):
        people.iin(next(both))


def test_nobody_in_the_demonstration_was_born_yet():
    for person in (people.WITNESS, people.SUSPECT, people.SISTER, people.INVESTIGATOR):
        assert 2000 + int(person.iin[:2]) >= 2097
        assert person.iin[6] in "56"
