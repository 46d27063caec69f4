// The TTL cache in front of a DnsTransport: bounded (`cache_entries`, and 1 KB for each in all; least
// recently used goes), negative answers kept (RFC 2308), one query in flight per question, prompt eviction of
// stale entries on use. Temporary failures are kept 5 seconds so that a dead name server is not stormed. So
// many questions are with the transport at once and no more; the others wait, and zones take turns
// (mx/dns/question_queue.h). Names that no name server knows are answered at once.
// One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "conf/config.h"
#include "conf/vocab/time.h"
#include "mx/dns/resolver.h"

namespace mx {

struct DnsCacheCounters {
  uint64_t hits = 0, misses = 0, joined = 0, evicted = 0, failures = 0;
  uint64_t entries = 0, octets = 0, in_flight = 0, waiting = 0;
};

class DnsCache final : public Resolver {
 public:
  static constexpr size_t kMostInFlight = 512;
  DnsCache(conf::DnsSettings settings, DnsTransport* transport, const conf::Clock* clock,
           size_t most_in_flight = kMostInFlight);
  ~DnsCache() override;
  void query(std::string_view name, RecordType type, Done done) override;
  DnsCacheCounters counters() const;
  void clear();  // entries; questions in flight go on

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the answers in flight, which may outlive the cache
};

}  // namespace mx
