#include "relay/flow/dispatcher.h"

#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/flow/meaning.h"
#include "relay/flow/site_table.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr size_t kPathsPerStep = 512;  // a path that may not send costs less than a microsecond
constexpr conf::Duration kLeastConnect = 250ms;
constexpr size_t kOpensPerStep = 64;  // opening a connection costs some 20 microseconds

}  // namespace

Dispatcher::Dispatcher(Parts parts)
    : config_(std::move(parts.config)),
      messages_(parts.messages),
      sites_(parts.sites),
      network_(parts.network),
      clock_(parts.clock),
      random_(parts.random),
      user_(parts.user),
      texts_(parts.qualifier == nullptr ? bounce::Qualifier::shipped() : std::move(parts.qualifier),
             config_->replies.known_texts),
      trouble_(std::move(parts.trouble)),
      failing_(std::move(parts.failing)),
      secrets_(parts.secrets),
      gate_({parts.sites, parts.lease, parts.clock, [this](queue::Path* path) { mark(path); },
             std::move(parts.decided)}) {}

Dispatcher::~Dispatcher() = default;

void Dispatcher::add(queue::Delivery* delivery, queue::Path* path) {
  delivery->move_to(queue::DeliveryState::kReady);
  delivery->path = path;
  if (path->ready.empty()) lines_.place(path, config_->sources.size(), clock_->now());
  path->ready.push_back(delivery);
  lines_.entered(path, *delivery, clock_->now());
  path->first_expiry = std::min(path->first_expiry, user_->expiry(*delivery, *path->settings));
  if (path->failing() || path->stumbles)  // then it is told that it waits
    path->first_expiry = std::min(path->first_expiry, delivery->due + patience(*path));
  ++ready_;
  mark(path);
}

void Dispatcher::add_first(queue::Delivery* delivery) {
  CHECK(delivery->path != nullptr);
  delivery->move_to(queue::DeliveryState::kReady);
  queue::Path* path = delivery->path;
  if (path->ready.empty()) lines_.place(path, config_->sources.size(), clock_->now());
  path->ready.push_front(delivery);
  lines_.entered(path, *delivery, clock_->now());
  ++ready_;
  mark(path);
}

void Dispatcher::remove(queue::Delivery* delivery) {
  CHECK(delivery->state == queue::DeliveryState::kReady);
  queue::Path* path = std::exchange(delivery->path, nullptr);
  path->ready.erase(delivery);
  lines_.left(path, *delivery, clock_->now());
  --ready_;
  mark(path);
}

void Dispatcher::poke(queue::Path* path) {
  path->backoff_until = clock_->now();
  mark(path);
}

void Dispatcher::mark(queue::Path* path) {
  if (path->dirty) return;
  path->dirty = true;
  dirty_.push_back(path);
}

// Bounded, so that the loop serves its connections even when 100,000 paths wake at the same instant.
void Dispatcher::step(conf::Instant now) {
  while (!wakes_.empty() && wakes_.begin()->first.first <= now && dirty_.size() < kPathsPerStep) {
    queue::Path* path = wakes_.begin()->second;
    wakes_.erase(wakes_.begin());
    path->wake = conf::kNever;
    mark(path);
  }
  opens_left_ = kOpensPerStep;
  size_t paths_left = kPathsPerStep;
  do {
    for (; paths_left > 0 && opens_left_ > 0 && !dirty_.empty(); --paths_left) {
      queue::Path* path = dirty_.front();
      dirty_.pop_front();
      path->dirty = false;
      work(path, now);
      set_wake(path, now);
    }
    work_lines(now);
  } while (feed_starved() && paths_left > 0 && opens_left_ > 0);
  graveyard_.clear();
}

