from samelight.interfaces.cli.console import follow, remark, tell, tell_table


def test_results_and_talk_go_separate_ways(capsys):
    tell("a result")
    remark("a remark")
    assert capsys.readouterr() == ("a result\n", "a remark\n")


def test_words_stand_left_and_figures_right(capsys):
    tell_table(
        ("name", "kind", "PSNR dB"), [("a", "longer", "9.5"), ("bcd", "k", "30.04")], words=2
    )
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        " name  kind    PSNR dB",
        " a     longer      9.5",
        " bcd   k         30.04",
    ]


def test_a_long_row_is_not_folded_where_it_is_piped(capsys):
    tell_table(("name", "title"), [("a", "word " * 30)], words=2)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_brackets_are_taken_as_they_are(capsys):
    tell_table(("paper",), [("A Paper [2021]",)])
    assert "A Paper [2021]" in capsys.readouterr().out


def test_progress_is_shown_on_stderr_only(capsys):
    assert list(follow(iter("abc"), "spelling", 3)) == ["a", "b", "c"]
    out, err = capsys.readouterr()
    assert out == ""
    assert "spelling" in err
