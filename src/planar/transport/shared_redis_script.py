"""The script that a Redis carries out: the arithmetic of `meters`, on the server's clock, for all members at once.

KEYS[1] begins all names. ARGV[1] is JSON: `member`; `alone` and `seen`, see below; `ahead` and `error`, the venue's time
beyond the server's; `meters`, [name, kind, limit, window or decay]; `ops`, [what, meter, amount, window]; `asks`,
[[stop, ...], [[meter, cost, allowed], ...]]. The answer is JSON: `time`, `members`, `near` (those whose names are the
same up to the bar), `epoch`, and `join`, or `waits`, `short` (the meter that each waits for, or 0) and `used`.

A meter is [cells, held by member, epoch], packed. What a member holds that was not heard of for `GONE_S` is settled.

An epoch begins when the data are new, and when somebody comes back who had been alone. For `JOIN_S` nothing is given, so
that all who are alone, or knew the data that were there before, come and say so; if anybody does, all meters begin full,
since nobody knows what was used. The epoch also holds until when each meter must be there: one that the Redis has let go
before, to make room, begins full as well.
"""

JOIN_S = 2.0
GONE_S = 3.0

SCRIPT = """
local P, R, PARTS = KEYS[1], cjson.decode(ARGV[1]), 64
local t = redis.call('TIME')
local now, stamp = tonumber(t[1]) + tonumber(t[2]) / 1e6, t[1] .. '.' .. string.format('%06d', tonumber(t[2]))
local RING = PARTS + 1

redis.call('ZADD', P .. 'members', now, R.member)
redis.call('ZREMRANGEBYSCORE', P .. 'members', '-inf', now - GONE_S)
redis.call('EXPIRE', P .. 'members', 3600)
local rows, alive, near = redis.call('ZRANGE', P .. 'members', 0, -1), {}, 0
local mine = string.match(R.member, '^(.*)|')
for _, name in ipairs(rows) do
  alive[name] = true
  if string.match(name, '^(.*)|') == mine then near = near + 1 end
end

local found = redis.call('HMGET', P .. 'epoch', 'at', 'full')
local epoch, full = found[1], found[2]
local unknown = R.seen ~= epoch and (R.alone or R.seen ~= '')
if not epoch or (R.alone and unknown and now > tonumber(epoch) + JOIN_S) then
  epoch, full = stamp, unknown and '1' or '0'
  redis.call('DEL', P .. 'epoch')
  redis.call('HSET', P .. 'epoch', 'at', epoch, 'full', full)
elseif unknown and full == '0' and now <= tonumber(epoch) + JOIN_S then
  full = '1'
  redis.call('HSET', P .. 'epoch', 'full', full)
end
local answer = {time = stamp, members = #rows, near = near, epoch = epoch}
local opens = tonumber(epoch) + JOIN_S
if now < opens then
  answer.join = opens - now
  return cjson.encode(answer)
end

local fixed, sliding, decaying = {held = 4}, {held = 3}, {held = 3}
function fixed.turn(m, at)
  local c, w, venue = m.c, m.rate, at + R.ahead
  local number = math.floor((venue + R.error) / w)
  if number > c[1] then
    c[3] = number == c[1] + 1 and c[2] or c[4]
    c[2], c[1] = c[4], number
  end
  m.venue, m.both = venue, math.floor((venue - R.error) / w) < c[1]
end
function fixed.wait(m, cost, allowed)
  local c, edge = m.c, nil
  local fits = cost < allowed and allowed - cost + 1e-9 or 1e-9
  if c[2] > fits then edge = (c[1] + 1) * m.rate
  elseif m.both and c[3] > fits then edge = c[1] * m.rate
  else return 0 end
  return math.max(edge + R.error - m.venue, 0) + 1e-4
end
function fixed.take(m, cost)
  local c = m.c
  c[2], c[4] = c[2] + cost, c[4] + cost
  if m.both then c[3] = c[3] + cost end
end
function fixed.settle(m, cost) m.c[4] = math.max(0, m.c[4] - cost) end
function fixed.back(m, cost) m.c[4], m.c[2] = math.max(0, m.c[4] - cost), math.max(0, m.c[2] - cost) end
function fixed.used(m) return m.c[2] end
function fixed.observe(m, used, window) if window == m.c[1] and used > m.c[2] then m.c[2] = used end end
function fixed.fill(m) m.c[2], m.c[3] = math.max(m.limit, m.c[2]), math.max(m.limit, m.c[3]) end

function sliding.turn(m, at)
  local c = m.c
  local part = math.floor(at / (m.rate / PARTS))
  if part <= c[1] then return end
  for gone = math.max(c[1] + 1, part - RING + 1), part do c[4 + gone % RING] = 0 end
  local sum = 0
  for i = 4, 3 + RING do sum = sum + c[i] end
  c[1], c[2] = part, sum
end
function sliding.wait(m, cost, allowed)
  local c = m.c
  local excess = c[2] + c[3] + math.min(cost, allowed) - allowed
  if excess <= 1e-9 then return 0 end
  for old = c[1] - RING + 1, c[1] do
    excess = excess - c[4 + old % RING]
    if excess <= 1e-9 then return (old + RING) * m.rate / PARTS - now + 1e-4 end
  end
  return m.rate
end
function sliding.take(m, cost) m.c[3] = m.c[3] + cost end
function sliding.settle(m, cost)
  local c = m.c
  local i = 4 + c[1] % RING
  c[i], c[2], c[3] = c[i] + cost, c[2] + cost, math.max(0, c[3] - cost)
end
function sliding.back(m, cost) m.c[3] = math.max(0, m.c[3] - cost) end
function sliding.used(m) return m.c[2] + m.c[3] end
function sliding.observe(m, used)
  local more = used - sliding.used(m)
  if more > 0 then sliding.take(m, more); sliding.settle(m, more) end
end
function sliding.fill(m) sliding.observe(m, m.limit) end

function decaying.turn(m, at)
  local c = m.c
  if at > c[2] then c[1], c[2] = math.max(0, c[1] - (at - c[2]) * m.rate), at end
end
function decaying.wait(m, cost, allowed)
  local excess = m.c[1] + m.c[3] + math.min(cost, allowed) - allowed
  return excess <= 1e-9 and 0 or excess / m.rate + 1e-4
end
decaying.take = sliding.take
function decaying.settle(m, cost) m.c[1], m.c[3] = m.c[1] + cost, math.max(0, m.c[3] - cost) end
decaying.back = sliding.back
function decaying.used(m) return m.c[1] + m.c[3] end
function decaying.observe(m, used) m.c[1] = m.c[1] + math.max(0, used - decaying.used(m)) end
function decaying.fill(m) decaying.observe(m, m.limit) end

local KINDS = {fixed = fixed, sliding = sliding, decaying = decaying}
local meters, until_s = {}, {}
for i, row in ipairs(R.meters) do until_s[i] = 'm:' .. row[1] end
if #until_s > 0 then until_s = redis.call('HMGET', P .. 'epoch', unpack(until_s)) end
for i, row in ipairs(R.meters) do
  local m = {key = P .. 'm:' .. row[1], kind = KINDS[row[2]], limit = row[3], rate = row[4]}
  local packed = redis.call('GET', m.key)
  if packed then
    local state = cmsgpack.unpack(packed)
    m.c, m.h, m.e = state[1], state[2], state[3]
  end
  if m.e ~= epoch then
    m.c, m.h, m.e = {}, {}, epoch
    for cell = 1, 3 + RING do m.c[cell] = 0 end
    local lost = until_s[i] and tonumber(until_s[i]) > now
    if full == '1' or lost then
      m.kind.turn(m, lost and now or opens)
      m.kind.fill(m)
    end
  end
  m.kind.turn(m, now)
  for name, held in pairs(m.h) do
    if not alive[name] then
      m.kind.settle(m, held)
      m.h[name] = nil
    end
  end
  meters[i] = m
end

local function hold(m, cost)
  m.kind.take(m, cost)
  m.h[R.member] = (m.h[R.member] or 0) + cost
end
for _, op in ipairs(R.ops) do
  local what, amount = op[1], op[3]
  if what == 'stop' then
    local old = tonumber(redis.call('GET', P .. 's:' .. op[2]) or '0')
    if now + amount > old then
      redis.call('SET', P .. 's:' .. op[2], string.format('%.6f', now + amount), 'PX', math.ceil(amount * 1000) + 1000)
    end
  else
    local m = meters[op[2]]
    if what == 'take' then hold(m, amount)
    elseif what == 'observe' then m.kind.observe(m, amount, op[4])
    else
      local own = m.h[R.member] or 0
      local part = math.min(amount, own)
      m.kind[what](m, part)
      own = own - part
      m.h[R.member] = own > 1e-9 and own or nil
    end
  end
end

local closed, waits, short = {}, {}, {}
for i, ask in ipairs(R.asks) do
  local wait, behind = 0, false
  short[i] = 0
  for _, stop in ipairs(ask[1]) do
    wait = math.max(wait, tonumber(redis.call('GET', P .. 's:' .. stop) or '0') - now)
  end
  for _, one in ipairs(ask[2]) do
    if closed[one[1]] then behind = true end
    local lacks = meters[one[1]].kind.wait(meters[one[1]], one[2], one[3])
    if lacks > 0 then closed[one[1]] = true end
    if lacks > wait then wait, short[i] = lacks, one[1] end
  end
  if wait == 0 and behind then wait = 1e-3 end
  if wait == 0 then
    for _, one in ipairs(ask[2]) do hold(meters[one[1]], one[2]) end
  end
  waits[i] = wait
end
local used = {}
for i, m in ipairs(meters) do
  used[i] = m.kind.used(m)
  local life = m.kind == decaying and 3600 or math.ceil(m.rate * 3) + 60
  redis.call('SET', m.key, cmsgpack.pack({m.c, m.h, m.e}), 'EX', life)
  redis.call('HSET', P .. 'epoch', 'm:' .. R.meters[i][1], string.format('%.3f', now + life - 1))
end
answer.waits, answer.short, answer.used = waits, short, used
return cjson.encode(answer)
""".replace("JOIN_S", str(JOIN_S)).replace("GONE_S", str(GONE_S))