// As many of them as there is room for may try. False: nobody waits for room that there is.
bool Dispatcher::feed_starved() {
  if (paused_) return !dirty_.empty();
  for (size_t left = kPathsPerStep; left > 0 && resumed_ > 0 && !starved_.empty(); --left, --resumed_) {
    starved_.front()->starved = false;
    mark(starved_.front());
    starved_.pop_front();
  }
  const size_t most = config_->max_outbound_connections;
  for (size_t free = most - std::min(most, connections_.size()); free > 0 && !starved_.empty(); --free) {
    starved_.front()->starved = false;
    mark(starved_.front());
    starved_.pop_front();
  }
  resumed_ = std::min(resumed_, starved_.size());  // some of them were fed just now
  return !dirty_.empty();
}

void Dispatcher::pause(bool yes) {
  if (!yes && paused_) resumed_ = starved_.size();
  paused_ = yes;
}

void Dispatcher::starve(queue::Path* path, mx::Bind bind) {
  gate_.wait(path, mx::Admission::no(bind, conf::kNever));
  if (!std::exchange(path->starved, true)) starved_.push_back(path);
}

conf::Instant Dispatcher::next_wake() const {
  if (!dirty_.empty() || (resumed_ > 0 && !paused_)) return conf::Instant{};
  const conf::Instant of_lines = lines_.next_wake();
  return wakes_.empty() ? of_lines : std::min(of_lines, wakes_.begin()->first.first);
}

void Dispatcher::set_wake(queue::Path* path, conf::Instant now) {
  conf::Instant wake = conf::kNever;
  if (!path->ready.empty() && !stopping_) {
    if (path->binds != mx::Bind::kNothing && path->binds_until > now) wake = path->binds_until;
    wake = std::min(wake, path->ready.rounding(queue::ReadyQueue::Purpose::kExpiry)
                              ? now + 1ms
                              : std::max(path->first_expiry, now + 10ms));
  } else if (path->backoff_until > now) {
    wake = path->backoff_until;  // so that the site can be forgotten afterwards
  }
  if (wake == path->wake) return;
  if (path->wake != conf::kNever) wakes_.erase({path->wake, path->turn});
  path->wake = wake;
  if (wake == conf::kNever) return;
  path->turn = ++turns_;
  wakes_.emplace(std::pair(wake, path->turn), path);
}

void Dispatcher::work(queue::Path* path, conf::Instant now) {
  if (stopping_) return;
  path->binds = mx::Bind::kNothing;
  if (paused_) {
    if (!path->ready.empty()) starve(path, mx::Bind::kRecording);
    return;
  }
  // A block defers and nothing else: how the path failed before it is over with it.
  if (path->standing->state() == mx::Standing::State::kBlocked) path->backoff = conf::Duration(0);
  if (path->first_expiry <= now || path->ready.rounding(queue::ReadyQueue::Purpose::kExpiry))
    expire_waiting(path, now);
  if (path->shared == nullptr) use_idle(path);
  if (path->shared == nullptr) {
    open_more(path, now);
  } else {
    path->shared->note(path, now);
    const conf::Instant until = std::max(path->backoff_until, login_until(*path));
    if (until > now) gate_.wait(path, mx::Admission::no(mx::Bind::kBackOff, until));
    lines_.mark(path->shared);
  }
  if (path->ready.empty()) gate_.leave(path);
  gate_.pass_on(path, now);
}

// Open connections first.
void Dispatcher::use_idle(queue::Path* path) {
  const conf::Instant now = clock_->now();
  const bool one_answer = path->limits->scope != conf::RuleScope::kPath;
  for (size_t i = path->idle.size(); i-- > 0 && !path->ready.empty();) {
    OutboundConnection* connection = path->idle[i];
    bool gone = !connection->idle();  // it rested long enough and is saying QUIT
    if (!gone && is_worse_than_needed(*connection, now)) {
      connection->quit();
      gone = true;
    }
    mx::Admission admission;
    if (!gone) admission = may_send(connections_.at(connection));
    if (!gone && !admission.yes) {
      gate_.wait(path, admission);
      if (one_answer) return;
      continue;
    }
    lines_.rests_no_more(connection);
    if (gone) continue;
    take_next(connections_.at(connection));
    i = std::min(i, path->idle.size());  // it may rest again
  }
}

