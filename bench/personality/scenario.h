// A scenario: the receiving sites of an imagined internet, as a file of bench/scenarios/ describes them.
// Values only; what a site does with them is site.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config_parser.h"
#include "conf/vocab/time.h"

namespace bench {

// Where in a session something happens. kDot: the content has ended; kStored: after it was taken.
enum class Stage : uint8_t { kConnect, kEhlo, kMail, kRcpt, kData, kDot, kStored };
inline constexpr const char* kStageNames[] = {"connect", "ehlo", "mail", "rcpt", "data", "dot", "stored"};

enum class FaultKind : uint8_t { kReply, kDrop, kDelay };

struct Fault {
  Stage at = Stage::kRcpt;
  FaultKind kind = FaultKind::kReply;
  double share = 1;
  std::string reply;        // without CRLF; {recipient}, {source}, {host} are filled in
  conf::Duration delay{0};  // kDelay
  bool sticky = false;      // drawn once for a recipient, not for each try
  conf::Duration after{0};  // since the start of the receiver
  conf::Duration until{INT64_MAX};
};

// 0 in a limit: there is none.
struct Group {
  std::string name;
  uint32_t weight = 1;  // share of the mail, against the other groups
  std::vector<std::string> domains;
  std::vector<std::string> hosts;      // MX host names, the best first
  std::vector<std::string> addresses;  // of the hosts, one each
  std::string wording = "plain";
  uint32_t max_connections = 0;  // of one source address at a time
  uint32_t max_messages_per_connection = 0;
  uint32_t max_recipients = 0;       // of a message
  uint32_t max_messages = 0;         // of one source address in any `window`
  uint32_t max_new_connections = 0;  // of one source address in any `window`
  conf::Duration window{60'000'000};
  conf::Duration greylist{0};
  uint64_t max_size_bytes = 0;
  bool pipelining = true;
  std::vector<Fault> faults;
};

struct Scenario {
  std::string name;
  uint64_t seed = 1;
  uint16_t port = 2525;
  std::vector<Group> groups;
};

struct ParsedScenario {
  Scenario scenario;
  std::vector<conf::Problem> problems;  // empty: the scenario is good
};

ParsedScenario parse_scenario(std::string_view text, std::string file_name);
ParsedScenario load_scenario(const std::string& path);

// What the parser finds wrong between the keys of a group; "" when all is well. Exposed for the parser.
std::string check_reply(std::string_view reply);

// A name-server zone (RFC 1035 §5) for all domains and hosts, relative to "test.".
std::string zone_text(const Scenario& scenario);

}  // namespace bench
