// What the delivery log tells of messages: which events are theirs, and their story in words. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace relay::cli {

// The id of a message (13 characters), an address (of a sender or recipient), or a domain.
class LogSearch {
 public:
  explicit LogSearch(std::string what);

  // A cheap look at a line: whether it may be of any event that is meant.
  bool may_match(std::string_view line) const;
  // The messages that the event is about and that are meant; the report about one is meant too.
  std::vector<std::string> ids_of(const nlohmann::json& event) const;

 private:
  bool is_address_meant(const std::string& address) const;

  std::string what_;  // lower case
  bool id_ = false;
};

// The events of one message, in their order, as lines of at most 100 columns.
std::string story_text(const std::string& id, const std::vector<nlohmann::json>& events);

}  // namespace relay::cli
