// What was promised and what came of it: the judge of a simulation run.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "conf/vocab/time.h"

namespace sim {

// Every message carries its number in its first line, and a checksum of the rest.
struct Ledger {
  using Key = std::pair<uint64_t, std::string>;  // message number, recipient
  std::map<Key, std::string> promised;           // got 250 at our door; value: reverse-path
  std::map<Key, int> delivered;                  // times that a peer said 250
  std::map<Key, int> reported;                   // times that a report about it arrived
  // The final dot of one delivery, or of one report about it.
  struct Dot {
    conf::Instant at;
    std::shared_ptr<const bool> heard;  // the relay went on after our 250: it has read it
    std::string report{};               // the relay's identifier of the report
    std::string from{};                 // address that the relay connected from
  };
  // The relay's identifier of the message, recipient. A client whose 250 was lost hands in the same message
  // again, and the relay knows it as another one.
  using Delivery = std::pair<std::string, std::string>;
  std::map<Delivery, std::vector<Dot>> delivery_dots, report_dots;  // each in the order of time
  std::map<uint64_t, std::set<std::string>> identifiers;            // of each message number
  // Recipient: when its receiver refused it for good and said so. Each message has recipients of its own.
  std::map<std::string, std::vector<conf::Instant>> refused;
  std::set<std::string> nowhere;  // domains that take no mail, as DNS says
  std::set<std::string> foreign;  // recipients in UTF-8 at a receiver that takes none
  std::vector<std::string> violations;

  void violate(std::string what) {
    if (violations.size() < 20) violations.push_back(std::move(what));
  }
};

}  // namespace sim
