#include "relay/flow/dispatcher.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/flow/forecast.h"
#include "relay/flow/meaning.h"
#include "relay/flow/sick_host.h"
#include "relay/flow/site_table.h"

namespace relay {

namespace {

// A transaction of many recipients is not divided: it may take 20 ms by itself, and these some 5.
constexpr uint64_t kRepliesPerStep = 256;
constexpr uint64_t kOctetsOfReply = 64;
// A connection that takes so long to open, and a message that waits so long for a reply, are told: nobody
// should have to wait for the timeouts to hear of it.
constexpr conf::Duration kSlow = std::chrono::seconds(10);
// That a receiver is silent is told once in so long.
constexpr conf::Duration kSilenceTold = std::chrono::minutes(10);
constexpr size_t kPathsPerStep = 512;  // a path that may not send costs less than a microsecond

}  // namespace

Dispatcher::Dispatcher(Parts parts)
    : flow_{.config = std::move(parts.config),
            .clock = parts.clock,
            .network_bears = parts.network == nullptr ? SIZE_MAX : parts.network->most_connections()},
      sites_(parts.sites),
      failing_(std::move(parts.failing)),
      texts_(parts.qualifier == nullptr ? bounce::Qualifier::shipped() : std::move(parts.qualifier),
             flow_.config->replies.known_texts),
      troubles_(std::move(parts.trouble)),
      gate_({parts.sites, parts.lease, parts.clock, [this](queue::Path* path) { work_.mark(path); },
             std::move(parts.decided)}),
      hosts_(parts.random, [this](queue::Path* path) { work_.mark(path); }),
      logins_(&flow_, parts.sites, parts.secrets, &work_, &troubles_),
      back_off_(&flow_, parts.random),
      mail_({&flow_, parts.user, parts.messages, &back_off_, &lines_, &work_}),
      connections_(&flow_, &gate_, &lines_),
      opener_({&flow_, parts.network, this, &gate_, &hosts_, &logins_, &back_off_, &connections_, &work_,
               failing_}),
      jobs_({&flow_, parts.user, &gate_, &hosts_, &connections_, &mail_, &work_}),
      turns_({&flow_, &gate_, &lines_, &connections_, &logins_, &opener_, &jobs_}),
      acts_(parts.sites, &gate_, &hosts_, &work_, parts.user),
      free_tries_(&hosts_, &troubles_) {}

Dispatcher::~Dispatcher() = default;

void Dispatcher::poke(queue::Path* path) {
  back_off_.end_now(path);
  work_.mark(path);
}

// What many servers say at once is heard in parts: a thousand replies that all have to be read take some 20
// ms.
bool Dispatcher::may_hear(OutboundConnection* connection, size_t octets) {
  if (may_hear_ == 0) {
    unheard_.push_back({connection, connections_.at(connection).number, octets});
    return false;
  }
  may_hear_ -= std::min<uint64_t>(may_hear_, 1 + octets / kOctetsOfReply);
  return true;
}

void Dispatcher::hear_some() {
  may_hear_ = kRepliesPerStep;
  while (may_hear_ > 0 && !unheard_.empty()) {
    const Unheard next = unheard_.front();
    unheard_.pop_front();
    if (connections_.find(next.connection, next.number) == nullptr) continue;
    may_hear_ -= std::min<uint64_t>(may_hear_, 1 + next.octets / kOctetsOfReply);
    next.connection->hear();
  }
}

void Dispatcher::step(conf::Instant now) {
  hear_some();
  work_.wake_due(now, kPathsPerStep);
  connections_.take_slow(now - kSlow,
                         [this](OutboundConnection* connection) { return tell_slow(*connection); });
  connections_.look_at_ready(now, [this](const Slot& slot) { look_for_silence(slot); });
  logins_.step([this](queue::Path* path) { poke(path); });
  opener_.begin_step();
  size_t paths_left = kPathsPerStep;
  bool lines_had_turn = false;
  std::vector<queue::Path*> after_lines;
  do {
    for (; paths_left > 0 && opener_.may_go_on() && !work_.empty(); --paths_left) {
      queue::Path* path = work_.take();
      if (PathGate::lets_many_first(*path) && !lines_had_turn) {
        after_lines.push_back(path);
        continue;
      }
      work(path, now);
      set_wake(path, now);
    }
    turns_.step(now);
    for (queue::Path* path : std::exchange(after_lines, {})) {  // they were counted when they were taken
      work(path, now);
      set_wake(path, now);
    }
    lines_had_turn = true;
    for (const PathGate::Wanted& wanted : gate_.take_wanted()) connections_.make_room(wanted);
  } while (feed_starving() && paths_left > 0 && opener_.may_go_on());
  connections_.free_ended();
}

bool Dispatcher::tell_slow(const OutboundConnection& connection) {
  queue::Path* path = connection.path();
  if (path->health.failing()) return true;  // what fails is told with its reason
  // While others work this one is no trouble; it may be when they are gone.
  if (path->connections.slow_told() || path->connections.any_was_ready()) return false;
  path->connections.tell_slow();
  // A host whose turn has come a moment ago is not to blame.
  if (flow_.now() - connection.target_started() < kSlow) {
    troubles_.tell(*path, {}, bounce::Stage::kConnect,
                   "no connection is ready for mail after 10 s, with several hosts tried; its mail waits");
    return true;
  }
  const bool there = connection.connected();
  troubles_.tell(*path, connection.target(), there ? bounce::Stage::kGreeting : bounce::Stage::kConnect,
                 there ? "connected, and not ready for mail after 10 s; its mail waits"
                       : "no connection after 10 s; its mail waits");
  return true;
}

void Dispatcher::look_for_silence(const Slot& slot) {
  const OutboundConnection& connection = *slot.connection;
  const conf::Instant now = flow_.now(), since = std::max(connection.silent_since(), slot.job.began);
  if (slot.job.delivery == nullptr || slot.job.waiting || connection.idle()) return;
  queue::PathConnections& all = connection.path()->connections;
  const bool silent = now - since >= kSlow && !connection.sends();
  connections_.note_silence(slot.job.delivery, silent ? connection.stage() : conf::Stage::kNone);
  if (!silent) return all.forget_silence(&connection);
  const bool first = all.silence() == nullptr;
  all.is_silent({&connection, connection.stage(), since});
  if (!first || all.silence() == nullptr || all.silence_told() > now - kSilenceTold) return;
  all.tell_silence(now);
  troubles_.tell(*connection.path(), connection.target(), connection.stage(),
                 "no reply after 10 s; the message waits for it until it times out");
}

// As many of them as there is room for may try. False: nothing is to be done at once.
bool Dispatcher::feed_starving() {
  const size_t most = flow_.most_connections();
  if (!flow_.paused) work_.feed(kPathsPerStep, most - std::min(most, connections_.size()));
  return !work_.empty();
}

void Dispatcher::pause(bool yes) {
  if (!yes && flow_.paused) work_.resume();
  flow_.paused = yes;
}

conf::Instant Dispatcher::next_wake() const {
  if (!unheard_.empty() || logins_.waking() || !work_.empty() || (work_.has_resumed() && !flow_.paused))
    return conf::Instant{};
  const conf::Instant opening = connections_.oldest_opening();
  const conf::Instant slow = opening == conf::kNever ? conf::kNever : opening + kSlow;
  const conf::Instant look = in_flight() == 0 ? conf::kNever : connections_.next_look();
  return std::min({lines_.next_wake(), work_.next_wake(), slow, look});
}

void Dispatcher::set_wake(queue::Path* path, conf::Instant now) {
  conf::Instant wake = conf::kNever;
  if (!path->ready.empty() && !flow_.stopping) {
    if (path->waits.any() && path->waits.until() > now) wake = path->waits.until();
    // While nothing may be sent it starves, and is looked at when that is over.
    if (!flow_.paused) wake = std::min(wake, WaitingMail::next_expiry(*path, now));
  } else if (path->health.backs_off(now)) {
    wake = path->health.backs_off_until();  // so that the site can be forgotten afterwards
  }
  work_.set_wake(path, wake);
}

void Dispatcher::work(queue::Path* path, conf::Instant now) {
  if (flow_.stopping) return;
  path->waits.ask_anew();
  if (flow_.paused) {
    if (!path->ready.empty()) opener_.starve(path, mx::Bind::kRecording);
    return;
  }
  if (path->blocked(now)) back_off_.forget(path);
  if (WaitingMail::expiry_is_due(*path, now)) mail_.expire(path, now);
  if (path->shared.line == nullptr) jobs_.use_resting(path, flow_.now());
  if (path->shared.line == nullptr) {
    opener_.open_for(path, now);
  } else {
    work_together(path, now);
  }
  if (path->ready.empty()) gate_.leave(path);
  gate_.pass_on(path, now);
}

void Dispatcher::work_together(queue::Path* path, conf::Instant now) {
  path->shared.line->note(path, now);
  const conf::Instant until = std::max(path->health.backs_off_until(), logins_.until(*path));
  if (until > now) gate_.wait(path, mx::Admission::no(mx::Bind::kBackOff, until));
  if (const mx::Admission held = path->next_held(now); !held.yes) gate_.wait(path, held);
  lines_.mark(path->shared.line);
}

// The first was allowed a moment ago; those after it have not been asked for since.
bool Dispatcher::target_began(OutboundConnection* connection, const Target& target) {
  Slot& slot = connections_.at(connection);
  const conf::Instant now = flow_.now();
  const bool in_clear = slot.use.open();  // the same target once more
  gate_.close(&slot.use);
  const mx::Admission admission = slot.early || in_clear
                                      ? gate_.may_open_early(connection->path(), target.address, now)
                                      : gate_.may_open(connection->path(), target.address, now);
  if (!admission.yes) return false;
  gate_.open(connection->path(), target.address, &slot.use);
  hosts_.visits(*connection->path(), target, now);
  return true;
}

void Dispatcher::connection_ready(OutboundConnection* connection) {
  Slot& slot = connections_.at(connection);
  queue::Path* path = connection->path();
  if (path->connections.opening() > 0 && connection->transactions() == 0) {
    connections_.is_ready(connection);
    slot.most_messages = hosts_.about(connection->target(), flow_.now()).messages_per_connection;
    // It takes a message, and those that wait may need more connections.
    if (path->health.failing() || !path->ready.empty()) work_.mark(path);
    back_off_.worked(path);
  }
  jobs_.go_on(&slot);
}

void Dispatcher::transaction_done(OutboundConnection* connection,
                                  std::vector<smtp::RecipientOutcome> outcomes) {
  Slot& slot = connections_.at(connection);
  CHECK(slot.job.delivery != nullptr);
  queue::Path* path = connection->path();
  const conf::Instant now = flow_.now();
  const auto is_answer = [](const auto& each) { return each.reply.code != 0 && !each.local; };
  if (std::ranges::any_of(outcomes, is_answer)) path->connections.answers(connection, now);
  hosts_.learn(*connection, connection->target(), now);
  FreeTries::bound(slot.job.delivery, &outcomes);
  const Meeting here{connection->target().host, slot.job.domain, path->source.name,
                     !path->settings->smart_hosts.empty()};
  for (smtp::RecipientOutcome& outcome : outcomes) qualify(&texts_, here, &outcome);
  PathGate::read_limit(slot.use, now, &outcomes);
  may_hear_ -= std::min<uint64_t>(may_hear_, outcomes.size());
  gate_.feed_back(path, &slot.use, outcomes, now);
  acts_.obey(*connection, &outcomes, now);
  free_tries_.try_next_host(*connection, slot.job.delivery, &outcomes, slot.job.began, now);
  // The replies may have opened the window, or ended the probes: more connections may be allowed by now.
  if (path->shared.line != nullptr || (path->waits.any() && path->waits.until() == conf::kNever))
    work_.mark(path);
  if (const smtp::RecipientOutcome* sick = of_sick_host(outcomes)) {
    const queue::PathError error{sick->stage, sick->reply, connection->target().host,
                                 address_text(connection->target()), sick->meaning};
    if (back_off_.refused(path, error, connection->started(), now)) slot.use.asked_slower = true;
  } else if (std::ranges::any_of(outcomes, is_answer)) {
    back_off_.answered(path);
  }
  jobs_.report(&slot, std::move(outcomes));
}

void Dispatcher::target_failed(OutboundConnection* connection, const Target& target) {
  const conf::Instant now = flow_.now();
  Slot& slot = connections_.at(connection);
  queue::Path* path = connection->path();
  const queue::PathError error = meant(*connection);
  hosts_.learn(*connection, target, now);
  hosts_.failed(*path, target, connection->silent_since(), now);
  take_trouble(*connection, slot.use, error, now);
  if (back_off_.stumbled(path, error, connection->started())) work_.mark(path);
  gate_.close(&slot.use);
}

void Dispatcher::tls_failed(OutboundConnection* connection, const Target& target, const std::string& why) {
  if (hosts_.tls_failed(target, flow_.now()) || connection->ever_ready())
    troubles_.tell(*connection->path(), target, bounce::Stage::kTls, why + "; it goes in clear");
}

void Dispatcher::login_done(OutboundConnection* connection, const Target& target, bool good) {
  logins_.answered(*connection, target, good);
}

void Dispatcher::connection_ended(OutboundConnection* connection) {
  queue::Path* path = connection->path();
  const conf::Instant now = flow_.now();
  const bool rested = path->connections.has_idle(connection);
  Slot slot = connections_.take_out(connection);
  hosts_.learn(*connection, connection->target(), now);
  if (!connection->ever_ready()) {
    logins_.undecided(*connection);
    back_off_.failed(path, meant(*connection), connection->started(), now);
  } else if (!rested && !connection->quitting() && !connection->blameless() &&
             !hosts_.is_left_for_another(*connection, now)) {
    const queue::PathError error = meant(*connection);
    if (!take_trouble(*connection, slot.use, error, now))
      back_off_.broke(path, error, connection->started(), now);
  }
  connections_.give_back(*connection, &slot.use);
  jobs_.drop(&slot);
  connections_.keep_until_free(std::move(slot.connection));
  work_.mark(path);
  if (failing_ && path->health.failing()) failing_(path);
}

queue::PathError Dispatcher::meant(const OutboundConnection& connection) {
  queue::PathError error = connection.error();
  qualify(&texts_, connection.path()->source.name, &error);
  return error;
}

bool Dispatcher::take_trouble(const OutboundConnection& connection, const PathGate::Use& use,
                              const queue::PathError& error, conf::Instant now) {
  const bool slower = gate_.trouble(connection.path(), use, error, now);
  if (error.reply.code != 0) acts_.obey(connection.path(), error.meaning, error.reply, now);
  return slower;
}

void Dispatcher::reload(conf::ConfigPtr config) {
  if (config->replies.known_texts != flow_.config->replies.known_texts)
    texts_.resize(config->replies.known_texts);
  flow_.config = std::move(config);
  logins_.forget();
}

void Dispatcher::stop() {
  flow_.stopping = true;
  std::vector<OutboundConnection*> resting, useless;
  connections_.for_each([&](OutboundConnection* connection, const Slot& slot) {
    if (connection->idle() && slot.job.delivery == nullptr) {
      resting.push_back(connection);
    } else if (slot.job.delivery == nullptr || slot.job.waiting) {
      useless.push_back(connection);  // it could only begin what must not be begun any more
    }
  });
  for (OutboundConnection* connection : useless) discard(connection);
  for (OutboundConnection* connection : resting) {
    connections_.rests_no_more(connection);
    connection->quit();
  }
}

void Dispatcher::abandon() {
  flow_.stopping = true;
  while (connections_.any() != nullptr) discard(connections_.any());
}

void Dispatcher::discard(OutboundConnection* connection) {
  Slot slot = connections_.take_out(connection);
  connections_.give_back(*connection, &slot.use);
  jobs_.drop(&slot);
}

mx::Admission Dispatcher::next_message(queue::Path* path) {
  if (flow_.paused) return mx::Admission::no(mx::Bind::kRecording, conf::kNever);
  if (sites_->awaits_rules(*path)) return mx::Admission::no(mx::Bind::kLease, conf::kNever);
  know_counters(sites_, path);
  Forecast forecast{{}, connections_.full(), {}, opener_.moves_at(path, flow_.now())};
  forecast.gives_way = [&](auto* full) { return connections_.least_needed({full, path}) != nullptr; };
  for (OutboundConnection* connection : path->connections.idle()) {
    if (connection->idle())
      forecast.resting.push_back({&connections_.at(connection).use, connection->transactions()});
  }
  // A refused login keeps new connections back; one that is open has logged in.
  const conf::Instant login = logins_.until(*path);
  if (path->connections.idle().empty() && login > flow_.now())
    return mx::Admission::no(mx::Bind::kBackOff, login);
  const mx::Admission next = forecast.next(*path, gate_.lease(), flow_.now());
  gate_.tell_decisions(*path);  // a block that is over has become probing by being asked
  return next;
}

bool Dispatcher::awaits_rules(const queue::Path& path) const { return sites_->awaits_rules(path); }

std::vector<const queue::Path*> Dispatcher::neglected() {
  std::vector<const queue::Path*> paths;
  if (flow_.stopping || flow_.paused || logins_.waking()) return paths;
  std::unordered_set<const SharedLine*> writing;  // whoever is next waits until its counters are on disk
  sites_->for_each([&](queue::Path* path) {
    if (path->shared.line != nullptr && path->waits.bind() == mx::Bind::kLease)
      writing.insert(path->shared.line.get());
  });
  sites_->for_each([&](queue::Path* path) {
    const SharedLine* line = path->shared.line.get();
    if (writing.contains(line)) return;
    const bool works =
        line == nullptr ? !path->connections.all_rest() : line->connections > line->resting.size();
    const bool is_next = path->work.marked() || (line != nullptr && line->dirty);
    if (path->ready.empty() || works || is_next || path->holds.lacks_memory(flow_.now())) return;
    if (connections_.any_may_send(*path) || opener_.could_open(path, flow_.now())) paths.push_back(path);
  });
  return paths;
}

}  // namespace relay
