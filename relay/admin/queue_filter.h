// Which messages of the queue are meant: by sender, stream, recipient domain, site, age, or the last refusal.
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
  std::string reason;  // part of the last reply or of the enhanced status, any case
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

// The site of a recipient domain. Asked only when the filter has a site.
using SiteLookup = std::function<std::string(const std::string& domain)>;

Match match(const QueueFilter& filter, const spool::MessageRecord& record, conf::WallTime now,
            const SiteLookup& site_of);

// The part that needs no site, for a first pass that finds the domains to look up.
bool may_match(const QueueFilter& filter, const spool::MessageRecord& record, conf::WallTime now);

}  // namespace relay::admin
