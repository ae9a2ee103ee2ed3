"""`rand.intn`, `uuid.*` and `semver.*`."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcomes import Error, check, outcome

from procurator.builtins import semver, uuid
from procurator.builtins.random import CONTEXT_TABLE, intn, rfc4122
from procurator.runtime.context import Answer, Evaluation, Options
from procurator.values import UNDEFINED

VERSION_1 = "5f9ef2a0-3c1f-11f0-9fe2-0242ac120002"
TOLD_1 = {
    "version": 1,
    "variant": "RFC4122",
    "time": 1_748_476_589_439_043_200,
    "nodeid": "02-42-ac-12-00-02",
    "macvariables": "local:unicast",
    "clocksequence": 0x1FE2,
}
VERSION_4 = "f47ac10b-58cc-4372-a567-0e02b2c3d479"
TOLD_4 = {"version": 4, "variant": "RFC4122"}

UUIDS = [
    (VERSION_1, TOLD_1),
    (VERSION_4, TOLD_4),
    (VERSION_4.upper(), TOLD_4),
    (f"{{{VERSION_4}}}", TOLD_4),
    (f"urn:uuid:{VERSION_4}", TOLD_4),
    (VERSION_4.replace("-", ""), TOLD_4),
    ("000003e8-3c1f-21f0-8102-0142ac120002", {"id": 1000, "domain": "Org", "version": 2}),
    ("000003e8-3c1f-21f0-810a-0342ac120002", {"domain": "Domain10", "macvariables": "local:multicast"}),
    ("f47ac10b-58cc-7372-c567-0e02b2c3d479", {"version": 7, "variant": "Microsoft"}),
    ("f47ac10b-58cc-7372-0567-0e02b2c3d479", {"version": 7, "variant": "Reserved"}),
    (VERSION_4[:-1], UNDEFINED),
    (VERSION_4.replace("f", "g"), UNDEFINED),
    (VERSION_4 + "\n", UNDEFINED),
    (4, Error("operand 1 must be string but got number")),
]

# In ascending order of precedence; the versions of one line are equal.
ASCENDING = [
    ["0.0.0"],
    ["1.0.0-0"],
    ["1.0.0-9"],
    ["1.0.0-10", "v1.0.0-10+build.01"],
    ["1.0.0-99999999999999999999999"],
    ["1.0.0-99999999999999999999999.a"],
    ["1.0.0-Alpha"],
    ["1.0.0-alpha"],
    ["1.0.0-alpha.1"],
    ["1.0.0-alpha.beta"],
    ["1.0.0", "v1.0.0", "1.0.0+a-b"],
    ["1.2.0"],
    ["1.10.0"],
    ["9223372036854775807.0.0"],
]
NOT_VERSIONS = [
    "1.2", "1.2.3.4", "01.2.3", "1.02.3", "1.2.3-", "1.2.3-01", "1.2.3-a..b", "1.2.3+", "1.2.3+a+b", "vv1.2.3",
    "-1.2.3", "1.2.3 ", "9223372036854775808.0.0", "", "1.2.x",
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), UUIDS)
def test_uuid_parse(text: Any, wanted: Any) -> None:
    got = outcome(uuid.TABLE, "uuid.parse", text)
    if isinstance(wanted, dict) and wanted not in (TOLD_1, TOLD_4):
        got = {name: got[name] for name in wanted}
    check(got, wanted)


def test_semver_compare_follows_precedence() -> None:
    ranked = [(rank, version) for rank, versions in enumerate(ASCENDING) for version in versions]
    for rank, version in ranked:
        for other_rank, other in ranked:
            wanted = (rank > other_rank) - (rank < other_rank)
            assert semver.compare(version, other) == wanted, (version, other)


@pytest.mark.parametrize("text", NOT_VERSIONS)
def test_semver_refuses(text: str) -> None:
    assert semver.is_valid(text) is False
    check(
        outcome(semver.TABLE, "semver.compare", "1.0.0", text),
        Error(f'operand 2: string "{text}" is not a valid SemVer'),
    )


def test_semver_of_another_type() -> None:
    assert semver.is_valid(1) is False
    check(outcome(semver.TABLE, "semver.compare", 1, "1.0.0"), Error("operand 1 must be string but got number"))


def test_random_answers_stay_the_same_within_a_query() -> None:
    evaluation = Evaluation()
    numbers = {intn(evaluation, "key", 10**9) for _ in range(20)}
    assert len(numbers) == 1
    assert numbers != {intn(evaluation, "other key", 10**9)}
    assert rfc4122(evaluation, "key") == rfc4122(evaluation, "key") != rfc4122(evaluation, "other key")


@pytest.mark.parametrize(("bound", "wanted"), [(0, 0), (1, 0), (-1, 0)])
def test_rand_intn_at_the_edges(bound: int, wanted: int) -> None:
    assert intn(Evaluation(), "key", bound) == wanted


def test_rand_intn_takes_the_size_of_a_negative_bound() -> None:
    evaluation = Evaluation()
    assert intn(evaluation, "key", -100) == intn(evaluation, "key", 100)


def test_rand_intn_checks_its_operands() -> None:
    check(outcome(CONTEXT_TABLE, "rand.intn", Evaluation(), 1, 1), Error("operand 1 must be string but got number"))
    check(
        outcome(CONTEXT_TABLE, "rand.intn", Evaluation(), "key", 1.5),
        Error("operand 2 must be integer number but got floating-point number"),
    )


def test_a_seed_repeats_and_a_replay_needs_none() -> None:
    first, second = (Evaluation(Options(seed=7)) for _ in range(2))
    assert intn(first, "key", 10**9) == intn(second, "key", 10**9)
    assert first.answers == [Answer("rand.intn", ("key", 10**9), intn(first, "key", 10**9))]
    assert intn(Evaluation.replay(first.answers), "key", 10**9) == intn(first, "key", 10**9)


def test_without_a_seed_the_system_is_the_source() -> None:
    assert isinstance(Evaluation().random, random.SystemRandom)


@given(st.integers(0, 2**128 - 1))
def test_every_form_of_a_uuid_tells_the_same(number: int) -> None:
    text = str(UUID(int=number))
    told = [uuid.parse(form) for form in (text, text.replace("-", ""), f"{{{text}}}", f"urn:uuid:{text}")]
    assert told.count(told[0]) == 4


def test_a_new_uuid_is_of_version_4() -> None:
    check(uuid.parse(rfc4122(Evaluation(), "key")), TOLD_4)
