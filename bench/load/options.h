// What the generator was asked to do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

struct LoadOptions {
  std::string to;
  uint64_t messages = 1000;
  uint32_t connections = 10;
  uint64_t size_bytes = 10'000;
  std::string domains = "10";  // a count, or a comma list
  std::string from = "load@sender.test";
  std::string prefix;  // of the X-Load-Id; empty: made from the clock and the process
  std::string ids_path;
  bool id_times = false;
  double rate = 0;           // messages a second; 0: as fast as the relay takes them
  uint32_t patience_s = 30;  // without any reply for so long: give up
  uint32_t recipients = 1;   // of a message, all in one domain
  bool pipelining = true;
  bool progress = false;
  bool json = false;
};

}  // namespace bench
