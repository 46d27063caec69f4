#include "relay/flow/shared_line.h"

#include <algorithm>

#include "relay/flow/outbound_connection.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

// A connection may send for so many times what it took to open before it makes room for another path: what is
// lost to opening and closing stays below a twentieth.
constexpr int kWorthOpening = 20;
constexpr conf::Duration kLeastStay = 50ms;
constexpr conf::Duration kMostStay = 5s;

}  // namespace

bool had_its_time(const OutboundConnection& connection, conf::Instant now) {
  if (connection.transactions() == 0) return false;
  const conf::Duration stay = std::clamp(connection.connect_time() * kWorthOpening,
                                         conf::Duration(kLeastStay), conf::Duration(kMostStay));
  return now - connection.ready_since() >= stay;
}

void SharedLine::note(queue::Path* path, conf::Instant now) {
  const bool mail = !path->ready.empty();
  const bool wants =
      mail && path->connections.size() == 0 && !path->health.backs_off(now) && path->next_held(now).yes;
  count(path, mail, wants);
}

void SharedLine::count(queue::Path* path, bool has_mail, bool wants) {
  with_mail += static_cast<size_t>(has_mail) - static_cast<size_t>(path->shared.has_mail);
  hungry += static_cast<size_t>(wants) - static_cast<size_t>(path->shared.hungry);
  path->shared.has_mail = has_mail;
  path->shared.hungry = wants;
}

void SharedLine::joined(queue::Path* path, conf::Instant now) {
  connections += path->connections.size();
  opening += path->connections.opening();
  resting.insert(resting.end(), path->connections.idle().begin(), path->connections.idle().end());
  path->ready.for_each([&](const queue::Delivery* delivery) { entered(delivery->sender, path); });
  note(path, now);
}

void SharedLine::left(queue::Path* path) {
  path->ready.for_each([&](const queue::Delivery* delivery) {
    if (Turns::Node* leaf = turns.find(delivery->sender, path->shared.number)) turns.drop(leaf);
  });
  connections -= path->connections.size();
  opening -= path->connections.opening();
  for (OutboundConnection* connection : path->connections.idle()) std::erase(resting, connection);
  count(path, false, false);
}

void SharedLine::emptied(uint32_t sender, const queue::Path& path) {
  if (path.ready.has_sender(sender)) return;
  Turns::Node* leaf = turns.find(sender, path.shared.number);
  if (leaf != nullptr) turns.drop(leaf);
}

queue::Turn SharedLine::turn_of(uint32_t sender, const queue::Path& path) {
  return turns.turn_of(turns.find(sender, path.shared.number));
}

void SharedLine::served(uint32_t sender, const queue::Path& path, queue::Turn turn, bool stays_new) {
  Turns::Node* leaf = turns.find(sender, path.shared.number);
  if (leaf != nullptr) turns.served(leaf, turn, stays_new);
}

OutboundConnection* SharedLine::least_needed(conf::Instant now) const {
  for (OutboundConnection* connection : resting) {
    if (connection->idle() && connection->path()->ready.empty()) return connection;
  }
  for (auto each = resting.rbegin(); each != resting.rend(); ++each) {
    if ((*each)->idle() && had_its_time(**each, now)) return *each;
  }
  return nullptr;
}

}  // namespace relay
