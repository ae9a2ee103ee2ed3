"""The scripts that a Redis or Valkey server runs for budgets, each operation as a whole.

A meter is a hash: `u` used, `r` reserved, `x` extra, `s` slot, in sliding windows `b<slot>` booked, `h<slot>` held; and
`n`: until when people need not be told that its soft limit is reached.
Lua's numbers are doubles, which have no 64 bits of digits: amounts stay texts, the server's own counters add them, and
`less` compares them. A script returns what it has added, so that it can be taken back.
"""

from __future__ import annotations

from typing import Final

from procurator.governance.budget.meters import CEILING

_COMMON: Final = (
    f"""
local CEILING = '{CEILING}'
"""
    r"""
local added = {}

local function less(a, b)
  local below, other = string.sub(a, 1, 1) == '-', string.sub(b, 1, 1) == '-'
  if below ~= other then return below end
  if below then a, b = string.sub(b, 2), string.sub(a, 2) end
  if #a ~= #b then return #a < #b end
  return a < b
end

local function minus(a)
  if a == '0' then return a end
  if string.sub(a, 1, 1) == '-' then return string.sub(a, 2) end
  return '-' .. a
end

local function get(key, field)
  return redis.call('HGET', key, field) or '0'
end

local function add(key, field, amount)
  if amount ~= '0' then
    redis.call('HINCRBY', key, field, amount)
    added[#added + 1] = {key, field, amount}
  end
end

-- Down by an amount, but not below zero.
local function lower(key, field, amount)
  local now = get(key, field)
  if less(now, amount) then amount = now end
  add(key, field, minus(amount))
end

-- A count of up to a million times an amount.
local function times(count, amount)
  local high, low = tonumber(string.sub(amount, 1, -10)) or 0, tonumber(string.sub(amount, -9))
  local rest = count * low
  local carry = math.floor(rest / 1e9)
  high, rest = count * high + carry, rest - carry * 1e9
  if high > 0 then return string.format('%.0f%09.0f', high, rest) end
  return string.format('%.0f', rest)
end

-- What is left of an amount after so many steps have come back.
local function refilled(key, amount, count, step)
  redis.call('HSET', key, 't', amount)
  while count > 0 do
    local part = math.min(count, 1000000)
    local back = times(part, step)
    if not less(back, get(key, 't')) then redis.call('HDEL', key, 't') return '0' end
    redis.call('HINCRBY', key, 't', '-' .. back)
    count = count - part
  end
  local left = get(key, 't')
  redis.call('HDEL', key, 't')
  return left
end

local function drop_before(key, first)
  local fields = redis.call('HKEYS', key)
  for _, field in ipairs(fields) do
    local slot = string.match(field, '^b(%d+)$')
    if slot and less(slot, first) then
      redis.call('HINCRBY', key, 'u', minus(get(key, field)))
      redis.call('HINCRBY', key, 'r', minus(get(key, 'h' .. slot)))
      redis.call('HDEL', key, field, 'h' .. slot)
    end
  end
end

-- On to the slot of an instant, never back; the slot to book in.
local function turn(key, kind, slot, first, step)
  local last = redis.call('HGET', key, 's')
  if kind == 'life' then return '0' end
  if last and not less(last, slot) then return last end
  if last and kind == 'sliding' then
    drop_before(key, first)
  elseif last and kind == 'bucket' then
    local used = refilled(key, get(key, 'u'), tonumber(slot) - tonumber(last), step)
    redis.call('HSET', key, 'u', used)
    if less(used, get(key, 'r')) then redis.call('HSET', key, 'r', used) end
  elseif last then
    redis.call('HSET', key, 'u', '0', 'r', '0', 'x', '0')
  end
  redis.call('HSET', key, 's', slot)
  return slot
end

local function book(key, kind, slot, used, held)
  add(key, 'u', used)
  add(key, 'r', held)
  if kind == 'sliding' then
    add(key, 'b' .. slot, used)
    add(key, 'h' .. slot, held)
  end
end

local function take_back()
  for at = #added, 1, -1 do
    redis.call('HINCRBY', added[at][1], added[at][2], minus(added[at][3]))
  end
end
"""
)

READ: Final = (
    _COMMON
    + r"""
local shown = {}
for at, key in ipairs(KEYS) do
  local from = (at - 1) * 4
  turn(key, ARGV[from + 1], ARGV[from + 2], ARGV[from + 3], ARGV[from + 4])
  shown[at] = {get(key, 'u'), get(key, 'r'), get(key, 'x')}
end
return cjson.encode(shown)
"""
)
"""For each meter: kind, slot, first, step. Gives used, reserved and extra of each."""

