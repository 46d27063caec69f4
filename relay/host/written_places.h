// Where the relay writes, looked at before it starts: what stands there may stop the start.
#pragma once

#include <string>
#include <vector>

#include "conf/config.h"

namespace relay {

struct WrongPlace {
  std::string table, key;  // that names it: "[log]", "path"
  std::string what;        // for people, with the path and what to do
  bool warning = false;    // a start may succeed all the same
};

// The log, the spool, the admin socket, the ledger and the Maildirs: what kind of thing is there, and whether
// it can be written. Nothing is made or changed. Root asks as the user of run_as and is that user meanwhile:
// in a program of one thread only.
std::vector<WrongPlace> wrong_places(const conf::Config& config);

}  // namespace relay
