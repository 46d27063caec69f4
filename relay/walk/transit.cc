#include "relay/walk/transit.h"

#include <algorithm>
#include <utility>

#include "relay/journal/events.h"
#include "relay/spool/message_ids.h"
#include "relay/walk/disk_retry.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using queue::Delivery, queue::DeliveryState;

namespace {

constexpr conf::Duration kSweepPeriod = 100ms;  // of a part of the tables
constexpr conf::Duration kPausedLook = 200ms;   // whether the spool writes again
constexpr size_t kClosingRounds = 8;            // a report takes three

// Ids are of the relay's clock.
conf::WallTime end_of(const Delivery& delivery, conf::Duration validity) {
  return spool::MessageIds::time_of(delivery.id) + validity;
}

}  // namespace

Transit::Transit(TransitParts parts)
    : parts_(std::move(parts)),
      clock_keeper_(parts_.spool, parts_.clock, parts_.boot),
      clock_(clock_keeper_.clock()),
      messages_(parts_.spool, parts_.config->spool.body_memory_bytes),
      sites_(parts_.config, parts_.book, &clock_),
      resting_(&messages_, &sites_.streams(), &signing_,
               [this](const Delivery& delivery) {
                 const conf::Duration longest = routes_.longest_validity(&domains_.at(delivery.domain));
                 return clock_.now() + (end_of(delivery, longest) - clock_.wall());
               }),
      choice_(&sites_, parts_.random),
      counters_(parts_.spool, &sites_.limiters(), &clock_),
      signing_(parts_.config, parts_.signer, &messages_, parts_.clock,
               [this](const queue::Message& message, const dkim::SignOutcome& outcome) {
                 parts_.journal->append(
                     journal::unsigned_mail(message.record, outcome.alarm, outcome.detail, clock_.today()));
               }),
      acceptance_({parts_.config, parts_.spool, parts_.journal, &clock_, &signing_, &messages_, &domains_,
                   &deliveries_, &sites_.streams(), this, parts_.witness,
                   [this](const spool::MessageRecord& record) { delay_reports_.queued(record); }}),
      delay_reports_({parts_.config, parts_.spool, parts_.journal, &clock_, &messages_, &deliveries_,
                      [this](spool::MessageRecord record, conf::Bytes body) {
                        acceptance_.take(std::move(record), std::move(body));
                      }}),
      routes_({parts_.config, parts_.book, parts_.own_addresses, parts_.resolver, parts_.random, &clock_,
               &domains_, &choice_, this,
               [this](const queue::DomainEntry& domain, const mx::RoutePtr& found) {
                 rerouting_.leave_old_way(domain, found, parts_.config->sources);
               }}),
      settlement_({parts_.config, parts_.spool, parts_.journal, &clock_, parts_.random, &messages_,
                   &attempts_, &acceptance_, this, &deliveries_.last_replies(), &sites_.streams()}),
      verdicts_({parts_.qualifier, parts_.veto, parts_.journal, &clock_, &domains_, &messages_, &routes_,
                 &attempts_, &settlement_, this}),
      errands_(&messages_, &signing_, parts_.converter, parts_.return_paths, &attempts_, &verdicts_,
               &settlement_, this),
      retirement_(parts_.journal, parts_.spool, &messages_),
      half_done_(parts_.spool, &domains_, &deliveries_),
      notices_(parts_.journal, &clock_, &domains_, &sites_.streams()),
      dispatcher_(
          {parts_.config, &messages_, &sites_, &counters_.lease(), parts_.network, parts_.clock,
           parts_.random, this, parts_.qualifier,
           [this](const queue::Path& path, const std::vector<mx::Decision>& decisions) {
             decided(path, decisions);
           },
           [this](const queue::Path& path, const ServerTrouble& trouble) { notices_.trouble(path, trouble); },
           [this](queue::Path* path) {
             notices_.fails(*path);
             renew_route(path);
           },
           parts_.secrets}),
      rerouting_(&sites_, &dispatcher_, this),
      watch_({&sites_, &choice_, &domains_, &clock_,
              [this](queue::DomainEntry* domain) { routes_.renew(domain); },
              [this](Delivery* delivery) {
                dispatcher_.remove(delivery);
                advance(delivery);
              }}),
      late_({parts_.config, &clock_, &routes_, &sites_, &dispatcher_.gate()}),
      orders_({parts_.spool, &clock_, &deliveries_, &domains_, &messages_, &resting_, &dispatcher_, this}),
      second_reading_(&deliveries_, &orders_),
      next_sweep_(clock_.now() + kSweepPeriod) {
  settlement_.use(parts_.witness);
  parts_.journal->add(&late_);
  counters_.on_renewed = [this] { dispatcher_.gate().lease_renewed(); };
  choice_.on_decided = [this](const queue::Path& path) { dispatcher_.gate().tell_decisions(path); };
}

