#include "relay/flow/connections.h"

#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"

namespace relay {

Slot& Connections::add(std::unique_ptr<OutboundConnection> connection, bool early) {
  OutboundConnection* raw = connection.get();
  Slot& slot = slots_[raw];
  slot.connection = std::move(connection);
  slot.number = next_number_++;
  slot.early = early;
  lines_->count(raw->path(), 1, 1, flow_->now());
  return slot;
}

Slot* Connections::find(OutboundConnection* connection, uint64_t number) {
  const auto found = slots_.find(connection);
  return found == slots_.end() || found->second.number != number ? nullptr : &found->second;
}

void Connections::is_ready(const OutboundConnection& connection) {
  lines_->count(connection.path(), 0, -1, flow_->now());
}

Slot Connections::take_out(OutboundConnection* connection) {
  const auto found = slots_.find(connection);
  CHECK(found != slots_.end());
  Slot slot = std::move(found->second);
  slots_.erase(found);
  lines_->rests_no_more(connection);
  lines_->count(connection->path(), -1, connection->ever_ready() ? 0 : -1, flow_->now());
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

void Connections::rest(Slot* slot) {
  OutboundConnection* connection = slot->connection.get();
  lines_->rests(connection);
  connection->rest(connection->path()->settings->timeouts.idle);
}

mx::Admission Connections::may_send(const Slot& slot) const {
  const uint32_t sent = slot.connection->transactions();
  if (flow_->paused) return mx::Admission::no(mx::Bind::kRecording, conf::kNever);
  if (slot.most_messages != 0 && sent >= slot.most_messages)
    return mx::Admission::no(mx::Bind::kPerConnection, conf::kNever);
  return gate_->may_send(*slot.connection->path(), slot.use, sent, flow_->now());
}

bool Connections::any_may_send(const queue::Path& path) const {
  return std::any_of(path.idle.begin(), path.idle.end(), [this](OutboundConnection* connection) {
    return connection->idle() && may_send(at(connection)).yes;
  });
}

std::unordered_map<const queue::Path*, uint32_t> Connections::in_flight_by_path() const {
  std::unordered_map<const queue::Path*, uint32_t> count;
  for (const auto& [connection, slot] : slots_) {
    if (slot.job.delivery != nullptr) ++count[connection->path()];
  }
  return count;
}

}  // namespace relay
