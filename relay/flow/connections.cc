#include "relay/flow/connections.h"

#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"

namespace relay {

namespace {

// For a message that may go within so many times what it would rest for none, a connection stays.
constexpr int kWorthStaying = 3;
constexpr conf::Duration kWillBeAsked = std::chrono::seconds(1);  // after its time has come

}  // namespace

Slot& Connections::add(std::unique_ptr<OutboundConnection> connection, bool early) {
  OutboundConnection* raw = connection.get();
  Slot& slot = slots_[raw];
  slot.connection = std::move(connection);
  slot.number = next_number_++;
  slot.early = early;
  lines_->begins(raw->path(), flow_->now());
  openings_.push_back({raw, slot.number, flow_->now()});
  return slot;
}

void Connections::take_slow(conf::Instant since, const std::function<bool(OutboundConnection*)>& use) {
  while (!openings_.empty()) {
    Opening first = openings_.front();
    const bool opening = find(first.connection, first.number) != nullptr && !first.connection->ever_ready();
    if (opening && first.since > since) return;
    openings_.pop_front();
    if (!opening || use(first.connection)) continue;
    first.since = flow_->now();
    openings_.push_back(first);
  }
}

Slot* Connections::find(OutboundConnection* connection, uint64_t number) {
  const auto found = slots_.find(connection);
  return found == slots_.end() || found->second.number != number ? nullptr : &found->second;
}

void Connections::is_ready(OutboundConnection* connection) {
  lines_->gets_ready(connection->path(), flow_->now());
  looks_.push_back({connection, at(connection).number, flow_->now()});
}

void Connections::look_at_ready(conf::Instant now, const std::function<void(const Slot&)>& use) {
  while (!looks_.empty() && looks_.front().since + kLook <= now) {
    Opening first = looks_.front();
    looks_.pop_front();
    const Slot* slot = find(first.connection, first.number);
    if (slot == nullptr) continue;  // it has ended
    use(*slot);
    first.since = now;
    looks_.push_back(first);
  }
}

Slot Connections::take_out(OutboundConnection* connection) {
  const auto found = slots_.find(connection);
  CHECK(found != slots_.end());
  rests_no_more(connection);
  Slot slot = std::move(found->second);
  slots_.erase(found);
  connection->path()->connections.forget_silence(connection);
  lines_->ends(connection->path(), connection->ever_ready(), flow_->now());
  if (slot.room_of != nullptr) --slot.room_of->leaving;
  return slot;
}

void Connections::give_back(const OutboundConnection& connection, PathGate::Use* use) {
  gate_->abandon(connection.path(), use, flow_->now());
  gate_->close(use);
}

void Connections::keep_until_free(std::unique_ptr<OutboundConnection> connection) {
  ended_.push_back(std::move(connection));
}

void Connections::rest(Slot* slot, conf::Instant next) {
  OutboundConnection* connection = slot->connection.get();
  const conf::Instant now = flow_->now();
  gate_->end_booking(&slot->use);
  lines_->rests(connection);
  slot->rested = now;
  for (const mx::Traffic* each : {slot->use.traffic.get(), slot->use.host.get()})
    if (each != nullptr && each->shared()) resting_at_[each].push_back(connection);
  conf::Duration at_most = connection->path()->settings->timeouts.idle;
  // A new connection for each message of a slow rate is what a receiver counts against us.
  if (next <= now + kWorthStaying * at_most) at_most = std::max(at_most, next - now + kWillBeAsked);
  connection->rest(at_most);
}

void Connections::rests_no_more(OutboundConnection* connection) {
  lines_->rests_no_more(connection);
  if (resting_at_.empty()) return;
  const PathGate::Use& use = at(connection).use;
  for (const mx::Traffic* each : {use.traffic.get(), use.host.get()}) {
    const auto found = resting_at_.find(each);
    if (found == resting_at_.end()) continue;
    std::erase(found->second, connection);
    if (found->second.empty()) resting_at_.erase(found);
  }
}

OutboundConnection* Connections::least_needed(const PathGate::Wanted& wanted) const {
  const auto found = resting_at_.find(wanted.counters);
  if (found == resting_at_.end()) return nullptr;
  const std::vector<OutboundConnection*>& resting = found->second;
  const auto others = [&wanted](const OutboundConnection* each) {
    return each->idle() && each->path() != wanted.by;
  };
  const auto useless = std::find_if(resting.begin(), resting.end(), [&](const OutboundConnection* each) {
    return others(each) && each->path()->ready.empty();
  });
  if (useless != resting.end()) return *useless;
  const auto longest = std::find_if(resting.rbegin(), resting.rend(), [&](const OutboundConnection* each) {
    return others(each) && had_its_time(*each, flow_->now());
  });
  return longest == resting.rend() ? nullptr : *longest;
}

void Connections::make_room(const PathGate::Wanted& wanted) {
  OutboundConnection* goes = least_needed(wanted);
  if (goes == nullptr || !gate_->is_wanted(*goes->path(), at(goes).use)) return;
  gate_->makes_room(at(goes).use);
  rests_no_more(goes);
  goes->quit();
}

mx::Admission Connections::may_send(const Slot& slot) const {
  const uint32_t sent = slot.connection->transactions();
  if (flow_->paused) return mx::Admission::no(mx::Bind::kRecording, conf::kNever);
  if (slot.most_messages != 0 && sent >= slot.most_messages)
    return mx::Admission::no(mx::Bind::kPerConnection, conf::kNever);
  return gate_->may_send(*slot.connection->path(), slot.use, sent, flow_->now());
}

bool Connections::any_may_send(const queue::Path& path) const {
  return std::any_of(
      path.connections.idle().begin(), path.connections.idle().end(),
      [this](OutboundConnection* connection) { return connection->idle() && may_send(at(connection)).yes; });
}

std::unordered_map<const queue::Path*, uint32_t> Connections::in_flight_by_path() const {
  std::unordered_map<const queue::Path*, uint32_t> count;
  for (const auto& [connection, slot] : slots_) {
    if (slot.job.delivery != nullptr) ++count[connection->path()];
  }
  return count;
}

}  // namespace relay
