// Looks through a whole spool while no relay has it: what is there, what is damaged, which messages are lost.
// Blocks, for as long as the disk takes; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "conf/config.h"
#include "conf/vocab/result.h"

namespace relay::spool {

struct Examination {
  uint64_t messages = 0;                                    // that can be delivered
  uint64_t recipients = 0;                                  // of these, not finished
  uint64_t octets = 0;                                      // of their bodies
  std::vector<std::pair<std::string, std::string>> damage;  // a message or another place, and what is wrong
  bool good() const { return damage.empty(); }
};

// Touches nothing: a start is rehearsed on a copy in a new folder below `scratch`, which is removed at the
// end. The copy takes the room of the write-ahead logs; tables and bodies are read where they lie. kRefused:
// a process has the spool open; kNotFound: there is none; otherwise what the disk said.
conf::Result<Examination> check_spool(const std::string& path, const std::string& scratch);

// What a start does about damage, and every body is read besides; what cannot be read is set aside. The same
// errors.
conf::Result<Examination> repair_spool(const conf::SpoolSettings& settings);

}  // namespace relay::spool
