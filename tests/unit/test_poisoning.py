"""The benchmark of poisoned corrections: how many labels are wrong, and that nobody is judged by what was taught."""

import pytest

from benchmarks.poisoning.corrections import SCENARIOS, SENDERS, Drawings, corrections, drawings


@pytest.fixture(name="shown", scope="module")
def draw_few() -> Drawings:
    return drawings("slanted", taught=100, ones=20, same_hand=50, straight=50)


@pytest.mark.parametrize(("name", "wrong"), [("none", 0), ("5", 5), ("20", 20), ("50", 50)])
def test_the_stated_share_of_labels_is_wrong(shown: Drawings, name: str, wrong: int) -> None:
    true = {drawing.png: drawing.digit for drawing in shown.taught}
    sent = corrections(SCENARIOS[name], shown)
    assert len(sent) == len(true) == 100
    assert all(one.is_wrong == (one.label != true[one.png]) for one in sent)
    assert sum(one.is_wrong for one in sent) == wrong


def test_one_sender_calls_ones_sevens_and_the_others_are_honest(shown: Drawings) -> None:
    ones = {drawing.png for drawing in shown.ones if drawing.digit == 1}
    sent = corrections(SCENARIOS["sender"], shown)
    lies = [one for one in sent if one.sender == SENDERS]
    assert {one.png for one in lies} == ones
    assert len(ones) == len(lies) == 20
    assert all(one.label == 7 and one.is_wrong for one in lies)
    assert not any(one.is_wrong for one in sent if one not in lies)


def test_no_drawing_both_teaches_and_judges(shown: Drawings) -> None:
    kinds = [{drawing.png for drawing in kind} for kind in (shown.taught, shown.ones, shown.same_hand, shown.straight)]
    assert len(set.union(*kinds)) == sum(map(len, kinds)) == 220
