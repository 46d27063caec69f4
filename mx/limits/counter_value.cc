#include "mx/limits/counter_value.h"

#include <algorithm>
#include <chrono>

#include "mx/limits/saved.h"
#include "mx/limits/standing.h"
#include "mx/limits/traffic.h"

namespace mx {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr uint64_t kValueVersion = 2;
constexpr uint64_t kWithoutHeirs = 1;
constexpr uint64_t kMostHeirs = 1'000'000;

// For how long what is saved now is worth reading. Counts of an hour are worth an hour.
constexpr conf::Duration kKeepBlock = 24h;   // after its end: the next one is longer
constexpr conf::Duration kKeepSample = 48h;  // the longest window of a threshold, see rule_check.cc
constexpr conf::Duration kKeepLearned = 24h * 7;

conf::WallTime stale_at(Traffic& traffic, const Moment& moment) {
  return moment.to_wall(traffic.worth_until(moment.now));
}

conf::WallTime stale_at(Standing& standing, const Moment& moment) {
  const bool learned = standing.learned_per_hour() != 0 || standing.ladder(moment.now).per_day != 0;
  const conf::WallTime keep = moment.wall + (learned ? kKeepLearned : kKeepSample);
  if (standing.state() == Standing::State::kOpen) return keep;
  const conf::WallTime end = moment.to_wall(standing.blocked_until());
  return std::max(keep, end > conf::WallTime::max() - kKeepBlock ? conf::WallTime::max() : end + kKeepBlock);
}

template <typename T>
std::string saved_value(T* object, CounterHeader header, const Moment& moment) {
  header.saved = moment.wall;
  header.stale = stale_at(*object, moment);
  const std::string body = object->save(moment);
  return body.empty() ? body : join_value(header, body);
}

}  // namespace

bool split_value(std::string_view value, CounterHeader* header, std::string_view* body) {
  const Moment moment;
  SavedReader in(value, moment);
  const uint64_t version = in.number(kValueVersion);
  header->saved = in.wall();
  header->stale = in.wall();
  if (version == kValueVersion) {
    header->id = in.number();
    header->made = in.number32();
    for (uint64_t left = in.number(kMostHeirs); left > 0 && in.ok(); --left) {
      Heir& heir = header->heirs[in.number()];
      heir.generation = in.number32();
      heir.through = in.wall();
    }
  }
  if (version < kWithoutHeirs || !in.ok()) return false;
  *body = in.rest();
  return true;
}

std::string join_value(const CounterHeader& header, std::string_view body) {
  const Moment moment;
  std::string value;
  value.reserve(body.size() + 28);
  SavedWriter out(&value, moment);
  out.number(kValueVersion);
  out.wall(header.saved);
  out.wall(header.stale);
  out.number(header.id);
  out.number(header.made);
  out.number(header.heirs.size());
  for (const auto& [id, heir] : header.heirs) {
    out.number(id);
    out.number(heir.generation);
    out.wall(heir.through);
  }
  return value += body;
}

std::string value_of(Traffic* object, CounterHeader header, const Moment& moment) {
  return saved_value(object, std::move(header), moment);
}
std::string value_of(Standing* object, CounterHeader header, const Moment& moment) {
  return saved_value(object, std::move(header), moment);
}

}  // namespace mx
