#include "mx/limits/traffic.h"

#include <algorithm>

#include "conf/vocab/check.h"
#include "mx/limits/quota_saved.h"

namespace mx {

namespace {

// 5: without the pace of new connections; 4: nor its limits; 3: the pace of before; 2: none.
constexpr uint64_t kTrafficVersion = 6;

constexpr float kLater =
    0.34F;  // what a later refusal over a connection weighs against one of the first message

constexpr uint8_t kInARow = 3;
constexpr float kOfTheLast = 0.1F;  // what one new connection weighs among the last ones
constexpr float kTooMany = 0.125F;  // of them: more than chance turns away
constexpr conf::Duration kBusy = std::chrono::seconds(1);

Admission all_say(Quota* quota, RateLimit* rate, const LearnedPace& pace, conf::Instant now) {
  Admission answer;
  if (const conf::Instant free = quota->not_before(now); free > now)
    answer = answer.also(Admission::no(Bind::kQuota, free));
  if (const conf::Instant free = rate->not_before(now); free > now)
    answer = answer.also(Admission::no(Bind::kRate, free));
  if (const conf::Instant free = pace.not_before(now); free > now)
    answer = answer.also(Admission::no(Bind::kSlowed, free));
  return answer;
}

}  // namespace

Traffic::Traffic(const PathLimits& limits)
    : max_connections_(limits.max_connections),
      window_(limits.min_connections, limits.max_connections),
      rate_(limits.rate),
      quota_(limits.messages_per_hour, limits.smooth) {}

void Traffic::set(const PathLimits& limits) {
  granted_ = 0;
  max_connections_ = limits.max_connections;
  window_.set(limits.min_connections, limits.max_connections);
  const bool same_rate = rate_.is(limits.rate);
  // What is saved says under which limits.
  if (!same_rate || quota_.limit() != limits.messages_per_hour || quota_.smooth() != limits.smooth)
    change_.mark();
  rate_.set(limits.rate);
  if (!same_rate) rate_.recount(quota_.history());
  quota_.set(limits.messages_per_hour, limits.smooth);
}

Admission Traffic::may_connect(conf::Instant now) const {
  if (connections_ >= max_connections_) return Admission::no(Bind::kConnections, conf::kNever);
  if (connections_ >= window_.now() || (one_first_ && connections_ > 0))
    return Admission::no(Bind::kWindow, conf::kNever);
  if (slowdown_.until() > now) return Admission::no(Bind::kSlowed, slowdown_.until());
  if (connections_ == 0) return {};
  const conf::Instant next = openings_.not_before(now);
  return next > now ? Admission::no(Bind::kSlowed, next) : Admission();
}

Admission Traffic::may_send(conf::Instant now) {
  Admission answer;
  if (slowdown_.until() > now) answer = Admission::no(Bind::kSlowed, slowdown_.until());
  if (granted_ > 0) return answer;
  if (const uint32_t free = budget(now); free > 0) {
    granted_ = free - 1;  // the share of another slice may be smaller by one
    return answer;
  }
  return answer.also(all_say(&quota_, &rate_, pace_, now));
}

Admission Traffic::may_send_after(uint32_t others, conf::Instant now) const {
  Quota quota = quota_;
  RateLimit rate = rate_;
  LearnedPace pace = pace_;
  for (uint32_t i = 0; i < others; ++i) {
    quota.charge(now);
    rate.charge(now);
    pace.charge(now);
  }
  const Admission paused = Admission::no(Bind::kSlowed, slowdown_.until());
  return (slowdown_.until() > now ? paused : Admission()).also(all_say(&quota, &rate, pace, now));
}

void Traffic::connection_closed(bool served) {
  CHECK(connections_ > 0);
  --connections_;
  if (served) openings_.served_one_closed();
  if (loans_ == nullptr) return;
  std::erase_if(*loans_, [](Loan& loan) {
    const std::shared_ptr<Traffic> to = loan.to.lock();
    if (to != nullptr) --to->connections_, --to->guests_;
    return to == nullptr || --loan.connections == 0;
  });
  if (loans_->empty()) loans_.reset();
}

void Traffic::lend(const std::shared_ptr<Traffic>& heir) {
  uint32_t open = connections_ - guests_;  // those who lent theirs lend them to the heir themselves
  if (loans_ == nullptr) loans_ = std::make_unique<std::vector<Loan>>();
  for (const Loan& loan : *loans_) open -= loan.to.lock() == heir ? std::min(loan.connections, open) : 0;
  heir->connections_ += open;
  heir->guests_ += open;
  if (open > 0) loans_->push_back({heir, open});
  if (loans_->empty()) loans_.reset();
}

std::vector<Traffic*> Traffic::borrowers() const {
  std::vector<Traffic*> list;
  if (loans_ == nullptr) return list;
  for (const Loan& loan : *loans_)
    if (const std::shared_ptr<Traffic> to = loan.to.lock()) list.push_back(to.get());
  return list;
}

void Traffic::inherit(const Traffic& from, conf::WallTime since, const Moment& moment) {
  granted_ = 0;
  const conf::Instant last = quota_.inherit(from.quota_, since, moment);
  if (last != conf::kNever) {
    rate_.recount(quota_.history());
    rate_.use_burst(std::min(last, moment.now));
  }
  if (quota_.history().reach() < rate_.reach()) rate_.inherit(from.rate_, moment);
  window_.at_most(from.window_);
  slowdown_.at_least(from.slowdown_, moment.now);
  no_growth_.at_least(from.no_growth_, moment.now);
  pace_.at_most(from.pace_);
  openings_.at_most(from.openings_);
  change_.mark();
}

void Traffic::charge(conf::Instant now) {
  if (granted_ > 0) --granted_;
  quota_.charge(now);
  rate_.charge(now);
  pace_.charge(now);
  change_.mark();
}

void Traffic::refund(conf::Instant charged_at) {
  quota_.refund(charged_at);
  rate_.refund(charged_at);
  change_.mark();
}

bool Traffic::accepted(conf::Instant now, const Transaction& transaction) {
  const uint32_t before = one_first_ ? 1 : window_.now();
  turned_away_ = 0;
  one_first_ = false;
  const bool had_rate = pace_.has_rate();
  pace_.taken(now, transaction.begun);
  unsaid_.taken(now);
  if (transaction.before == 0) {
    openings_.served(now, transaction.begun);
    turned_share_ -= kOfTheLast * turned_share_;
  }
  if (!had_rate && pace_.has_rate()) granted_ = 0;
  slowdown_.pause_until(pace_.paused_until());
  per_connection_.taken(transaction.before + 1);
  // Others are served: that connection was one too many.
  if (fits_ > 0 && !pace_.in_a_row()) {
    window_.cap(fits_);
    no_growth_.throttled(now);
  }
  fits_ = 0;
  // Under a learned rate a window that is not full says nothing of how many connections would be taken.
  const bool says_something = !pace_.has_rate() || connections_ >= window_.now();
  if (no_growth_.until() <= now && says_something) window_.taken();
  change_.mark();
  return window_.now() > before;
}

void Traffic::turned_away(conf::Instant now, conf::Instant begun) {
  if (connections_ <= 1 || pace_.binds(now)) {
    // A server that is busy turns away at random: only in a row is it about us.
    if (turned_away_ < kInARow - 1) {
      ++turned_away_;
      turned_share_ += kOfTheLast * (1 - turned_share_);
      if (turned_share_ > kTooMany) pace_.turned_away(now);
      slowdown_.pause_until(now + kBusy);
      change_.mark();
      return;
    }
    return throttled(now);
  }
  change_.mark();
  if (openings_.turned_away(now, begun, connections_ - 1)) return;
  window_.cap(connections_ - 1);
  no_growth_.throttled(now);
}

void Traffic::throttled(conf::Instant now, const Transaction& transaction) {
  granted_ = 0;
  if (per_connection_.refused(transaction.before, now)) {
    pace_.excuse(now);
    one_first_ = false;
    return slowdown_.pause_until(pace_.paused_until());
  }
  const bool had_rate = pace_.has_rate();
  const bool is_one_event = !pace_.asked(now, transaction.begun);
  const bool is_first = transaction.before == 0;
  at_first_ = std::clamp(at_first_ + (is_first ? 1 : -kLater), -1.0F, 2.0F);
  if (is_first && at_first_ > 1.5F && connections_ > 1 && !pace_.binds(now)) fits_ = connections_ - 1;
  if (is_one_event) return;  // for what was under way
  one_first_ = true;
  if (pace_.in_a_row() && !had_rate) window_.throttled(now);
  slowdown_.pause_until(pace_.paused_until());
  change_.mark();
}

void Traffic::trouble(conf::Instant /*now*/) {
  window_.trouble();
  change_.mark();
}

uint32_t Traffic::window() const { return window_.now(); }
conf::Instant Traffic::slowed_until() const { return slowdown_.until(); }
uint32_t Traffic::used_in_hour(conf::Instant now) { return quota_.used(now); }
uint32_t Traffic::used_in_slice(conf::Instant now) const { return quota_.used_in_slice(now); }
uint32_t Traffic::slice_limit(conf::Instant now) const { return quota_.slice_limit(now); }

void Traffic::reset() {
  window_.reset();
  slowdown_.reset();
  no_growth_.reset();
  pace_.reset();
  openings_.reset();
  granted_ = 0;
  one_first_ = false;
  turned_away_ = 0;
  fits_ = 0;
  at_first_ = 0;
  turned_share_ = 0;
  per_connection_ = {};
  unsaid_ = {};
  change_.mark();
}

bool Traffic::idle(conf::Instant now) {
  return connections_ == 0 && quota_.used(now) == 0 && rate_.worth_until(now) <= now &&
         slowdown_.as_new(now) && pace_.as_new(now) && openings_.as_new(now);
}

conf::Instant Traffic::worth_until(conf::Instant now) {
  return std::max({now + quota_.reach(), slowdown_.until() + Quota::kHour, rate_.worth_until(now),
                   pace_.worth_until(), openings_.worth_until()});
}

std::string Traffic::save(const Moment& moment) {
  change_.clear();
  earlier_.reset();
  const conf::Instant now = moment.now;
  std::string saved;
  if (quota_.used(now) == 0 && rate_.worth_until(now) <= now && slowdown_.as_new(now) && window_.as_new() &&
      pace_.as_new(now) && openings_.as_new(now))
    return saved;
  SavedWriter out(&saved, moment);
  out.number(kTrafficVersion);
  window_.save(&out);
  slowdown_.save(&out, now);
  rate_.save(&out, moment);
  save_quota(quota_, &out, moment);
  pace_.save(&out);
  out.number(quota_.limit());
  out.number(quota_.smooth() ? 1 : 0);
  const conf::RuleRate rate = rate_.rate();
  out.number(rate.events);
  out.length(rate.per);
  out.number(rate.burst);
  openings_.save(&out);
  return saved;
}

Traffic::Limits Traffic::read_limits(SavedReader* in) {
  Limits limits;
  limits.messages_per_hour = in->number32();
  limits.smooth = in->number(1) == 1;
  limits.rate.events = in->number32();
  limits.rate.per = in->length();
  limits.rate.burst = in->number32();
  if (limits.rate.events > 0 && limits.rate.per.count() == 0) in->fail();
  return limits;
}

bool Traffic::restore(std::string_view saved, const Moment& moment) {
  if (saved.empty()) return true;
  SavedReader in(saved, moment);
  const uint64_t version = in.number();
  if (version < 2 || version > kTrafficVersion) return false;
  Window window = window_;
  Slowdown slowdown;
  window.restore(&in);
  slowdown.restore(&in);
  const RateLimit::State rate = RateLimit::read(&in);
  Quota quota = quota_;
  restore_quota(&in, &quota);
  LearnedPace pace;
  if (version >= 3)
    pace.restore(&in, version == 3 ? LearnedPace::Version::kBefore : LearnedPace::Version::kNow);
  const Limits before =
      version >= 5 ? read_limits(&in) : Limits{quota_.limit(), quota_.smooth(), rate_.rate()};
  Openings openings;
  if (version >= 6) openings.restore(&in);
  if (!in.ok() || !in.ended()) return false;
  const bool same =
      before.messages_per_hour == quota_.limit() && before.smooth == quota_.smooth() && rate_.is(before.rate);
  earlier_ = same ? nullptr : std::make_unique<Limits>(before);
  granted_ = 0;
  window_ = window;
  slowdown_ = slowdown;
  rate_.restore(rate, moment);
  quota_ = quota;
  // The rule may have had another rate then.
  if (!rate.counted && rate_.reaches(quota_.history().latest(), moment.now)) rate_.recount(quota_.history());
  pace_ = pace;
  openings_ = openings;
  return true;
}

uint32_t Traffic::most_under(const Limits& limits, conf::Instant begin, conf::Instant end) const {
  Quota quota = quota_;
  quota.set(limits.messages_per_hour, limits.smooth);
  const uint32_t room =
      quota.limit() == 0 ? UINT32_MAX : quota.limit() - std::min(quota.used(end), quota.limit());
  return std::min({room, quota.most_between(begin, end), RateLimit(limits.rate).most_in(end - begin)});
}

void Traffic::assume_used(conf::Instant begin, conf::Instant end) {
  if (quota_.limit() == 0 && !rate_.limited()) return;
  begin = std::min(begin, end);
  granted_ = 0;
  const uint32_t earlier = earlier_ == nullptr ? 0 : most_under(*earlier_, begin, end);
  quota_.assume_used(begin, end, rate_.most_in(end - begin), earlier);
  rate_.assume_used(begin, end, earlier);
  change_.mark();
}

}  // namespace mx
