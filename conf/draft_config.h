// What a configuration file with errors still says of where a relay is: for commands that only have to find
// the one that runs, on which the errors have no hold.
#pragma once

#include <string>

#include "conf/config.h"

namespace conf {

struct DraftConfig {
  // As far as it could be read. No TOML: what [admin], [log], [spool] and [quarantine] say, when they are
  // right. No right to read it: as if nothing were set. Null: there is no file.
  ConfigPtr config;
  std::string trouble;  // why it is not the whole ("relay.toml:3:1: ..., and 2 more errors"); "": it is
};

DraftConfig load_draft(const std::string& path);

}  // namespace conf