void Dispatcher::open_more(queue::Path* path, conf::Instant now) {
  while (path->ready.size() > path->opening) {
    if (path->one_probe_only()) break;
    if (const conf::Instant until = login_until(*path); until > now) {
      gate_.wait(path, mx::Admission::no(mx::Bind::kBackOff, until));
      break;
    }
    if (connections_.size() >= config_->max_outbound_connections) {
      starve(path, mx::Bind::kTotal);
      break;
    }
    std::vector<mx::Admission> refusals;
    uint32_t budget = 0;
    std::vector<Target> targets = targets_for(path, &refusals, &budget, now);
    if (targets.empty() && !refusals.empty()) {
      for (const mx::Admission& refusal : refusals) gate_.wait(path, refusal);
      break;
    }
    if (!targets.empty() && budget <= path->opening) break;
    if (opens_left_ == 0) {  // more of them in the next step
      mark(path);
      break;
    }
    --opens_left_;
    if (targets.empty()) {  // the hosts' addresses changed since the deliveries were routed
      no_address(path, now);
      break;
    }
    open(path, std::move(targets), false);
  }
}

// The addresses that may be connected to now, the best first. `*refusals` says why the others may not.
std::vector<Target> Dispatcher::targets_for(queue::Path* path, std::vector<mx::Admission>* refusals,
                                            uint32_t* budget, conf::Instant now) {
  const bool one_answer = path->limits->scope != conf::RuleScope::kPath;
  if (one_answer) {
    const mx::Admission admission = gate_.may_open(path, {}, now);
    if (!admission.yes) {
      refusals->push_back(admission);
      return {};
    }
    *budget = gate_.budget(path, {}, now);
    return all_targets(path, now, [](const std::string&) { return true; });
  }
  return all_targets(path, now, [&](const std::string& address) {
    const mx::Admission here = gate_.may_open(path, address, now);
    if (!here.yes) {
      refusals->push_back(here);
      return false;
    }
    const uint32_t more = gate_.budget(path, address, now);
    *budget = more > UINT32_MAX - *budget ? UINT32_MAX : *budget + more;
    return true;
  });
}

// Those that failed lately stand behind the others.
std::vector<Target> Dispatcher::all_targets(const queue::Path* path, conf::Instant now,
                                            const std::function<bool(const std::string&)>& may) const {
  std::vector<Target> good, bad;
  uint16_t worst = UINT16_MAX;  // a host that is well, but at its limit, hides those behind it
  for (Target& target : targets_in_order(*path)) {
    if (target.rank > worst) break;
    const bool failing_now =
        is_failing(*path, target.address, now) || path->site->is_left(target.address, now);
    if (!may(target.address)) {
      if (!failing_now) worst = target.rank;
      continue;
    }
    (failing_now ? bad : good).push_back(std::move(target));
  }
  good.insert(good.end(), std::make_move_iterator(bad.begin()), std::make_move_iterator(bad.end()));
  return good;
}

void Dispatcher::open(queue::Path* path, std::vector<Target> targets, bool early) {
  OutboundConnection::Plan plan;
  plan.targets = std::move(targets);
  const conf::DestinationSettings& settings = *path->settings;
  for (Target& target : plan.targets) target.left_out = left_out_for(target, settings.peer);
  plan.source_address = path->source.address;
  plan.options.ehlo_name = path->source.ehlo.empty() ? config_->hostname : path->source.ehlo;
  plan.options.tls = settings.tls;
  plan.options.pipelining = settings.pipelining;
  plan.options.chunking = settings.chunking;
  plan.options.eight_bit_anyway = settings.peer.eight_bit == conf::EightBit::kSend;
  plan.options.timeouts = settings.timeouts;
  // A round over many addresses that are dead must end: each gets its share of the time that mail may wait.
  const conf::Duration share = config_->ready_limit / static_cast<int64_t>(plan.targets.size());
  plan.options.timeouts.connect = std::min(settings.timeouts.connect, std::max(share, kLeastConnect));
  plan.tls_verify = settings.tls_verify;
  plan.tls_fallback_to_clear = settings.tls_fallback_to_clear;
  plan_login(*path, &plan);
  auto connection =
      std::make_unique<OutboundConnection>(std::move(plan), path, network_, secrets_, clock_, this);
  OutboundConnection* raw = connection.get();
  Slot& slot = connections_[raw];
  slot.connection = std::move(connection);
  slot.number = next_number_++;
  slot.early = early;
  lines_.count(path, 1, 1, clock_->now());
  raw->start();
}

