// Runs a program and takes what it prints. Loop thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "conf/vocab/result.h"
#include "conf/vocab/time.h"
#include "relay/uv/loop.h"

namespace relay::uv {

// `command`: a path and its arguments. Its standard input is empty, its standard error ours, its environment
// has PATH alone. The error says how it ended: a status, a signal, too much output (64 KB), or not in time,
// and then it is killed. `done` comes from the loop, never within the call, unless the program cannot be
// started.
void run_program(Loop* loop, const std::vector<std::string>& command, conf::Duration timeout,
                 std::function<void(conf::Result<std::string>)> done);

}  // namespace relay::uv
