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

// Where in a session something happens. kContent: its first bytes have come; kDot: it has ended; kStored: the
// message was taken.
enum class Stage : uint8_t {
  kConnect,
  kEhlo,
  kStartTls,
  kMail,
  kRcpt,
  kData,
  kContent,
  kDot,
  kStored,
  kRset,
  kQuit
};
inline constexpr const char* kStageNames[] = {"connect", "ehlo", "starttls", "mail", "rcpt", "data",
                                              "content", "dot",  "stored",   "rset", "quit"};

// kLose: the command is not heard. kTwice: answered twice. kEarly: 354 and 250 at once, before the content.
// kLeave: done and answered, and then the site goes without a word. kEndless: a reply that has no end.
enum class FaultKind : uint8_t { kReply, kDrop, kDelay, kHandshake, kLose, kTwice, kEarly, kLeave, kEndless };
// What becomes of a TLS handshake after the 220: an alert, an end in the middle of the server's first flight,
// bytes that are no TLS, silence.
enum class Handshake : uint8_t { kGood, kRefuse, kBreak, kGarbage, kStall };
inline constexpr const char* kHandshakeNames[] = {"good", "refuse", "break", "garbage", "stall"};
enum class TlsUse : uint8_t { kNone, kOffered, kRequired };
// Whose use of a limit is added up: all hosts of the group together, or each of its addresses.
enum class Per : uint8_t { kGroup, kAddress };
enum class ReportKind : uint8_t { kDsn, kArf };

struct Fault {
  Stage at = Stage::kRcpt;
  FaultKind kind = FaultKind::kReply;
  double share = 1;
  std::string reply{};      // without CRLF; {recipient}, {source}, {host} are filled in
  conf::Duration delay{0};  // kDelay
  bool sticky = false;      // drawn once for a recipient, not for each try
  bool in_tls = false;      // under TLS only
  conf::Duration after{0};  // since the start of the receiver
  conf::Duration until{INT64_MAX};
  Handshake handshake = Handshake::kGood;  // kHandshake
};

// Mail that comes back to the envelope sender after the message was taken: a bounce (RFC 3464) or a complaint
// (RFC 5965).
struct LateRule {
  ReportKind kind = ReportKind::kDsn;
  double share = 1;
  std::string reply;         // kDsn: what the final host is said to have answered; as in Fault
  conf::Duration after{0};   // since the message was taken
  conf::Duration spread{0};  // up to so much later, drawn for each
  bool sticky = false;
};

// 0 in a limit: there is none.
struct Group {
  std::string name;
  uint32_t weight = 1;  // share of the mail, against the other groups
  std::vector<std::string> domains;
  std::vector<std::string> hosts;      // MX host names, the best first
  std::vector<std::string> addresses;  // of the hosts, one each
  std::string wording = "plain";
  Per per = Per::kGroup;         // what one source address has used is counted so
  uint32_t max_connections = 0;  // of one source address at a time
  uint32_t max_messages_per_connection = 0;
  uint32_t max_recipients = 0;       // of a message
  uint32_t max_messages = 0;         // of one source address in any `window`
  uint32_t max_new_connections = 0;  // of one source address in any `window`
  conf::Duration window{60'000'000};
  conf::Duration greylist{0};
  uint64_t max_size_bytes = 0;
  bool pipelining = true, chunking = true;
  bool octets = false;           // what is said is sent octet by octet
  bool bare_lf = false;          // and its lines end in LF
  bool refuses_offered = false;  // what EHLO offers for MAIL, RCPT and BDAT is not known after all
  TlsUse tls = TlsUse::kNone;
  std::string tls_name;  // in the certificate instead of the hosts' names
  std::vector<Fault> faults;
  std::vector<LateRule> late;
};

struct Scenario {
  std::string name;
  uint64_t seed = 1;
  uint16_t port = 2525;
  uint32_t time_scale = 1;  // an hour of the scenario lasts 1/time_scale hour
  std::string reports_to;   // HOST:PORT that late reports are sent to; empty: they are not sent
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

// Divides windows, greylisting and the times of faults and late reports by `time_scale`, which is 1
// afterwards. Delays of replies stay: they are what a sender waits for.
void speed_up(Scenario* scenario);

}  // namespace bench
