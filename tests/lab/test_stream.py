import itertools
import threading

import pytest

from samelight.lab.stream import in_order


def test_results_come_in_order():
    assert list(in_order(lambda n: n * n, range(50), threads=3)) == [n * n for n in range(50)]


def test_no_more_is_read_than_is_being_worked_on():
    read = []
    endless = (read.append(n) or n for n in itertools.count())
    results = in_order(lambda n: n, endless, threads=2)
    assert [next(results) for _ in range(10)] == list(range(10))
    assert len(read) <= 10 + 2 * 2
    results.close()


def test_an_error_ends_the_work():
    done = threading.Event()

    def work(number):
        if number == 3:
            raise ValueError("three")
        if number > 20:
            done.set()
        return number

    with pytest.raises(ValueError, match="three"):
        list(in_order(work, range(1000), threads=2))
    assert not done.is_set()
