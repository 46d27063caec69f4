// What the delivery log tells: which events are of the messages that are meant, their story in words, and
// what happened without a message. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace relay::cli {

// The id of a message (13 characters), its Message-ID, an address (of a sender or recipient), a domain, an MX
// host, or the address of a host or client.
class LogSearch {
 public:
  explicit LogSearch(std::string what);

  // A cheap look at a line: whether it may be of any event that is meant.
  bool may_match(std::string_view line) const;
  // The message that the event is about when it is meant; the report about one is meant too. Empty: none.
  std::string id_of(const nlohmann::json& event) const;
  // The event is of no message and is meant: a recipient that was refused at the door, trouble and decisions
  // of a host (of all hosts below a domain), a client that was refused; an order that names the message.
  bool is_meant_without_message(const nlohmann::json& event) const;

 private:
  bool is_address_meant(const std::string& address) const;
  bool is_host_meant(std::string_view hosts) const;  // with commas between

  std::string what_;     // lower case
  std::string escaped_;  // the same as a line has it
  bool id_ = false;
};

// The id in a line of the log, as far as a look can tell; empty: none. (No text of others has that key in it:
// their quotes are escaped.)
std::string_view id_in(std::string_view line);

// The events of one message, in their order, as lines of at most 100 columns.
std::string story_text(const std::string& id, const std::vector<nlohmann::json>& events);

// The same of events without a message.
std::string events_text(const std::vector<nlohmann::json>& events);

}  // namespace relay::cli