RESERVE: Final = (
    _COMMON
    + r"""
local names, deadlines, kept = KEYS[1], KEYS[2], KEYS[3]
local slots = {}
for at = 4, #KEYS do
  local key, from = KEYS[at], (at - 4) * 7 + 3
  local kind, slot, first, step = ARGV[from + 1], ARGV[from + 2], ARGV[from + 3], ARGV[from + 4]
  local limit, cost, held = ARGV[from + 5], ARGV[from + 6], ARGV[from + 7]
  slots[at] = turn(key, kind, slot, first, step)
  book(key, kind, slots[at], cost, held)
  if limit ~= '' then
    local extra = get(key, 'x')
    if extra ~= '0' then redis.call('HINCRBY', key, 'u', minus(extra)) end
    local fits = not less(limit, get(key, 'u'))
    if extra ~= '0' then redis.call('HINCRBY', key, 'u', extra) end
    if not fits then
      take_back()
      return tostring(at - 4)
    end
  end
end
for at = 4, #KEYS do
  redis.call('ZADD', names, 'NX', 0, string.sub(KEYS[at], tonumber(ARGV[1]) + 1))
end
if ARGV[2] ~= '' then
  redis.call('SET', kept, ARGV[3])
  redis.call('ZADD', deadlines, 0, ARGV[2])
end
return cjson.encode(added)
"""
)
"""The length of the prefix of meters, the member of the deadlines, the reservation; then for each meter: kind, slot,
first, step, limit or nothing, amount used, amount of it that is reserved. Gives the number of the meter that does not
fit, or what was added."""

SETTLE: Final = (
    _COMMON
    + r"""
local deadlines, kept = KEYS[1], KEYS[2]
if redis.call('GET', kept) ~= ARGV[1] then return '' end
redis.call('DEL', kept)
redis.call('ZREM', deadlines, ARGV[2])
for at = 3, #KEYS do
  local key, from = KEYS[at], (at - 3) * 8 + 2
  local kind, slot, first, step = ARGV[from + 1], ARGV[from + 2], ARGV[from + 3], ARGV[from + 4]
  local of, held, back, over = ARGV[from + 5], ARGV[from + 6], ARGV[from + 7], ARGV[from + 8]
  local now = turn(key, kind, slot, first, step)
  local counts = true
  if kind == 'sliding' then
    counts = redis.call('HEXISTS', key, 'b' .. of) == 1
    if counts then
      add(key, 'b' .. of, minus(back))
      add(key, 'h' .. of, minus(held))
    end
  elseif kind == 'bucket' then
    back = refilled(key, back, math.max(0, tonumber(now) - tonumber(of)), step)
  elseif kind ~= 'life' then
    counts = now == of
  end
  if counts then
    lower(key, 'u', back)
    lower(key, 'r', held)
  end
  book(key, kind, now, over, '0')
  if less(CEILING, get(key, 'u')) then redis.call('HSET', key, 'u', CEILING) end
end
return cjson.encode(added)
"""
)
"""The reservation as it was read, its member of the deadlines; then for each meter: kind, slot, first, step, the slot
of the reservation, what was reserved, what comes back, what was needed beyond. Gives what was added; nothing if the
reservation is not that any more."""

SHIFT: Final = (
    _COMMON
    + r"""
for at = 3, #KEYS do
  redis.call('HINCRBY', KEYS[at], ARGV[(at - 3) * 2 + 3], ARGV[(at - 3) * 2 + 4])
end
if ARGV[1] ~= '' then
  if ARGV[2] == '' then
    redis.call('DEL', KEYS[2])
    redis.call('ZREM', KEYS[1], ARGV[1])
  else
    redis.call('SET', KEYS[2], ARGV[2])
    redis.call('ZADD', KEYS[1], 0, ARGV[1])
  end
end
return ''
"""
)
"""The member of the deadlines or nothing, the reservation to keep again or nothing; then for each meter a field and
what is added to it."""

CLEAR: Final = (
    _COMMON
    + r"""
add(KEYS[1], 'u', minus(get(KEYS[1], 'u')))
add(KEYS[1], 'r', minus(get(KEYS[1], 'r')))
return cjson.encode(added)
"""
)
"""Has a meter show nothing; gives what was added."""

REPLACE: Final = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('ZREM', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[1], 0, ARGV[4])
return 1
"""
"""The reservation as it was and as it is to be, and its members of the deadlines; gives whether it was so."""

TELL: Final = (
    _COMMON
    + r"""
local told = get(KEYS[1], 'n')
if less(ARGV[1], told) then return '' end
add(KEYS[1], 'n', minus(told))
add(KEYS[1], 'n', ARGV[2])
return cjson.encode(added)
"""
)
"""The instant, and until when people need not be told again; gives what was added, nothing if they need not be now."""

RAISE: Final = (
    _COMMON
    + r"""
turn(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
add(KEYS[1], 'x', ARGV[5])
add(KEYS[1], 'n', minus(get(KEYS[1], 'n')))
redis.call('ZADD', KEYS[2], 'NX', 0, ARGV[6])
return cjson.encode(added)
"""
)
"""Kind, slot, first, step, by how much the limit is raised, and the key of the meter for the index."""
