// What copies requests, in HAProxy's Lua: a filter that sees a request pass without holding it up, and sends what it saw to
// an entrance of HAProxy's own, which leads it to the servers that a backend has at the time. Pure.
// Source: HAProxy Lua reference 2.6, "Filter class", "Socket class".
import { mirrorEntrance, mirrorHeader } from './mirror-lines.ts'

/** Of one request; one that has more is not copied, since half of it would be another request. */
const bodyBytes = 1024 * 1024
/** Copies for a backend that wait for their answer, of one thread; where they never get any, there are no more. */
const waiting = 256
/** HAProxy ends it before. */
const answerSeconds = 3600

export const mirrorScript = `
-- By backend.
local waiting = {}

-- They say something about one connection, or are said anew.
local left_out = {
  ['connection'] = true, ['keep-alive'] = true, ['proxy-connection'] = true, ['upgrade'] = true, ['expect'] = true,
  ['http2-settings'] = true, ['transfer-encoding'] = true, ['content-length'] = true, ['trailer'] = true,
  ['${mirrorHeader}'] = true,
}

local function send(socket_path, backend, head, body)
  local before = waiting[backend] or 0
  if before >= ${waiting} then return end
  waiting[backend] = before + 1
  core.register_task(function()
    local socket = core.tcp()
    socket:settimeout(${answerSeconds})
    if socket:connect(socket_path) then
      socket:send(head .. '${mirrorHeader}: ' .. backend .. '\\r\\n\\r\\n' .. body)
      repeat local part = socket:receive(8192) until part == nil
    end
    socket:close()
    waiting[backend] = waiting[backend] - 1
  end)
end

local Mirror = { id = 'mirror', flags = filter.FLT_CFG_FL_HTX }
Mirror.__index = Mirror

function Mirror:new()
  return setmetatable({ socket_path = self.socket_path, mirrors = self.mirrors, backends = {}, parts = {}, bytes = 0 }, Mirror)
end

function Mirror:http_headers(txn, message)
  -- A copy is not copied.
  if message:is_resp() or txn.sf:fe_name() == '${mirrorEntrance}' then return filter.CONTINUE end
  for _, mirror in ipairs(self.mirrors) do
    if txn.f:rand(1000000) < mirror.share then table.insert(self.backends, mirror.backend) end
  end
  local target = txn.sf:pathq()
  if #self.backends == 0 or target:sub(1, 1) ~= '/' then return filter.CONTINUE end
  local lines = { txn.sf:method() .. ' ' .. target .. ' HTTP/1.1' }
  local headers = message:get_headers()
  for name, values in pairs(headers) do
    if not left_out[name] then
      for place = 0, #values do
        if values[place] ~= nil then table.insert(lines, name .. ': ' .. values[place]) end
      end
    end
  end
  self.has_body = headers['content-length'] ~= nil or headers['transfer-encoding'] ~= nil
  self.head = table.concat(lines, '\\r\\n') .. '\\r\\nconnection: close\\r\\n'
  filter.register_data_filter(self, message.channel)
  return filter.CONTINUE
end

function Mirror:http_payload(_, message)
  if self.head == nil or message:is_resp() then return end
  local part = message:body()
  if part == nil then return end
  self.bytes = self.bytes + #part
  table.insert(self.parts, part)
  if self.bytes > ${bodyBytes} then self.head, self.parts = nil, {} end
end

function Mirror:http_end(_, message)
  if self.head == nil or message:is_resp() then return filter.CONTINUE end
  local body = table.concat(self.parts)
  local head = self.head
  if self.has_body or #body > 0 then head = head .. 'content-length: ' .. #body .. '\\r\\n' end
  self.head, self.parts = nil, {}
  for _, backend in ipairs(self.backends) do send(self.socket_path, backend, head, body) end
  return filter.CONTINUE
end

core.register_filter('mirror', Mirror, function(class, arguments)
  class.socket_path = arguments[1]
  class.mirrors = {}
  for place = 2, #arguments, 2 do
    table.insert(class.mirrors, { backend = arguments[place], share = tonumber(arguments[place + 1]) })
  end
  return class
end)
`.trimStart()
