// What keeps mail to a domain back whatever the schedule of a message says: an order on its stream, or every
// source that may send it is blocked, paused, or over a limit until an instant that is known. Loop thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "relay/desk/waiting_reason.h"
#include "relay/walk/transit.h"

namespace relay {

class DomainHolds {
 public:
  // Until when an order would hold a path that is not there yet; the past: none would.
  using OrderedUntil =
      std::function<conf::Instant(const queue::DomainEntry&, const conf::Source&, const std::string& rule)>;
  DomainHolds(Transit* transit, OrderedUntil ordered)  // borrowed
      : transit_(transit), ordered_(std::move(ordered)) {}

  // Finds what is held against sites that no path is open to, among `most` counters in each call. False: all
  // were seen. Without it, of() knows of no path that is not there but what orders say.
  bool look_some(size_t most);
  // Of several sources the one that may send first. Text "": one may send now, or the route is not known.
  // Found once for a domain and a stream. O(sources)
  const Reason& of(uint32_t domain, uint16_t stream, conf::Instant now);

 private:
  Reason find(queue::DomainEntry* domain, uint16_t stream, conf::Instant now);
  Reason from(queue::DomainEntry* domain, const conf::Source& source, conf::Instant now);
  Reason of_no_path(queue::DomainEntry* domain, const conf::Source& source, conf::Instant now) const;
  Reason of_counters(const queue::DomainEntry& domain, const conf::Source& source,
                     const std::string& rule) const;

  Transit* transit_;
  OrderedUntil ordered_;
  size_t next_ = 0;  // where look_some() goes on
  bool looked_ = false;
  std::map<std::string, Reason> detached_;  // by the names of their counters
  std::map<std::pair<uint32_t, uint16_t>, Reason> found_;
};

}  // namespace relay
