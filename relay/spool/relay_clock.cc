#include "relay/spool/relay_clock.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <utility>

namespace relay::spool {

namespace {

constexpr int64_t kVersion = 1;
constexpr int64_t kFarthest = int64_t{1} << 60;  // microseconds: more is no time that a clock ever showed

// Takes the number at the front of `text` and the space behind it.
bool take(std::string_view* text, int64_t* value) {
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, *value);
  if (error != std::errc() || stop == end || *stop != ' ' || *value > kFarthest || *value < -kFarthest)
    return false;
  text->remove_prefix(static_cast<size_t>(stop - text->data()) + 1);
  return true;
}

int64_t micros(conf::Instant at) { return at.time_since_epoch().count(); }

}  // namespace

RelayClock::RelayClock(const conf::Clock* system, std::string boot)
    : system_(system),
      boot_(std::move(boot)),
      offset_(conf::unix_micros(system->wall()) - micros(system->now())) {}

conf::WallTime RelayClock::calendar(conf::WallTime moment) const {
  const int64_t then = conf::unix_micros(moment);
  if (then > kFarthest || then < -kFarthest) return moment;  // not a time, but a bound
  // The two are not read at the same instant: what they differ by is rounded, so that it does not flicker.
  const conf::Duration apart = today() - wall();
  return moment + std::chrono::round<std::chrono::duration<int64_t, std::deci>>(apart);
}

std::string RelayClock::anchor() const {
  std::string text;
  for (const int64_t number :
       {kVersion, conf::unix_micros(wall()), conf::unix_micros(today()), micros(now())})
    text += std::to_string(number) + ' ';
  return text + boot_;
}

bool RelayClock::go_on(std::string_view anchor) {
  int64_t version = 0, relay = 0, calendar = 0, monotonic = 0;
  if (!take(&anchor, &version) || version != kVersion || !take(&anchor, &relay) ||
      !take(&anchor, &calendar) || !take(&anchor, &monotonic))
    return false;
  const int64_t now = micros(system_->now());
  std::string boot(anchor);
  std::erase(boot, '-');  // older versions kept them
  const bool same_run = !boot_.empty() && boot == boot_ && monotonic <= now;
  const int64_t passed = same_run ? now - monotonic
                                  : std::clamp<int64_t>(conf::unix_micros(today()) - calendar, 0,
                                                        conf::Duration(kMostOff).count());
  offset_ = relay + passed - now;
  return true;
}

std::string system_boot() {
  std::string name;
  if (const char* const named = std::getenv("PENSTOCK_BOOT_ID"); named != nullptr) name = named;
  if (name.empty()) {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::getline(file, name);
  }
  std::erase(name, '-');  // systemd writes it without
  return name;
}

}  // namespace relay::spool
