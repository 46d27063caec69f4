#include "relay/intake/reception.h"

#include <algorithm>
#include <utility>

#include "relay/intake/client_key.h"

namespace relay {

namespace {

MemoryBounds bounds_of(const conf::IntakeSettings& settings) {
  return {settings.memory_bytes, settings.memory_per_client_bytes, settings.memory_per_stranger_bytes};
}

}  // namespace

Reception::Reception(conf::ConfigPtr config, Transit* transit, const conf::Clock* clock, Check check,
                     DoorBook::Tell tell)
    : config_(std::move(config)),
      transit_(transit),
      clock_(clock),
      check_(std::move(check)),
      book_(tell ? std::move(tell) : [](const conf::DoorEvent&) {}),
      memory_(bounds_of(config_->intake)) {}

Reception::~Reception() {
  *alive_ = false;
  connections_.clear();
  graveyard_.clear();
}

bool Reception::accepting(std::string* why) const {
  if (in_spool_ > config_->intake.memory_bytes) {
    *why = "the relay is short of memory";
    return false;
  }
  std::string reason;  // for the operator, who finds it in the summary; paths and sizes are no business of
                       // the client's
  if (transit_->accepting(&reason)) return true;
  *why = "the relay cannot take mail at present";
  return false;
}

std::string Reception::refuses(const conf::Envelope& envelope, const conf::Recipient& recipient) {
  return refuse_ ? refuse_(envelope, recipient).value_or("") : std::string();
}

std::string Reception::message_id(conf::MessageId id, const conf::Mailbox& reverse_path) {
  return name_ ? name_(id, reverse_path) : std::string();
}

std::string Reception::over_quota(const std::string& name) {
  const conf::User* user = config_->user(name);
  if (user == nullptr || user->messages_per_hour == 0 ||
      hours_.count(name, clock_->now()) < user->messages_per_hour)
    return "";
  return "450 4.7.1 " + std::to_string(user->messages_per_hour) +
         " messages an hour are allowed to you, try again later";
}

void Reception::step() {
  graveyard_.clear();
  round_work_ = kRoundWork;
  book_.step(clock_->now());
}

uint32_t Reception::may_work() { return std::clamp(round_work_, kLeastWork, kTurnWork); }

void Reception::reload(conf::ConfigPtr config) {
  config_ = std::move(config);
  memory_.set_bounds(bounds_of(config_->intake));
}

void Reception::abandon() {
  connections_.clear();
  book_.tell_all();
}

void Reception::accept(const std::string& name, bool tls_available, Accepted accepted) {
  const auto listener = std::ranges::find_if(
      config_->listeners, [&name](const conf::Listener& each) { return each.name == name; });
  if (listener == config_->listeners.end()) {
    turn_away(std::move(accepted), nullptr, "this listener is being closed");
    return;
  }
  const std::string client = client_key(accepted.client_address);
  Places::Full full = places_.full(*listener, client);
  if (full != Places::Full::kNo && accepted.close_finished) {
    accepted.close_finished(full == Places::Full::kOfListener);  // who was told all has to make room
    full = places_.full(*listener, client);
  }
  if (full != Places::Full::kNo) {
    const bool too_many = full == Places::Full::kOfListener;
    conf::DoorEvent event;
    event.reason = too_many ? conf::DoorReason::kTooManyConnections : conf::DoorReason::kTooManyOfClient;
    event.client = accepted.client_address;
    event.listener = name;
    refused(std::move(event));
    turn_away(std::move(accepted), &*listener,
              too_many ? "too many connections" : "too many connections from your address");
    return;
  }
  accepted.transport->hold(places_.take(name, client));
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

// It costs one write: nothing is kept, no descriptor stays open. Under implicit TLS there is nothing to say
// in clear.
void Reception::turn_away(Accepted accepted, const conf::Listener* listener, const std::string& why) {
  if (listener != nullptr && listener->implicit_tls) return;
  OutQueue reply;
  reply.append("421 4.7.0 " + config_->hostname + ' ' + why + ", try again later\r\n");
  accepted.transport->write(&reply);
}

// The memory of a message on its way to the disk is its client's until it is there.
Transit::AcceptDone Reception::answer_to(uint64_t number, uint64_t size, const std::string& user) {
  const std::string client = connections_.at(number)->client_key();
  in_spool_ += size;
  memory_.lend(client, size);
  if (!user.empty()) hours_.add(user, clock_->now());
  return [this, alive = alive_, number, size, client, user](conf::Result<spool::Receipt> result) {
    if (!*alive) return;
    if (!user.empty() && !result.ok()) hours_.take_back(user, clock_->now());
    in_spool_ -= size;
    memory_.give_back(client, size);
    const auto found = connections_.find(number);
    if (found != connections_.end()) found->second->message_done(std::move(result));
  };
}

void Reception::offer(uint64_t number, spool::MessageRecord record, conf::Bytes body) {
  const conf::User* user = config_->user(record.envelope.authenticated_as);
  const bool counts = user != nullptr && user->messages_per_hour != 0;
  if (std::string refused = counts ? over_quota(user->name) : ""; !refused.empty()) {
    // Others of his came meanwhile over other connections.
    const auto& connection = connections_.at(number);
    this->refused({conf::DoorReason::kTooManyMessages, connection->client_address(),
                   connection->listener_name(), user->name});
    return connection->message_done(conf::Error{conf::ErrorCode::kRefused, std::move(refused)});
  }
  Transit::AcceptDone done = answer_to(number, body.size(), counts ? user->name : "");
  transit_->accept(std::move(record), std::move(body), std::move(done));
}

void Reception::offer_returned(uint64_t number, spool::MessageRecord record, conf::Bytes body) {
  Transit::AcceptDone done = answer_to(number, body.size(), "");
  if (!returned_) return done(conf::Error{conf::ErrorCode::kLimit, "nobody reads returned mail"});
  returned_(std::move(record), std::move(body), std::move(done));
}

void Reception::authenticate(uint64_t number, std::string user, conf::Secret secret) {
  const std::string client = connections_.at(number)->client_key();
  if (!check_) return auth_over(number, user, smtp::AuthOutcome::kBusy);
  check_(config_, client, user, std::move(secret),
         [this, alive = alive_, number, user](smtp::AuthOutcome outcome) {
           if (*alive) auth_over(number, user, outcome);
         });
}

void Reception::auth_over(uint64_t number, const std::string& user, smtp::AuthOutcome outcome) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  if (outcome != smtp::AuthOutcome::kGood) {
    conf::DoorEvent event;
    event.reason = outcome == smtp::AuthOutcome::kWrong     ? conf::DoorReason::kWrongPassword
                   : outcome == smtp::AuthOutcome::kLimited ? conf::DoorReason::kTooManyLogins
                                                            : conf::DoorReason::kLoginsBusy;
    event.client = found->second->client_address();
    event.listener = found->second->listener_name();
    event.user = user;
    refused(std::move(event));
  }
  found->second->auth_done(outcome);
}

void Reception::refused(conf::DoorEvent event) {
  std::string why;
  if (event.reason == conf::DoorReason::kNotAccepting && !transit_->accepting(&why))
    event = with_cause(std::move(event), why);
  book_.note(std::move(event), clock_->now());
}

void Reception::connection_closed(uint64_t number) {
  const auto found = connections_.find(number);
  std::unique_ptr<InboundConnection> connection = std::move(found->second);
  connections_.erase(found);
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
