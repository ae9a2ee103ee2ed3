"""The family `time`: layouts both ways, zones, calendars, durations and the limits of the range."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcomes import Error, check, outcome

from procurator.builtins import clock
from procurator.builtins.time import TABLE
from procurator.runtime.context import Answer, Evaluation

NOON = 1_136_214_245_123_456_789  # 2006-01-02T15:04:05.123456789Z
SUMMER = 1_593_561_600_000_000_000  # 2020-07-01T00:00:00Z
MOST = 2**63 - 1
KINDS = "operand 1 must be either number (ns) or [number (ns), string (tz)] but got "


def bad(value: str, problem: str) -> Error:
    return Error(f'parsing time "{value}"{problem}')


FORMAT = [
    (NOON, "2006-01-02T15:04:05.123456789Z"),
    ([NOON], "2006-01-02T15:04:05.123456789Z"),
    ([NOON, ""], "2006-01-02T15:04:05.123456789Z"),
    ([NOON, "America/New_York"], "2006-01-02T10:04:05.123456789-05:00"),
    ([NOON, "UTC", ""], "2006-01-02T15:04:05.123456789Z"),
    ([NOON, "UTC", "ANSIC"], "Mon Jan  2 15:04:05 2006"),
    ([NOON, "Europe/Berlin", "UnixDate"], "Mon Jan  2 16:04:05 CET 2006"),
    ([SUMMER, "Europe/Berlin", "RFC1123Z"], "Wed, 01 Jul 2020 02:00:00 +0200"),
    ([SUMMER, "Australia/Lord_Howe", "Z07:00 -0700 MST"], "+10:30 +1030 +1030"),
    ([NOON, "UTC", "Monday January _2 03:04PM"], "Monday January  2 03:04PM"),
    ([NOON, "UTC", "15h4m5s .000 .00000 ,999"], "15h4m5s .123 .12345 ,123"),
    ([0, "UTC", ".000 .999 5"], ".000  0"),
    ([NOON, "UTC", "002 __2 06 pm"], "002   2 06 pm"),
    ([-(2**63), "Asia/Kolkata", "Z07:00:00 -070000 -07"], "+05:53:28 +055328 +05"),
    ([NOON, "UTC", "Janx Mond Kitchen_2006"], "Janx Mond Kitchen_2006"),
    ([NOON, "No/Where"], Error("unknown time zone No/Where")),
    ([NOON, "../Berlin"], Error("time: invalid location name")),
    ([NOON, 1], Error("operand 1 must be string but got number")),
    ([], Error(KINDS + "array")),
    ("1", Error(KINDS + "string")),
    (True, Error(KINDS + "boolean")),
    (["1"], Error("operand 1 must be number but got string")),
    (MOST, "2262-04-11T23:47:16.854775807Z"),
    (MOST + 1, Error("timestamp too big")),
    (1.5, Error("timestamp too big")),
]

PARSE = [
    ("RFC3339", "2006-01-02T15:04:05.123456789Z", NOON),
    ("RFC3339Nano", "2006-01-02T16:04:05.123456789+01:00", NOON),
    ("RFC3339", "2006-01-02T15:04:05,5Z", 1_136_214_245_500_000_000),
    ("2006-01-02", "2020-07-01", SUMMER),
    ("ANSIC", "Wed Jul  1 00:00:00 2020", SUMMER),
    ("Jan 2, 2006 at 3:04pm (MST)", "jul 1, 2020 at 12:00am (UTC)", SUMMER),
    ("2006-002", "2020-183", SUMMER),
    ("20060102 150405", "20200701 000000.25", SUMMER + 250_000_000),
    ("06 Jan 2", "69 Jul 1", -15_897_600_000_000_000),
    ("2006-01-02 -0700", "2020-07-01 +0000", SUMMER),
    ("2006-01-02 MST", "2020-07-01 CEST", SUMMER),
    ("2006-01-02 MST", "2020-07-01 GMT+3", SUMMER),
    ("2006-01-02", "2020-13-01", bad("2020-13-01", ": month out of range")),
    ("2006-01-02", "2021-02-29", bad("2021-02-29", ": day out of range")),
    ("2006-01-02", "2021-02-03x", bad("2021-02-03x", ': extra text: "x"')),
    ("2006-002", "2021-366", bad("2021-366", ": day-of-year out of range")),
    ("2006-002 01", "2021-040 03", bad("2021-040 03", ": day-of-year does not match month")),
    ("2006-01-02", "2021.02.03", bad("2021.02.03", ' as "2006-01-02": cannot parse ".02.03" as "-"')),
    ("15:04", "24:00", bad("24:00", ": hour out of range")),
    ("15:04 -07:00", "10:00 +25:00", bad("10:00 +25:00", ": time zone offset hour out of range")),
    ("2006 é", "2020 e", bad("2020 e", r' as "2006 \xc3\xa9": cannot parse "e" as " \xc3\xa9"')),
    ("MST", "ABCDE", bad("ABCDE", ' as "MST": cannot parse "ABCDE" as "MST"')),
    ("2006", "1500", Error("time outside of valid range")),
    ("2006", "0000", Error("time outside of valid range")),
    ("2006" * 4000, "2020", Error("parsing time: longer than 10000 characters")),
    (2006, "2020", Error("operand 1 must be string but got number")),
    ("2006", 2020, Error("operand 2 must be string but got number")),
]

DURATIONS = [
    ("1h30m", 5_400_000_000_000),
    ("-1.5s", -1_500_000_000),
    ("+300ms", 300_000_000),
    ("2µs3ns", 2_003),
    ("0", 0),
    ("1d2h30m", 95_400_000_000_000),
    ("1.5w", 907_200_000_000_000),
    ("1y", 31_536_000_000_000_000),
    ("-9223372036854775808ns", -(2**63)),
    ("9223372036854775808ns", Error('time: invalid duration "9223372036854775808ns"')),
    ("293y", Error('time: invalid duration "293y"')),
    ("", Error('time: invalid duration ""')),
    ("1", Error('time: missing unit in duration "1"')),
    ("1x", Error('time: unknown unit "x" in duration "1x"')),
    ("1d1x", Error('time: unknown unit "x" in duration "1d1x"')),
    ("1.1.1d", Error('time: invalid duration "1.1.1d"')),
    (1, Error("operand 1 must be string but got number")),
]

CALENDAR = [
    ("time.date", [[SUMMER, "America/New_York"]], [2020, 6, 30]),
    ("time.clock", [[SUMMER, "America/New_York"]], [20, 0, 0]),
    ("time.weekday", [SUMMER], "Wednesday"),
    ("time.weekday", [[SUMMER, "America/New_York"]], "Tuesday"),
    ("time.add_date", [SUMMER, 0, 1, 0], 1_596_240_000_000_000_000),
    ("time.add_date", [1_580_428_800_000_000_000, 0, 1, 0], 1_583_107_200_000_000_000),  # 31 January: 2 March
    # The clock shows the same before and after the change to summer time.
    ("time.add_date", [[1_585_400_000_000_000_000, "Europe/Berlin"], 0, 0, 1], 1_585_482_800_000_000_000),
    ("time.add_date", [SUMMER, 300, 0, 0], Error("time outside of valid range")),
    ("time.add_date", [SUMMER, 10**18, 0, 0], Error("time outside of valid range")),
    ("time.add_date", [SUMMER, 1.5, 0, 0], Error("operand 2 must be integer number but got floating-point number")),
    ("time.diff", [NOON, SUMMER], [14, 5, 29, 8, 55, 55]),
    ("time.diff", [SUMMER, NOON], [14, 5, 29, 8, 55, 55]),
    ("time.diff", [[SUMMER, "Asia/Tokyo"], [SUMMER, "UTC"]], [0, 0, 0, 0, 0, 0]),
    ("time.diff", [SUMMER, []], Error(KINDS + "array")),
]


@pytest.mark.parametrize(("operand", "wanted"), FORMAT)
def test_format(operand: Any, wanted: Any) -> None:
    check(outcome(TABLE, "time.format", operand), wanted)


@pytest.mark.parametrize(("layout", "value", "wanted"), PARSE)
def test_parse(layout: Any, value: Any, wanted: Any) -> None:
    check(outcome(TABLE, "time.parse_ns", layout, value), wanted)


@pytest.mark.parametrize(("text", "wanted"), DURATIONS)
def test_durations(text: Any, wanted: Any) -> None:
    check(outcome(TABLE, "time.parse_duration_ns", text), wanted)


@pytest.mark.parametrize(("name", "operands", "wanted"), CALENDAR)
def test_calendar(name: str, operands: list[Any], wanted: Any) -> None:
    check(outcome(TABLE, name, *operands), wanted)


INSTANTS = st.integers(-(2**63), MOST)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia"])


@given(INSTANTS, ZONES)
def test_what_is_written_with_an_offset_reads_as_the_same_instant(instant: int, zone: str) -> None:
    layout = "2006-01-02T15:04:05.999999999-07:00:00"
    assert TABLE["time.parse_ns"](layout, TABLE["time.format"]([instant, zone, layout])) == instant


@given(INSTANTS, INSTANTS)
def test_the_difference_added_gives_the_later_instant(first: int, second: int) -> None:
    years, months, days, hours, minutes, seconds = TABLE["time.diff"](first, second)
    date = TABLE["time.add_date"](min(first, second), years, months, 0)
    shown = date + (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 10**9
    # A day of the month that does not exist in the month reached moves on to the next month.
    assert abs(max(first, second) - shown) <= 3 * 86_400 * 10**9


def test_a_long_text_of_units_is_read_in_linear_time() -> None:
    assert TABLE["time.parse_duration_ns"]("0h" * 200_000) == 0


def test_the_clock_stands_still_during_a_query() -> None:
    evaluation = Evaluation(now_ns=NOON)
    ask = clock.CONTEXT_TABLE["time.now_ns"]
    assert [ask(evaluation), ask(evaluation)] == [NOON, NOON]
    assert evaluation.answers == [Answer("time.now_ns", (), NOON)]


def test_who_looks_at_the_clock_of_the_query_leaves_a_record() -> None:
    evaluation = Evaluation()
    now = evaluation.now_ns
    assert Evaluation.replay(evaluation.answers).now_ns == now == evaluation.now_ns


def test_a_replayed_query_sees_the_recorded_instant() -> None:
    first = Evaluation(now_ns=NOON)
    clock.now_ns(first)
    again = Evaluation.replay(first.answers)
    assert clock.now_ns(again) == NOON
