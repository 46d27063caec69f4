// One receiving site at work: what it says to each step of a session, and how often its limits were broken.
// Pure: no socket, no clock; time comes with each call.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <numeric>
#include <string>
#include <string_view>
#include <unordered_map>

#include "bench/personality/scenario.h"
#include "bench/personality/wording.h"
#include "conf/vocab/random.h"
#include "conf/vocab/time.h"

namespace bench {

// What the site does at a step. kReply with a code of 421, and kDrop, end the session.
struct Verdict {
  enum class Kind : uint8_t { kGoOn, kReply, kDrop, kLose, kEndless };
  Kind kind = Kind::kGoOn;
  std::string reply;        // kReply: without CRLF
  conf::Duration delay{0};  // before whatever is said
  Handshake handshake = Handshake::kGood;
  FaultKind manner = FaultKind::kReply;  // kTwice, kEarly, kLeave: it goes on, in that way
  bool closes() const {
    return kind == Kind::kDrop || (kind == Kind::kReply && reply.compare(0, 3, "421") == 0);
  }
};

// A session as the site knows it. Owned by the session.
struct Visit {
  std::string source;
  std::string host;  // the site's, which was connected to
  std::string key;   // whose use of the limits this is
  std::string reverse_path;
  uint32_t messages = 0;         // MAIL commands that were let through
  uint32_t recipients = 0;       // of the transaction
  bool over_recipients = false;  // the transaction has broken the limit already
  bool secret = false;           // under TLS
  bool counted = false;          // holds one of the source's connections
};

struct SiteTally {
  uint64_t connections = 0, messages = 0, recipients = 0;
  uint64_t refused = 0, dropped = 0, delayed = 0;
  std::array<uint64_t, kLimits> broken{};  // by Limit
  uint64_t greylisted = 0, early = 0;      // first visits; and tries that came back before the time
  uint64_t open = 0, max_open = 0;         // all sources together
  uint64_t max_per_source = 0;             // of one source, as `per` counts it
  uint64_t bad_handshakes = 0, late = 0;   // TLS faults played; late reports decided on
  uint64_t ill_mannered = 0;               // commands lost, answered twice, too early, without end, and so on
  uint64_t all_broken() const { return std::accumulate(broken.begin(), broken.end(), uint64_t{0}); }
  void add(const SiteTally& other);  // max_open of a sum is not known and stays out
};

// Mail that will come back.
struct LateReport {
  ReportKind kind = ReportKind::kDsn;
  conf::Duration after{0};
  std::string reply;  // kDsn
  std::string reverse_path, recipient, source, host;
  std::string header;  // of the message; bounded by who fills it in
};

class Site {
 public:
  // `group` is borrowed.
  Site(const Group& group, uint64_t seed, conf::Instant start);

  // Who comes: from `source` to the host at `address` (one of the group's; another counts for the first).
  void introduce(Visit* visit, std::string source, std::string_view address) const;
  Verdict arrive(Visit* visit, conf::Instant now);  // after introduce()
  // Would this visit, introduced, be one connection too many?
  bool is_full(const Visit& visit) const;
  // The connection is over as far as the sender knows. Harmless when told twice.
  void leave(Visit* visit);
  // The step itself; `argument` is the recipient or the reverse-path where there is one. A transaction breaks
  // a limit once, however much was pipelined behind. O(faults), plus the window of the source at kMail.
  Verdict judge(Visit* visit, Stage stage, std::string_view argument, conf::Instant now);
  void took(Visit* visit, uint32_t recipients);  // the message is stored
  // Does something come back for this recipient of the message taken? Never for a null reverse-path.
  bool comes_back(const Visit& visit, std::string_view recipient, LateReport* report);
  const Group& group() const { return group_; }
  const SiteTally& tally() const { return tally_; }

 private:
  struct Source {
    uint64_t open = 0;
    std::deque<conf::Instant> messages, connections;  // within the window
  };
  Verdict broken(Limit limit, const Visit& visit);
  bool window_full(std::deque<conf::Instant>* times, uint32_t most, conf::Instant now) const;
  Verdict greylist(const Visit& visit, std::string_view recipient, conf::Instant now);
  Verdict faults(const Visit& visit, Stage stage, std::string_view argument, conf::Instant now);
  bool hits(double share, bool sticky, size_t index, std::string_view argument);

  const Group& group_;
  conf::Random random_;
  uint64_t seed_;
  conf::Instant start_;
  SiteTally tally_;
  std::unordered_map<std::string, Source> sources_;
  std::unordered_map<uint64_t, conf::Instant> first_seen_;  // greylist: hash of the triple; bounded
};

}  // namespace bench