// The first was allowed a moment ago; those after it have not been asked for since.
bool Dispatcher::target_began(OutboundConnection* connection, const Target& target) {
  Slot& slot = connections_.at(connection);
  const conf::Instant now = clock_->now();
  const mx::Admission admission = slot.early ? gate_.may_open_early(connection->path(), target.address, now)
                                             : gate_.may_open(connection->path(), target.address, now);
  if (!admission.yes) return false;
  gate_.open(connection->path(), target.address, &slot.use);
  return true;
}

void Dispatcher::connection_ready(OutboundConnection* connection) {
  Slot& slot = connections_.at(connection);
  queue::Path* path = connection->path();
  if (path->opening > 0 && connection->transactions() == 0) {
    lines_.count(path, 0, -1, clock_->now());
    const Target& target = connection->target();
    slot.most_messages = peers_.about(target.address, target.port, clock_->now()).messages_per_connection;
    if (path->failing()) mark(path);
    path->backoff = conf::Duration(0);
    path->stumbles = false;
    path->last_error = {};
  }
  if (slot.job.delivery != nullptr) {  // more recipients than one transaction takes
    if (stopping_ || !may_send(slot).yes) {
      release(slot);  // the rest over another connection, or when the limits allow
    } else if (ask(slot)) {
      return;
    }
  }
  take_next(slot);
}

queue::PathError Dispatcher::meant(const OutboundConnection& connection) const {
  queue::PathError error = connection.error();
  qualify(&texts_, connection.path()->source.name, &error);
  return error;
}

std::unordered_map<const queue::Path*, uint32_t> Dispatcher::in_flight_by_path() const {
  std::unordered_map<const queue::Path*, uint32_t> count;
  for (const auto& [connection, slot] : connections_) {
    if (slot.job.delivery != nullptr) ++count[connection->path()];
  }
  return count;
}

void Dispatcher::stop() {
  stopping_ = true;
  std::vector<OutboundConnection*> idle, useless;
  for (const auto& [connection, slot] : connections_) {
    if (connection->idle() && slot.job.delivery == nullptr) {
      idle.push_back(connection);
    } else if (slot.job.delivery == nullptr || slot.job.waiting) {
      useless.push_back(connection);  // it could only begin what must not be begun any more
    }
  }
  for (OutboundConnection* connection : useless) discard(connection);
  for (OutboundConnection* connection : idle) {
    lines_.rests_no_more(connection);
    connection->quit();
  }
}

void Dispatcher::abandon() {
  stopping_ = true;
  while (!connections_.empty()) discard(connections_.begin()->first);
}

void Dispatcher::discard(OutboundConnection* connection) {
  const auto found = connections_.find(connection);
  Slot slot = std::move(found->second);
  connections_.erase(found);
  queue::Path* path = connection->path();
  lines_.rests_no_more(connection);
  lines_.count(path, -1, connection->ever_ready() ? 0 : -1, clock_->now());
  if (slot.room_of != nullptr) --slot.room_of->leaving;
  gate_.abandon(path, &slot.use, clock_->now());
  gate_.close(&slot.use);
  if (slot.job.waiting) {
    slot.job.delivery->path = nullptr;
  } else if (slot.job.delivery != nullptr) {
    release(slot);
  }
}

}  // namespace relay