Transit::~Transit() {
  stopping_ = true;
  parts_.journal->remove(&late_);
  dispatcher_.abandon();
}

conf::Status Transit::recover(const Acceptance::SetAside& set_aside) {
  clock_keeper_.restore();
  const conf::Status status = counters_.restore();
  if (!status.ok()) return status;
  return acceptance_.recover(set_aside, [this](Delivery* delivery) {
    if (delivery->take_hold_wanted()) {
      resting_.hold(delivery);
    } else {
      resting_.schedule(delivery);
    }
  });
}

bool Transit::accepting(std::string* why) const {
  if (!stopping_) return acceptance_.has_room(why);
  *why = "the relay is going down";
  return false;
}

// What is next for a delivery, by its state: the walk from here. kReady goes on by itself: the dispatcher
// asks next_errand() for it (kLoading, then kSending) and answers with report(), which settles it.
void Transit::advance(Delivery* delivery) {
  if (delivery->drop_wanted) {
    verdicts_.drop(delivery, orders_.giver_of(delivery->id));
    return;
  }
  if (delivery->fail_wanted) {
    delivery->fail_wanted = false;
    verdicts_.fail(delivery, orders_.giver_of(delivery->id));
    return;
  }
  if (delivery->take_hold_wanted()) {
    resting_.hold(delivery);
    return;
  }
  const bool due = delivery->due <= clock_.now();
  switch (delivery->state) {
    case DeliveryState::kNew:  // accepted a moment ago
      if (verdicts_.refuses_all(delivery)) {
        settlement_.conclude(delivery);
        return;
      }
      [[fallthrough]];
    case DeliveryState::kScheduled:  // its time has come, or an operator said so
    case DeliveryState::kHeld:       // released
    case DeliveryState::kPaused:     // no order keeps its stream back any more
    case DeliveryState::kReady:      // taken out of its line: the configuration changed
    case DeliveryState::kLoading:    // refused by ourselves: no route, no time left, no signature
    case DeliveryState::kSending:    // all that could be tried was tried
    case DeliveryState::kSettling:   // the report about it is on disk
      if (stopping_ || !due) {
        resting_.schedule(delivery);
      } else if (is_paused(*delivery)) {
        pause(delivery);
      } else {
        go(delivery, routes_.find(delivery));
      }
      return;
    case DeliveryState::kRouting:  // its domain has a route now, or has lost it again
      if (stopping_) {
        resting_.schedule(delivery);
      } else if (is_paused(*delivery)) {
        pause(delivery);
      } else {
        go(delivery, routes_.follow(delivery));
      }
      return;
  }
}

void Transit::pause(Delivery* delivery) {
  notices_.paused(delivery, sites_.streams().held_until(delivery->stream));
  resting_.pause(delivery);
}

bool Transit::is_paused(const Delivery& delivery) const {
  const conf::Instant until = sites_.streams().held_until(delivery.stream);
  return until != conf::Instant{} && until > clock_.now();  // mail of no order asks no clock
}

void Transit::hold_streams(std::vector<queue::StreamHold> holds) {
  sites_.streams().hold(std::move(holds));
  resting_.look_again();
}

// To its path, or to no place; or it waits for its route and comes back to advance().
void Transit::go(Delivery* delivery, RouteFinder::Way way) {
  if (way.nowhere.has_value()) {
    verdicts_.refuse(delivery, way.nowhere->stage, std::move(way.nowhere->reply),
                     std::move(way.nowhere->facts));
  } else if (way.path != nullptr) {
    if (way.path->blocked(clock_.now())) notices_.blocked(delivery, *way.path);
    resting_.leave_memory(delivery);
    dispatcher_.add(delivery, way.path);  // kReady
  }
}

