// One receiving site at work: what it says to each step of a session, and how often its limits were broken.
// Pure: no socket, no clock; time comes with each call.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
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
  enum class Kind : uint8_t { kGoOn, kReply, kDrop };
  Kind kind = Kind::kGoOn;
  std::string reply;        // kReply: without CRLF
  conf::Duration delay{0};  // before whatever is said
  bool closes() const { return kind == Kind::kDrop || reply.compare(0, 3, "421") == 0; }
};

// A session as the site knows it. Owned by the session.
struct Visit {
  std::string source;
  std::string reverse_path;
  uint32_t messages = 0;    // MAIL commands that were let through
  uint32_t recipients = 0;  // of the transaction
  bool counted = false;     // holds one of the source's connections
};

struct SiteTally {
  uint64_t connections = 0, messages = 0, recipients = 0;
  uint64_t refused = 0, dropped = 0, delayed = 0;
  std::array<uint64_t, kLimits> broken{};  // by Limit; kGreylist: came back before the time
  uint64_t greylisted = 0;                 // first visits
  uint64_t open = 0, max_open = 0;
};

class Site {
 public:
  // `group` is borrowed.
  Site(const Group& group, uint64_t seed, conf::Instant start);

  Verdict arrive(Visit* visit, std::string source, conf::Instant now);
  void leave(Visit* visit);
  // The step itself; `argument` is the recipient or the reverse-path where there is one. O(faults), plus the
  // window of the source at kMail.
  Verdict judge(Visit* visit, Stage stage, std::string_view argument, conf::Instant now);
  void took(Visit* visit, uint32_t recipients);  // the message is stored
  const Group& group() const { return group_; }
  const SiteTally& tally() const { return tally_; }

 private:
  struct Source {
    uint32_t open = 0;
    std::deque<conf::Instant> messages, connections;  // within the window
  };
  Verdict broken(Limit limit, const Visit& visit);
  bool window_full(std::deque<conf::Instant>* times, uint32_t most, conf::Instant now) const;
  Verdict greylist(const Visit& visit, std::string_view recipient, conf::Instant now);
  Verdict faults(const Visit& visit, Stage stage, std::string_view argument, conf::Instant now);
  bool hits(const Fault& fault, size_t index, std::string_view argument);

  const Group& group_;
  conf::Random random_;
  uint64_t seed_;
  conf::Instant start_;
  SiteTally tally_;
  std::unordered_map<std::string, Source> sources_;
  std::unordered_map<uint64_t, conf::Instant> first_seen_;  // greylist: hash of the triple; bounded
};

}  // namespace bench
