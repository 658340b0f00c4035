-- Sends the template in the file args[1], with one of args[2] users in each request, and ends with
-- one line of JSON. See bench/traffic.py for what a template is.
local pieces, users = {}, 1

function init(args)
   local file = assert(io.open(args[1], "rb"))
   local template = file:read("*a") .. "@@@@@@@"
   file:close()
   for piece in template:gmatch("(.-)@@@@@@@") do
      pieces[#pieces + 1] = piece
   end
   users = tonumber(args[2])
   math.randomseed(1)
end

function request()
   return table.concat(pieces, string.format("%07d", math.random(0, users - 1)))
end

function done(summary)
   local e = summary.errors
   io.write(string.format(
      '{"requests":%d,"seconds":%.6f,"errors":%d}\n',
      summary.requests - e.status, summary.duration / 1e6,
      e.connect + e.read + e.write + e.status + e.timeout))
end
