#include "bench/pace/receiver.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace pace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

double seconds(conf::Duration length) { return static_cast<double>(length.count()) / 1e6; }
double between(double low, double high, conf::Random* random) {  // evenly on a logarithmic scale
  return low * std::pow(high / low, random->unit());
}

void draw_window(conf::Duration window, conf::Random* random, Hidden* hidden) {
  hidden->window = window;
  // What a sender can use of it, in messages a minute.
  const double most = 0.8 * 60 * 20 / seconds(hidden->latency);
  const double a_minute = between(10, std::min(2000.0, most), random);
  hidden->messages = std::max(2U, static_cast<uint32_t>(a_minute * seconds(window) / 60));
}

void draw_long_window(conf::Duration window, conf::Random* random, Hidden* hidden) {
  hidden->window = window;
  hidden->messages =
      std::max(4U, static_cast<uint32_t>(between(300, 10'000, random) * seconds(window) / 3600));
}

conf::Duration some_minutes(conf::Random* random) {
  constexpr std::array<conf::Duration, 4> kUsual = {5min, 10min, 15min, 30min};
  return random->chance(0.5) ? kUsual[random->below(kUsual.size())] : length(between(120, 1800, random));
}

}  // namespace

const char* to_text(Kind kind) {
  constexpr std::array<const char*, kKinds> kTexts = {
      "10 s to 1 min", "1 min",          "2 to 30 min",    "1 h",
      "connections",   "per connection", "mixture",        "with noise",
      "noise alone",   "counts refused", "new connections"};
  return kTexts[static_cast<size_t>(kind)];
}

std::string Hidden::text() const {
  std::string text;
  if (messages != 0)
    text += std::to_string(messages) + " in " + std::to_string(window / 1s) + " s" +
            (counts_refused ? " (with refused) " : " ");
  if (connections != 0) text += std::to_string(connections) + " connections ";
  if (per_connection != 0) text += std::to_string(per_connection) + " a connection ";
  if (new_ones != 0) text += std::to_string(new_ones) + " new connections a minute ";
  constexpr std::array<const char*, 4> kStages = {"connect", "MAIL", "RCPT", "dot"};
  return text + "at " + kStages[static_cast<size_t>(stage)] + ", " + std::to_string(latency / 1ms) + " ms";
}

double Hidden::capacity(uint32_t most_connections, uint32_t most_per_connection) const {
  const uint32_t most = connections == 0 ? most_connections : std::min(connections, most_connections);
  const uint32_t per =
      per_connection == 0 ? most_per_connection : std::min(per_connection, most_per_connection);
  double rate = most * per / (seconds(latency) * (1 + per));
  if (new_ones != 0) rate = std::min(rate, new_ones * per / 60.0);
  if (messages != 0) rate = std::min(rate, messages / seconds(window));
  return rate;
}

Hidden draw(Kind kind, conf::Random* random) {
  Hidden hidden;
  hidden.stage = static_cast<Stage>(random->below(4));
  hidden.latency = length(between(0.02, 0.5, random));
  switch (kind) {
    case Kind::kCounting:
      hidden.counts_refused = true;
      draw_window(length(between(10, 60, random)), random, &hidden);
      break;
    case Kind::kNoise:
      hidden.noise = 0.01;
      [[fallthrough]];
    case Kind::kSeconds:
      draw_window(length(between(10, 60, random)), random, &hidden);
      break;
    case Kind::kMinute:
      draw_window(1min, random, &hidden);
      break;
    case Kind::kMinutes:
      draw_long_window(some_minutes(random), random, &hidden);
      break;
    case Kind::kHour:
      draw_long_window(1h, random, &hidden);
      break;
    case Kind::kConnections:
      hidden.connections = static_cast<uint32_t>(between(1, 16, random));
      hidden.latency = length(between(0.2, 2, random));
      break;
    case Kind::kPerConnection:
      hidden.per_connection = static_cast<uint32_t>(between(1, 101, random));
      hidden.latency = length(between(0.2, 2, random));
      break;
    case Kind::kMixture:
      draw_window(1min, random, &hidden);
      hidden.connections = random->chance(0.7) ? 2 + static_cast<uint32_t>(random->below(8)) : 0;
      hidden.per_connection = random->chance(0.5) ? static_cast<uint32_t>(between(5, 101, random)) : 0;
      break;
    case Kind::kNewOnes:
      hidden.new_ones = static_cast<uint32_t>(between(1, 61, random));
      hidden.stage = Stage::kConnect;
      hidden.latency = length(between(0.2, 2, random));
      break;
    case Kind::kBusy:
      hidden.noise = 0.01;
      hidden.latency = length(between(0.2, 2, random));
      break;
  }
  return hidden;
}

bool Receiver::is_full(conf::Instant now) {
  if (hidden_.messages == 0) return false;
  while (!counted_.empty() && counted_.front() <= now - hidden_.window) counted_.pop_front();
  return counted_.size() >= hidden_.messages;
}

// The oldest connections are served.
bool Receiver::is_surplus(uint32_t connection) const {
  if (hidden_.connections == 0) return false;
  const auto last = connections_.begin() + std::min<ptrdiff_t>(std::ssize(connections_), hidden_.connections);
  return std::none_of(connections_.begin(), last,
                      [&](const Connection& each) { return each.number == connection; });
}

// Those that it turned away do not count.
bool Receiver::is_one_too_many(conf::Instant now) {
  if (hidden_.new_ones == 0) return false;
  while (!greeted_.empty() && greeted_.front() <= now - 1min) greeted_.pop_front();
  if (greeted_.size() >= hidden_.new_ones) return true;
  greeted_.push_back(now);
  return false;
}

bool Receiver::is_busy() { return hidden_.noise > 0 && random_.chance(hidden_.noise); }

bool Receiver::greets(uint32_t connection, conf::Instant now) {
  connections_.push_back({connection, 0});
  const bool takes = hidden_.stage != Stage::kConnect || (!is_full(now) && !is_surplus(connection));
  const bool busy = hidden_.stage == Stage::kConnect && is_busy();
  if (takes && !busy && !is_one_too_many(now)) return true;
  closed(connection);
  return false;
}

bool Receiver::takes(uint32_t connection, conf::Instant now) {
  const auto found = std::find_if(connections_.begin(), connections_.end(),
                                  [&](const Connection& each) { return each.number == connection; });
  const bool full = is_full(now);
  const bool spent = hidden_.per_connection != 0 && found->taken >= hidden_.per_connection;
  const bool busy = hidden_.stage != Stage::kConnect && is_busy();
  const bool taken = !full && !spent && !busy && !is_surplus(connection);
  if (hidden_.messages != 0 && (taken || hidden_.counts_refused)) counted_.push_back(now);
  if (taken) ++found->taken;
  return taken;
}

void Receiver::closed(uint32_t connection) {
  std::erase_if(connections_, [&](const Connection& each) { return each.number == connection; });
}

}  // namespace pace