DispatcherUser::Answer Transit::next_errand(Delivery* delivery, const queue::Path& path,
                                            const ErrandTerms& terms, Errand* out, Later later) {
  return errands_.next(delivery, path, terms, out, std::move(later));
}

bool Transit::report(Delivery* delivery, Report report) {
  switch (report.kind) {
    case Report::Kind::kTransaction:
      settlement_.apply(delivery, report.recipients, report.outcomes, report.facts);
      if (!attempts_.has_waiting(*delivery)) break;
      half_done_.add(*delivery, clock_.now());
      return true;
    case Report::Kind::kReleased:
      attempts_.take_waiting(*delivery);
      break;
    case Report::Kind::kExpired:
      verdicts_.expire(delivery, "its destination", std::move(report.facts));
      return false;
  }
  settlement_.conclude(delivery);
  return false;
}

void Transit::settled(Delivery* delivery) {
  queue::Message* message = delivery->message;
  conf::WallTime due = conf::WallTime::max();
  for (const uint32_t index : message->of(domains_.name(delivery->domain))) {
    const spool::RecipientRecord& recipient = message->record.recipients[index];
    if (recipient.state == spool::RecipientState::kPending) due = std::min(due, recipient.due);
  }
  const conf::Instant now = clock_.now();
  if (due == conf::WallTime::max()) {
    const bool last = delivery->sibling_before == nullptr && delivery->sibling == nullptr;
    if (last && queue::all_final(message->record)) {
      retirement_.add(message, now);
      delivery->message = nullptr;  // its pin goes on there
    } else {
      half_done_.write_down(delivery);
    }
    forget(delivery);
    return;
  }
  half_done_.write_down(delivery);
  const conf::Duration wait = due - clock_.wall();
  const bool at_once = wait.count() <= 0 && delivery->path != nullptr;
  const bool ordered = delivery->drop_wanted || delivery->fail_wanted || delivery->hold_wanted || stopping_;
  if (at_once && !ordered && !is_paused(*delivery) &&
      sites_.is_way_of(domains_.at(delivery->domain), *delivery->path)) {
    resting_.leave_memory(delivery);
    return dispatcher_.add_first(delivery);
  }
  delivery->path = nullptr;
  delivery->due = now + std::max(wait, conf::Duration(0));
  advance(delivery);
}

void Transit::unreadable(Delivery* delivery, const conf::Error& why) {
  const bool gone = why.code == conf::ErrorCode::kCorrupt || why.code == conf::ErrorCode::kNotFound;
  notices_.unreadable(*delivery, why, gone);
  if (gone) {
    forget(delivery);
    return;
  }
  delivery->due = clock_.now() + kDiskRetry;
  resting_.schedule(delivery);
}

void Transit::forget(Delivery* delivery) {
  if (delivery->message != nullptr) messages_.unpin(std::exchange(delivery->message, nullptr));
  domains_.release(delivery->domain);
  const conf::MessageId id = delivery->id;
  deliveries_.erase(delivery);
  orders_.left(id);
}

// The mail that waits for a path that fails does not ask for its route again by itself: a route that was
// found while DNS was in trouble, or whose hosts have moved, would keep it there.
void Transit::renew_route(queue::Path* path) {
  const Delivery* delivery = path->ready.oldest();
  if (delivery != nullptr && !stopping_) routes_.renew(&domains_.at(delivery->domain));
}

void Transit::waits_long(Delivery* delivery, const queue::PathError& error, const AttemptFacts& facts) {
  notices_.waits_for_path(delivery, error, facts, parts_.config->path_backoff_first);
}

conf::Instant Transit::expiry(const Delivery& delivery, const conf::DestinationSettings& settings) {
  return clock_.now() + (end_of(delivery, settings.retry.validity) - clock_.wall());
}

bool Transit::is_over(const Delivery& delivery, const conf::DestinationSettings& settings) const {
  return end_of(delivery, settings.retry.validity) <= clock_.wall();
}

