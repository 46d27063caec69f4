// What came of an order to read the configuration again.
#pragma once

#include <string>
#include <vector>

namespace relay::admin {

struct ReloadDone {
  std::string file;
  std::string refused;                // why the old configuration goes on; "": the new one holds
  std::vector<std::string> problems;  // errors and warnings with their places, as `penstock check` has them
  std::vector<std::string> changes;   // what differs in the file, a line each
  std::string waiting;                // of them, what waits for a restart: "hostname, [spool]"
};

}  // namespace relay::admin
