"""Names that hide documents, and imports that hide one another or are not used."""

from __future__ import annotations

import pytest
from reports import STRICT, reported

OVERRIDES = {
    "input := 1": ["1:1 rules must not shadow input (use a different rule name) ⟨input := 1⟩"],
    "data.x := 1": ["1:1 rules must not shadow data (use a different rule name) ⟨data.x := 1⟩"],
    "p if { input := 1; input }": ["1:8 variables must not shadow input (use a different variable name) ⟨input := 1⟩"],
    "p := [x | data := 1; x := data]": [
        "1:11 variables must not shadow data (use a different variable name) ⟨data := 1⟩"
    ],
    "f(input) := 1": ["1:1 args must not shadow input (use a different variable name) ⟨f(input) := 1⟩"],
    'f([1, {"a": data}]) := 1': [
        '1:1 args must not shadow data (use a different variable name) ⟨f([1, {"a": data}]) := 1⟩'
    ],
    "f(input) := 1 if { input.x } else := 2": [
        "1:1 args must not shadow input (use a different variable name) ⟨f(input) := 1 if { input.x } else := 2⟩"
    ],
}

DUPLICATES = {
    "import data.foo\nimport data.bar as foo\n\np if foo": [
        "2:1 import must not shadow import data.foo ⟨import data.bar as foo⟩"
    ],
    "import data.x as foo\nimport data.foo\nimport data.y.foo\n\np if foo": [
        "2:1 import must not shadow import data.x as foo ⟨import data.foo⟩",
        "3:1 import must not shadow import data.x as foo ⟨import data.y.foo⟩",
    ],
    "import rego.v1\nimport data.v1\n\np if v1": ["2:1 import must not shadow import rego.v1 ⟨import data.v1⟩"],
    "import data.foo\nimport data.bar\n\np if { foo; bar }": [],
}

UNUSED = {
    "import data.foo\n\np := 1": ["1:1 import data.foo unused ⟨import data.foo⟩"],
    "import data.foo as bar\n\np := 1": ["1:1 import data.foo as bar unused ⟨import data.foo as bar⟩"],
    'import data["a b"].c\n\np := 1': ['1:1 import data["a b"].c unused ⟨import data["a b"].c⟩'],
    "import rego.v1\nimport future.keywords.in\n\np := 1": [],
    "import data.foo\n\np if foo.x": [],
    "import data.foo\n\np if { input.x with data.y as foo }": [],
    "import data.foo\n\np if { foo := 1; foo == 1 }": ["1:1 import data.foo unused ⟨import data.foo⟩"],
}


@pytest.mark.parametrize("text", OVERRIDES)
def test_names_of_documents_are_taken(text: str) -> None:
    """No rule, variable or argument is called `input` or `data`."""
    assert reported(text) == OVERRIDES[text]


def test_older_policies_may_take_them() -> None:
    """In Rego v0 variables can have these names, unless the check is strict."""
    text = 'p { input := {"x": 1}; input.x == 1; input == {"x": 1} }'
    assert reported(text, rego_version=0) == []
    assert reported(text, rego_version=0, options=STRICT) == [
        '1:5 variables must not shadow input (use a different variable name) ⟨input := {"x": 1}⟩'
    ]


@pytest.mark.parametrize("text", DUPLICATES)
def test_imports_that_hide_one_another(text: str) -> None:
    """Two imports of one name are one too many."""
    assert reported(text) == DUPLICATES[text]


@pytest.mark.parametrize("text", UNUSED)
def test_unused_imports_when_strict(text: str) -> None:
    """Strictly, what is imported is mentioned."""
    assert reported(text, options=STRICT) == UNUSED[text]


def test_unused_imports_are_no_mistake_otherwise() -> None:
    """Without strictness an import may be there for nothing."""
    assert reported("import data.foo\n\np := 1") == []
