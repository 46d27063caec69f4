// Which messages of the queue are meant: by sender, stream, recipient domain, site, age, or why they wait.
// Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "conf/vocab/result.h"
#include "conf/vocab/time.h"
#include "relay/spool/spool.h"

namespace relay::admin {

struct QueueFilter {
  std::string
      sender;  // glob on the whole address when it has an '@', else on its domain; "<>" the null reverse-path
  std::string domain;  // glob on the recipient domain
  std::string site;    // glob on the site or on one of its hosts
  std::string stream;  // glob on its name
  std::string reason;  // part of the last reply, of its status, or of why the mail waits now; any case
  std::optional<conf::Duration> older_than, younger_than;  // since acceptance
  std::optional<conf::MessageId>
      up_to;  // accepted no later than this one: makes a count and the deed after it agree

  bool selects_recipients() const { return !domain.empty() || !site.empty() || !reason.empty(); }
  bool empty() const {
    return sender.empty() && stream.empty() && !selects_recipients() && !older_than && !younger_than &&
           !up_to;
  }
  // Sets one by its name ("sender", "older_than" = "2h", "up_to" = message id...). kInvalid names the key and
  // what is wrong with the value, or the keys that exist.
  conf::Status set(std::string_view key, std::string_view value);
};

// kAll: every recipient that is still pending is meant; kSome: only some of them are.
enum class Match : uint8_t { kNone, kSome, kAll };

// Whether the mask matches the site, or one of its hosts.
bool site_matches(const std::string& mask, std::string_view site);

// What the running relay knows of a recipient domain of a message. Each is asked only when the filter needs
// it, and may be null then: nothing is known.
struct Lookups {
  std::function<std::string(const std::string& domain)> site;
  // Whether what keeps the mail back now has the filter's `reason` in it.
  std::function<bool(conf::MessageId id, const std::string& domain)> waits_so;
};

Match match(const QueueFilter& filter, const spool::MessageRecord& record, conf::WallTime now,
            const Lookups& lookups);

// The part that needs no lookup, for a first pass that finds what to look up.
bool may_match(const QueueFilter& filter, const spool::MessageRecord& record, conf::WallTime now);

// Whether the text has the filter's reason in it.
bool has_reason(const QueueFilter& filter, std::string_view text);

}  // namespace relay::admin
