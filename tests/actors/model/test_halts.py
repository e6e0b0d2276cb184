"""The causes of a halt: each is lifted by itself, a final one not before the next process."""

from actors.model.halts import Halts


def test_it_is_over_when_every_cause_was_lifted() -> None:
    halts = Halts()
    assert halts.cause is None
    for cause in ("one", "two", "one"):
        halts.add(cause)
    assert halts.cause == "one"
    halts.lift("three")
    halts.lift("one")
    assert halts.cause == "two"
    halts.lift("two")
    assert halts.cause is None


def test_a_cause_without_words_is_one_too() -> None:
    halts = Halts()
    halts.add("")
    assert halts.cause == "no cause given"
    halts.lift("")
    assert halts.cause is None


def test_a_final_one_holds_until_the_next_process_and_is_lifted_there() -> None:
    halts = Halts()
    halts.add("one")
    halts.add("the end", is_final=True)
    halts.add("the very end", is_final=True)
    halts.go_on()
    for cause in ("one", "the end", "the very end"):
        assert halts.cause == cause
        halts.lift(cause)
    assert halts.cause is None


def test_a_final_one_that_was_lifted_at_once_is_over_in_the_next_process() -> None:
    halts = Halts()
    halts.add("the end", is_final=True)
    halts.lift("the end")
    assert halts.cause == "the end"
    halts.go_on()
    assert halts.cause is None


def test_as_many_are_kept_as_a_kill_switch_latches() -> None:
    halts = Halts()
    for number in range(70):
        halts.add(str(number))
    for number in range(64):
        assert halts.cause == str(number)
        halts.lift(str(number))
    assert halts.cause is None


def test_what_was_saved_is_restored() -> None:
    halts, again = Halts(), Halts()
    halts.add("one")
    halts.add("the end", is_final=True)
    halts.lift("the end")
    again.add("else")
    again.restore(halts.save())
    for each in (halts, again):
        assert each.cause == "one"
        each.lift("one")
        assert each.cause == "the end"
        each.go_on()
        assert each.cause is None
    halts.add("more")
    halts.forget()
    assert halts.cause is None
