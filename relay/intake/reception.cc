#include "relay/intake/reception.h"

#include <algorithm>
#include <utility>

namespace relay {

namespace {
// Messages being received, and messages on their way to the disk, may take this much memory each.
constexpr uint64_t kInboundMemory = 512'000'000;
}  // namespace

Reception::Reception(conf::ConfigPtr config, Transit* transit, const conf::Clock* clock, Check check)
    : config_(std::move(config)), transit_(transit), clock_(clock), check_(std::move(check)) {}

Reception::~Reception() {
  *alive_ = false;
  connections_.clear();
  graveyard_.clear();
}

bool Reception::accepting(std::string* why) const {
  if (memory_ + in_spool_ > kInboundMemory) {
    *why = "the relay is short of memory";
    return false;
  }
  std::string reason;  // for the operator, who finds it in the summary; paths and sizes are no business of
                       // the client's
  if (transit_->accepting(&reason)) return true;
  *why = "the relay cannot take mail at present";
  return false;
}

bool Reception::reserve_memory(uint64_t bytes) {
  if (memory_ + bytes > kInboundMemory) return false;
  memory_ += bytes;
  return true;
}

void Reception::accept(const std::string& name, bool tls_available, Accepted accepted) {
  const auto listener = std::ranges::find_if(
      config_->listeners, [&name](const conf::Listener& each) { return each.name == name; });
  if (listener == config_->listeners.end()) {
    turn_away(std::move(accepted), "this listener is being closed");
    return;
  }
  uint32_t& of_listener = per_listener_[name];
  uint32_t& of_client = per_client_[name + ' ' + accepted.client_address];
  if (of_listener >= listener->max_connections || of_client >= listener->max_connections_per_client) {
    const bool mine = of_listener < listener->max_connections;
    if (of_client == 0) per_client_.erase(name + ' ' + accepted.client_address);
    turn_away(std::move(accepted), mine ? "too many connections from your address" : "too many connections");
    return;
  }
  ++of_listener;
  ++of_client;
  smtp::ServerOptions options;
  options.config = config_;
  options.listener = &*listener;
  options.tls_available = tls_available;
  options.client_address = accepted.client_address;
  options.gate = this;
  const uint64_t number = next_number_++;
  auto connection = std::make_unique<InboundConnection>(number, std::move(options),
                                                        std::move(accepted.transport), clock_, this);
  InboundConnection* raw = connection.get();
  connections_.emplace(number, std::move(connection));
  raw->start();
}

void Reception::turn_away(Accepted accepted, const std::string& why) {
  OutQueue reply;
  reply.append("421 4.7.0 " + config_->hostname + ' ' + why + ", try again later\r\n");
  accepted.transport->write(&reply);
  accepted.transport->finish();
}

void Reception::offer(uint64_t number, spool::MessageRecord record, conf::Bytes body) {
  const uint64_t size = body.size();
  in_spool_ += size;
  transit_->accept(std::move(record), std::move(body),
                   [this, alive = alive_, number, size](conf::Result<spool::Receipt> result) {
                     if (!*alive) return;
                     in_spool_ -= size;
                     const auto found = connections_.find(number);
                     if (found != connections_.end()) found->second->message_done(std::move(result));
                   });
}

void Reception::authenticate(uint64_t number, std::string user, std::string secret) {
  check_(config_, std::move(user), std::move(secret), [this, alive = alive_, number](bool good) {
    if (!*alive) return;
    const auto found = connections_.find(number);
    if (found != connections_.end()) found->second->auth_done(good);
  });
}

void Reception::connection_closed(uint64_t number) {
  const auto found = connections_.find(number);
  std::unique_ptr<InboundConnection> connection = std::move(found->second);
  connections_.erase(found);
  --per_listener_[connection->listener_name()];
  const auto client = per_client_.find(connection->listener_name() + ' ' + connection->client_address());
  if (--client->second == 0) per_client_.erase(client);
  graveyard_.push_back(std::move(connection));
}

void Reception::shut_down() {
  std::vector<uint64_t> numbers;
  for (const auto& [number, connection] : connections_) numbers.push_back(number);
  for (const uint64_t number : numbers) {
    const auto found = connections_.find(number);
    if (found != connections_.end()) found->second->shut_down();
  }
}

}  // namespace relay
