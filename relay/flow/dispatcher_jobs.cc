// The dispatcher's jobs: which delivery a connection works on, from the moment it takes it until all that
// could be tried was tried.
#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/flow/dispatcher.h"

namespace relay {

namespace {

constexpr conf::Duration kExpiryRound = std::chrono::minutes(1);
constexpr size_t kGiveUpChunk = 256;  // deliveries given up per path and step: each needs its record

std::string address_text(const Target& target) {
  const bool v6 = target.address.find(':') != std::string::npos;
  return (v6 ? '[' + target.address + ']' : target.address) + ':' + std::to_string(target.port);
}

conf::Duration zero_if_negative(conf::Duration d) { return std::max(d, conf::Duration(0)); }

}  // namespace

mx::Admission Dispatcher::may_send(const Slot& slot) const {
  if (paused_) return mx::Admission::no(mx::Bind::kRecording, conf::kNever);
  return gate_.may_send(*slot.connection->path(), slot.use, slot.connection->transactions(), clock_->now());
}

bool Dispatcher::may_begin(queue::Path* path, conf::Instant now) {
  const bool over_idle = std::ranges::any_of(path->idle, [this](OutboundConnection* connection) {
    return connection->idle() && may_send(connections_.at(connection)).yes;
  });
  if (over_idle || connections_.size() >= config_->max_outbound_connections) return over_idle;
  std::vector<mx::Admission> refusals;
  uint32_t budget = 0;
  return !targets_for(path, &refusals, &budget, now).empty();
}

std::vector<const queue::Path*> Dispatcher::neglected() {
  std::vector<const queue::Path*> paths;
  if (stopping_ || paused_) return paths;
  sites_->for_each([&](queue::Path* path) {
    const bool works = path->connections > path->idle.size();
    if (!path->ready.empty() && !works && may_begin(path, clock_->now())) paths.push_back(path);
  });
  return paths;
}

void Dispatcher::rest(Slot& slot) {
  OutboundConnection* connection = slot.connection.get();
  connection->path()->idle.push_back(connection);
  connection->rest(connection->path()->settings->timeouts.idle);
}

void Dispatcher::take_next(Slot& slot) {
  OutboundConnection* connection = slot.connection.get();
  queue::Path* path = connection->path();
  const mx::Admission admission = may_send(slot);
  if (stopping_ || admission.bind == mx::Bind::kPerConnection ||
      PathGate::is_surplus(slot.use, clock_->now())) {
    connection->quit();
    return;
  }
  if (!admission.yes) {
    rest(slot);
    mark(path);
    return;
  }
  queue::Delivery* delivery = path->ready.pop_front();
  if (delivery == nullptr) {
    rest(slot);
    return;
  }
  --ready_;
  ++jobs_;
  delivery->state = queue::DeliveryState::kLoading;
  slot.job = {};
  slot.job.delivery = delivery;
  slot.job.picked_up = clock_->now();
  slot.job.loading = true;
  if (delivery->message != nullptr && delivery->message->body.has_value()) {
    prepare(slot);
    return;
  }
  connection->stay();
  messages_->pin(delivery->id, true,
                 [this, number = slot.number, connection, delivery](conf::Result<queue::Message*> result) {
                   loaded(number, connection, delivery, std::move(result));
                 });
}

void Dispatcher::loaded(uint64_t number, OutboundConnection* connection, queue::Delivery* delivery,
                        conf::Result<queue::Message*> result) {
  const auto found = connections_.find(connection);
  const bool here = found != connections_.end() && found->second.number == number;
  if (!result.ok()) {
    if (delivery->message != nullptr) messages_->unpin(std::exchange(delivery->message, nullptr));
    --jobs_;
    if (here) found->second.job = {};
    user_->load_failed(delivery, result.error());
    if (here) take_next(found->second);
    return;
  }
  if (delivery->message == nullptr) {
    delivery->message = *result;
  } else {
    messages_->unpin(*result);
  }
  if (!here) {  // the connection went while the message was read
    --jobs_;
    user_->delivery_over(delivery);
    return;
  }
  prepare(found->second);
}

void Dispatcher::prepare(Slot& slot) {
  OutboundConnection* connection = slot.connection.get();
  queue::Delivery* delivery = slot.job.delivery;
  const bool ready = user_->ready_to_send(
      delivery, [this, number = slot.number, connection, delivery](const conf::Status& status) {
        prepared(number, connection, delivery, status);
      });
  if (ready) {
    begin(slot);
  } else {
    connection->stay();
  }
}

void Dispatcher::prepared(uint64_t number, OutboundConnection* connection, queue::Delivery* delivery,
                          const conf::Status& status) {
  const auto found = connections_.find(connection);
  const bool here = found != connections_.end() && found->second.number == number;
  if (here && status.ok()) {
    begin(found->second);
    return;
  }
  --jobs_;
  if (status.ok()) {  // the connection went meanwhile
    user_->delivery_over(delivery);
    return;
  }
  AttemptFacts facts;
  if (here) {
    facts = facts_of(found->second);
    found->second.job = {};
  }
  user_->not_ready(delivery, status.error(), facts);
  if (here) take_next(found->second);
}

void Dispatcher::begin(Slot& slot) {
  Job& job = slot.job;
  queue::Delivery* delivery = job.delivery;
  if (stopping_ || !may_send(slot).yes) {  // what was free when the delivery was picked up is taken by now
    hand_back(slot);
    return;
  }
  if (job.loading) {
    job.loading = false;
    delivery->state = queue::DeliveryState::kSending;
    job.recipients = user_->recipients_now(delivery);
  }
  if (job.recipients.empty()) {
    end_job(slot);
    take_next(slot);
    return;
  }
  const queue::Message& message = *delivery->message;
  const conf::DestinationSettings& settings = *slot.connection->path()->settings;
  job.in_transaction =
      std::min<size_t>(job.recipients.size(), std::max(1U, settings.max_recipients_per_transaction));
  job.began = clock_->now();
  smtp::Transaction transaction;
  transaction.reverse_path = message.record.envelope.reverse_path;
  transaction.ret = message.record.envelope.ret;
  transaction.envid = message.record.envelope.envid;
  transaction.body_type = message.record.envelope.body;
  transaction.smtputf8 = message.record.envelope.smtputf8;
  transaction.recipients.reserve(job.in_transaction);
  for (size_t i = 0; i < job.in_transaction; ++i) {
    transaction.recipients.push_back(message.record.recipients[job.recipients[i]].recipient);
  }
  transaction.header_prefix = message.signature;
  transaction.body = message.body;
  gate_.charge(&slot.use, job.began);
  slot.connection->send(std::move(transaction));
}

void Dispatcher::hand_back(Slot& slot) {
  if (!slot.job.loading) {  // a part of it was tried
    end_job(slot);
    take_next(slot);
    return;
  }
  queue::Delivery* delivery = slot.job.delivery;
  queue::Path* path = slot.connection->path();
  slot.job = {};
  --jobs_;
  delivery->path = path;
  add_first(delivery);
  take_next(slot);
}

AttemptFacts Dispatcher::facts_of(const Slot& slot) const {
  const OutboundConnection& connection = *slot.connection;
  const queue::Path* path = connection.path();
  AttemptFacts facts;
  facts.settings = path->settings;
  facts.site = path->site->label;
  facts.mx_host = connection.target().host;
  facts.mx_address = address_text(connection.target());
  facts.source = path->source.name;
  facts.tls = connection.tls_version();
  facts.delays.dns = conf::Duration(slot.job.delivery->dns_micros);
  facts.delays.queue = zero_if_negative(slot.job.picked_up - slot.job.delivery->due);
  facts.delays.connect = connection.transactions() > 1 ? conf::Duration(0) : connection.connect_time();
  facts.delays.transaction = clock_->now() - slot.job.began;
  return facts;
}

void Dispatcher::transaction_done(OutboundConnection* connection,
                                  std::vector<smtp::RecipientOutcome> outcomes) {
  Slot& slot = connections_.at(connection);
  Job& job = slot.job;
  CHECK(job.delivery != nullptr && outcomes.size() == job.in_transaction);
  std::vector<uint32_t> tried(job.recipients.begin(),
                              job.recipients.begin() + static_cast<ptrdiff_t>(job.in_transaction));
  job.recipients.erase(job.recipients.begin(),
                       job.recipients.begin() + static_cast<ptrdiff_t>(job.in_transaction));
  job.in_transaction = 0;
  queue::Path* path = connection->path();
  gate_.feed_back(path, &slot.use, outcomes, clock_->now());
  // The replies may have opened the window, or ended the probes: more connections may be allowed by now.
  if (path->binds != mx::Bind::kNothing && path->binds_until == conf::kNever) mark(path);
  user_->transaction_over(job.delivery, tried, outcomes, facts_of(slot));
  if (job.recipients.empty()) end_job(slot);
}

void Dispatcher::end_job(Slot& slot) {
  queue::Delivery* delivery = slot.job.delivery;
  slot.job = {};
  --jobs_;
  user_->delivery_over(delivery);
}

AttemptFacts Dispatcher::waiting_facts(const queue::Path& path, const queue::Delivery& delivery,
                                       conf::Instant now) const {
  AttemptFacts facts;
  facts.settings = path.settings;
  facts.site = path.site->label;
  facts.source = path.source.name;
  facts.mx_host = path.last_error.mx_host;
  facts.mx_address = path.last_error.mx_address;
  facts.delays.dns = conf::Duration(delivery.dns_micros);
  facts.delays.queue = zero_if_negative(now - delivery.due);
  return facts;
}

void Dispatcher::give_up_old(queue::Path* path, conf::Instant now) {
  for (size_t i = 0; i < kGiveUpChunk && messages_->loading() < 2 * kGiveUpChunk; ++i) {
    queue::Delivery* delivery = path->ready.oldest();
    if (delivery == nullptr || delivery->due + config_->ready_limit > now) return;
    path->ready.erase(delivery);
    --ready_;
    const AttemptFacts facts = waiting_facts(*path, *delivery, now);
    delivery->path = nullptr;
    user_->path_gave_up(delivery, path->last_error, facts);
  }
}

// Looks at all that waits, hence not oftener than once a minute for a path.
void Dispatcher::expire_waiting(queue::Path* path, conf::Instant now) {
  path->first_expiry = conf::kNever;
  std::vector<queue::Delivery*> over;
  path->ready.for_each([&](queue::Delivery* delivery) {
    const conf::Instant expiry = user_->expiry(*delivery, *path->settings);
    if (expiry <= now && over.size() < kGiveUpChunk) {
      over.push_back(delivery);
    } else {
      path->first_expiry = std::min(path->first_expiry, std::max(expiry, now + kExpiryRound));
    }
  });
  for (queue::Delivery* delivery : over) {
    path->ready.erase(delivery);
    --ready_;
    const AttemptFacts facts = waiting_facts(*path, *delivery, now);
    delivery->path = nullptr;
    user_->expired(delivery, facts);
  }
  if (over.size() == kGiveUpChunk) path->first_expiry = now;  // more of them: in the next step
}

}  // namespace relay