void Transit::decided(const queue::Path& path, const std::vector<mx::Decision>& decisions) {
  for (const mx::Decision& decision : decisions) {
    if (!notices_.decided(path, decision)) continue;
    counters_.hurry();
    watch_.hurry();  // its mail may go from another source, or that of others from here
  }
}

void Transit::step(conf::Instant now) {
  parts_.spool->drain_completions();
  acceptance_.step();
  signing_.step();
  if (parts_.converter != nullptr) parts_.converter->drain_completions();
  retirement_.step(now);
  half_done_.step(now);
  if (!stopping_) delay_reports_.step(now);
  if (!stopping_ && !rerouting_.under_way()) second_reading_.step();
  if (rerouting_.under_way()) rerouting_.step();
  if (!stopping_) {
    for (Delivery* delivery : resting_.take_over_age(now))
      verdicts_.expire(delivery, "the end of an order on its stream", {});
    size_t left = choice_.choices_per_step();
    while (Delivery* delivery = left > 0 ? resting_.next_due(now) : nullptr) {
      const uint64_t before = routes_.work();
      advance(delivery);
      left -= std::min(left, 1 + routes_.work() - before);
    }
  }
  routes_.go_on(choice_.choices_per_step());
  if (!stopping_ && !rerouting_.under_way()) watch_.step(now, dispatcher_.ready());
  dispatcher_.pause(!parts_.spool->recording());
  dispatcher_.step(now);
  counters_.step(now, dispatcher_.gate().wants_lease());
  if (now >= next_sweep_) {
    next_sweep_ = now + kSweepPeriod;
    sites_.sweep(now);
  }
  clock_keeper_.step(now, deliveries_.deliveries() > 0);
}

conf::Instant Transit::next_wake() const {
  if (rerouting_.under_way() || acceptance_.may_go_on() || routes_.may_go_on() ||
      (!stopping_ && second_reading_.may_go_on()))
    return conf::Instant{};
  conf::Instant wake = std::min(
      {dispatcher_.next_wake(), counters_.next_wake(), retirement_.next_wake(), half_done_.next_wake()});
  if (dispatcher_.paused()) wake = std::min(wake, clock_.now() + kPausedLook);
  if (!stopping_)
    wake = std::min(
        {wake, resting_.next_wake(), watch_.next_wake(dispatcher_.ready()), delay_reports_.next_wake()});
  return wake;
}

void Transit::reload(conf::ConfigPtr config, mx::RuleBookPtr book) {
  parts_.config = std::move(config);
  parts_.book = std::move(book);
  messages_.set_budget(parts_.config->spool.body_memory_bytes);
  domains_.forget_routes();
  sites_.reload(parts_.config, parts_.book);
  acceptance_.reload(parts_.config);
  delay_reports_.reload(parts_.config);
  late_.reload(parts_.config);
  routes_.reload(parts_.config, parts_.book);
  settlement_.reload(parts_.config);
  signing_.reload(parts_.config);
  dispatcher_.reload(parts_.config);
  rerouting_.begin();
}

void Transit::use(std::shared_ptr<const bounce::Qualifier> qualifier) {
  second_reading_.begin(parts_.qualifier, qualifier);
  parts_.qualifier = std::move(qualifier);
  verdicts_.use(parts_.qualifier);
  dispatcher_.use(parts_.qualifier);
}

void Transit::stop() {
  stopping_ = true;
  dispatcher_.stop();
}

std::vector<std::string> Transit::neglected() {
  std::vector<std::string> names;
  for (const queue::Path* path : dispatcher_.neglected())
    names.push_back(path->site->label + " from " + path->source.name);
  return names;
}

void Transit::close() {
  stopping_ = true;
  dispatcher_.abandon();
  // A report that is on disk ends its recipients: forgotten, they would be tried, and reported, once more.
  // One that is being made reads its message first and is stored then.
  size_t rounds = 0;
  do {
    parts_.spool->flush();
  } while (drain_all() && ++rounds < kClosingRounds);
  retirement_.close();
  deliveries_.for_each([this](Delivery* delivery) {  // settled in part, the report still being stored
    half_done_.write_down(delivery);
  });
  counters_.close();
  clock_keeper_.keep();
  parts_.spool->flush();
  drain_all();  // the spool may live longer than who waits for its answers
}

}  // namespace relay
