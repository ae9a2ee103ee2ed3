"""Tables as OPA draws them."""

from procurator.cli.tables import table, width


def test_a_header_stands_in_the_middle_of_its_column() -> None:
    assert table([["[1,2]", "1"], ["3", "22"]], ["x", "[x,\n  y][_]"]) == (
        "┌───────┬───────┐\n"
        "│   x   │  [x,  │\n"
        "│       │ y][_] │\n"
        "├───────┼───────┤\n"
        "│ [1,2] │ 1     │\n"
        "│ 3     │ 22    │\n"
        "└───────┴───────┘\n"
    )


def test_a_table_may_be_without_header() -> None:
    assert table([["Overall Coverage", "25.00"]]) == (
        "┌──────────────────┬───────┐\n"
        "│ Overall Coverage │ 25.00 │\n"
        "└──────────────────┴───────┘\n"
    )  # fmt: skip


def test_wide_characters_take_two_places() -> None:
    assert [width(text) for text in ("ab", "日本", "e\u0301", "é")] == [2, 4, 1, 1]
    assert table([['"日本"', "1"]], ["y", "z"]) == (
        "┌────────┬───┐\n"
        "│   y    │ z │\n"
        "├────────┼───┤\n"
        '│ "日本" │ 1 │\n'
        "└────────┴───┘\n"
    )  # fmt: skip
