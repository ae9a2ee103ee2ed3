"""What others have written, as a terminal may show it: nothing in it may move the cursor or hide what is there."""


def shown(text: str) -> str:
    """A text by itself; in quotes and escaped where it holds what is not seen."""
    return text if text.isprintable() else ascii(text)


def plain(text: str) -> str:
    """A line with such texts in it; what is not seen is escaped."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
