-- SPDX-License-Identifier: ISC
-- miltertest ends without a word when a script fails; this says where. The harness gives: script, common, socket.
local fine, problem = xpcall(dofile, debug.traceback, script)
if not fine then
    print(problem)
    error(problem)
end
