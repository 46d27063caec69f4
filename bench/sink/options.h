// What the receiver was asked to be.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

enum class FailAt : uint8_t { kMail, kRcpt, kDot };

struct SinkOptions {
  std::vector<std::string> listen;
  std::string hostname = "sink.test";
  std::string ids_path;
  bool id_times = false;
  std::string count_path;
  std::string scenario_path;
  std::string zone_path;
  std::string shares_path;
  std::string report_path;
  std::string reports_to;            // over the scenario's
  std::vector<std::string> fail_on;  // what makes the exit status 3
  uint32_t time_scale = 0;           // over the scenario's; 0: as it says
  bool reports_anywhere = false;
  uint64_t expect = 0;  // messages that should come; 0: up to the highest id
  double fail_rate = 0;
  int fail_code = 450;
  FailAt fail_at = FailAt::kRcpt;
  uint32_t delay_ms = 0;
  uint32_t max_connections = 0;  // 0: no limit
  uint64_t max_size_bytes = 0;   // 0: no limit, SIZE without a number
  uint64_t seed = 1;
  bool pipelining = true;
  bool chunking = true;
  bool quiet = false;
  bool json = false;
};

}  // namespace bench
