#include "mx/dns/dns_cache.h"

#include <algorithm>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include "conf/vocab/ascii.h"
#include "conf/vocab/parted_map.h"
#include "mx/dns/dns_answer.h"
#include "mx/dns/question_queue.h"
#include "mx/dns/special_address.h"

namespace mx {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr conf::Duration kFailureTtl = 5s;
// So much for each of `cache_entries`, on average: a usual answer is a third of it, a hostile one much more.
constexpr size_t kOctetsPerEntry = 1024, kLeastEntries = 64;
constexpr size_t kZones = 8;              // so many may each have their part of the questions under way
constexpr conf::Duration kNeverTtl = 1h;  // of a name that cannot be

std::string question(std::string_view name, RecordType type) {
  std::string key;
  key.reserve(name.size() + 4);
  for (const char c : name) key += conf::ascii_lower(c);
  if (!key.empty() && key.back() == '.') key.pop_back();
  key += ' ';
  key += std::to_string(static_cast<unsigned>(type));
  return key;
}

// What an answer and its place in the cache take, roughly.
size_t octets_of(const std::string& key, const DnsAnswer& answer) {
  size_t octets = 256 + 2 * key.capacity() + answer.canonical_name.capacity() + answer.detail.capacity();
  for (const MxRecord& each : answer.mx) octets += sizeof(MxRecord) + each.host.capacity();
  for (const std::string& each : answer.addresses) octets += sizeof(std::string) + each.capacity();
  for (const std::string& each : answer.texts) octets += sizeof(std::string) + each.capacity();
  return octets;
}

}  // namespace

struct DnsCache::State : std::enable_shared_from_this<DnsCache::State> {
  explicit State(size_t most_in_flight)
      : waiting(std::max<size_t>(most_in_flight / kZones, 1)), most(most_in_flight) {}

  struct Entry {
    DnsAnswerPtr answer;
    conf::Instant until{};
    std::list<std::string>::iterator age;  // in `ages`
    size_t octets = 0;
  };

  conf::DnsSettings settings;
  DnsTransport* transport = nullptr;
  const conf::Clock* clock = nullptr;
  conf::PartedMap<std::string, Entry> entries;
  std::list<std::string> ages;  // the most lately used first
  size_t octets = 0;            // of all entries
  conf::PartedMap<std::string, std::vector<Done>> in_flight;
  QuestionQueue waiting;
  size_t asked = 0;  // with the transport
  const size_t most;
  bool asking = false;
  DnsCacheCounters counters;

  void ask_more() {
    if (asking) return;
    asking = true;
    while (asked < most) {
      const std::optional<Question> taken = waiting.take();
      if (!taken) break;
      const Question& next = *taken;
      ++asked;
      transport->ask(next.name, next.type,
                     [weak = weak_from_this(), next = next](DnsStatus status, std::string_view raw,
                                                            std::string_view detail) {
                       const std::shared_ptr<State> state = weak.lock();
                       if (state == nullptr) return;
                       --state->asked;
                       state->waiting.answered(next.name);
                       if (state->in_flight.contains(next.key)) state->take(next, status, raw, detail);
                       state->ask_more();
                     });
    }
    asking = false;
  }

  void take(const Question& question, DnsStatus status, std::string_view raw, std::string_view detail) {
    auto answer = std::make_shared<DnsAnswer>();
    if (status == DnsStatus::kOk) {
      *answer = parse_dns_answer(raw, question.name, question.type, detail);
    } else {
      answer->status = status;
      answer->canonical_name = question.name;
      answer->detail = detail;
    }
    if (!is_trouble(*answer)) answer->ttl = time_to_keep(*answer);  // routes live no longer either
    answered(question.key, std::move(answer));
  }

  static bool is_trouble(const DnsAnswer& answer) {
    return answer.status == DnsStatus::kFailed || answer.status == DnsStatus::kTimeout;
  }

  conf::Duration time_to_keep(const DnsAnswer& answer) const {
    switch (answer.status) {
      case DnsStatus::kOk:
        return std::clamp(answer.ttl, std::min(settings.min_ttl, settings.max_ttl), settings.max_ttl);
      case DnsStatus::kNoData:
      case DnsStatus::kNoName:
        return std::min(answer.ttl, settings.max_negative_ttl);
      case DnsStatus::kFailed:
      case DnsStatus::kTimeout:
        return kFailureTtl;
    }
    return kFailureTtl;
  }

  void keep(const std::string& key, const DnsAnswerPtr& answer) {
    const conf::Duration ttl = time_to_keep(*answer);
    drop(key);
    if (ttl.count() <= 0 || settings.cache_entries == 0) return;
    const size_t size = octets_of(key, *answer);
    const size_t most_octets = std::max<size_t>(settings.cache_entries, kLeastEntries) * kOctetsPerEntry;
    if (size > most_octets) return;
    while (entries.size() >= settings.cache_entries || octets + size > most_octets) {
      drop(std::string(ages.back()));
      ++counters.evicted;
    }
    ages.push_front(key);
    entries[key] = {answer, clock->now() + ttl, ages.begin(), size};
    octets += size;
  }

  void drop(const std::string& key) {
    const Entry* found = entries.find(key);
    if (found == nullptr) return;
    ages.erase(found->age);
    octets -= found->octets;
    entries.erase(key);
  }

  void answered(const std::string& key, DnsAnswerPtr answer) {
    if (is_trouble(*answer)) ++counters.failures;
    keep(key, answer);
    const std::vector<Done> waiting = std::move(*in_flight.find(key));  // whoever calls this looked
    in_flight.erase(key);
    for (const Done& done : waiting) done(answer);
  }
};

DnsCache::DnsCache(conf::DnsSettings settings, DnsTransport* transport, const conf::Clock* clock,
                   size_t most_in_flight)
    : state_(std::make_shared<State>(most_in_flight)) {
  state_->settings = std::move(settings);
  state_->transport = transport;
  state_->clock = clock;
}

DnsCache::~DnsCache() {
  state_->in_flight.clear();
  state_->waiting.clear();
}

void DnsCache::query(std::string_view name, RecordType type, Done done) {
  if (is_never_a_name(name)) {
    auto answer = std::make_shared<DnsAnswer>();
    answer->status = DnsStatus::kNoName;
    answer->canonical_name = name;
    answer->ttl = kNeverTtl;
    answer->detail = "no name server knows such names";
    done(std::move(answer));
    return;
  }
  const std::string key = question(name, type);
  if (const State::Entry* found = state_->entries.find(key); found != nullptr) {
    if (found->until > state_->clock->now()) {
      ++state_->counters.hits;
      state_->ages.splice(state_->ages.begin(), state_->ages, found->age);
      auto answer = std::make_shared<DnsAnswer>(*found->answer);
      answer->ttl = std::min(answer->ttl, found->until - state_->clock->now());  // what is left of it
      done(std::move(answer));
      return;
    }
    state_->drop(key);
  }
  std::vector<Done>& waiting = state_->in_flight[key];
  waiting.push_back(std::move(done));
  if (waiting.size() > 1) {
    ++state_->counters.joined;
    return;
  }
  ++state_->counters.misses;
  state_->waiting.add({key, std::string(name), type});
  state_->ask_more();
}

DnsCacheCounters DnsCache::counters() const {
  DnsCacheCounters counters = state_->counters;
  counters.entries = state_->entries.size();
  counters.octets = state_->octets;
  counters.in_flight = state_->asked;
  counters.waiting = state_->waiting.size();
  return counters;
}

void DnsCache::clear() {
  state_->entries.clear();
  state_->ages.clear();
  state_->octets = 0;
}

}  // namespace mx
