#include "mx/limits/learned_pace.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace mx {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr conf::Duration kRemember = 1h;
constexpr conf::Duration kFirst = 4s;     // the longest pause after a request alone
constexpr int kCheap = 50;                // the part of the time that requests alone may cost
constexpr conf::Duration kShortest = 1s;  // pause in a silence
// Of a silence that may be no limit, but a host that is down: a minute in its first hour, then a sixtieth.
constexpr conf::Duration kOften = 1min;
constexpr int kSeldom = 60;
constexpr conf::Duration kLongest = 5min;
constexpr std::array<conf::Duration, 7> kUsual = {1s, 10s, 1min, 5min, 10min, 30min, 1h};  // windows
constexpr int kSteps = 6;          // from the least to the most that a silence can last
constexpr double kSooner = 0.8;    // of the least, when it was too much
constexpr double kRoughly = 0.14;  // of a window: not known well enough
constexpr double kBelow = 0.98;    // of the limit that was met
constexpr double kCut = 0.95;      // when it was met in a row
constexpr double kSmallCut = 0.97;
constexpr double kAnyway = 0.015;             // a share of refusals that says nothing
constexpr double kChance = 0.02;              // a share of refusals of which some may come in a row
constexpr double kVeryOften = 6;              // requests in excess, where no rate is known
constexpr double kEnough = 4;                 // messages say something
constexpr double kLeast = 0.005;              // messages a second
constexpr uint32_t kLong = 5;                 // messages that were sent evenly
constexpr double kUsed = 0.85;                // of the rate: it binds
constexpr double kGrowth = 0.01;              // a minute
constexpr conf::Duration kSlowWindow = 1min;  // one that is longer makes it grow more slowly
constexpr uint8_t kMostCuts = 10;             // without growth between: then the rate is not the cause
constexpr conf::Duration kHold = 2min;        // no growth at first
constexpr uint32_t kBetween = 300;            // nor before so many messages
constexpr conf::Duration kBetweenAtMost = 1h;
constexpr double kSpikes = 0.05;            // seconds of the rate that may go at once
constexpr uint64_t kRateUnits = 1'000'000;  // of a saved rate

double in_seconds(conf::Duration length) { return static_cast<double>(length.count()) / 1e6; }
conf::Duration duration(double length) {
  return conf::Duration(static_cast<int64_t>(std::min(length, 1e6) * 1e6));
}

}  // namespace

void LearnedPace::Minute::roll(conf::Instant at) {
  if (begin == conf::Instant::min() || at - begin >= 2min) {
    *this = {at, 0, 0};
  } else if (at - begin >= 1min) {
    *this = {begin + 1min, 0, now};
  }
}

void LearnedPace::Minute::add(conf::Instant at) {
  roll(at);
  ++now;
}

double LearnedPace::Minute::in(conf::Instant at) const {
  Minute rolled = *this;
  rolled.roll(at);
  return rolled.now + rolled.before * std::max(0.0, 1 - in_seconds(at - rolled.begin) / 60);
}

LearnedPace& LearnedPace::operator=(const LearnedPace& other) {
  if (this != &other)
    learned_ = other.learned_ == nullptr ? nullptr : std::make_unique<Learned>(*other.learned_);
  return *this;
}

void LearnedPace::taken(conf::Instant now, conf::Instant begun) {
  if (learned_ == nullptr) return;
  Learned& learned = *learned_;
  learned.all_taken.add(now);
  learned.excess = std::max(0.0F, learned.excess - static_cast<float>(kAnyway));
  ++learned.taken;
  ++learned.cycle_taken;
  if (begun < learned.before) return;      // it was under way
  const bool beside = begun < learned.at;  // the one that was refused last
  if (beside && learned.in_a_row < 2) return;
  const bool expected = learned.most > conf::Duration(0) || learned.excess > 3;
  if (learned.certain > 2 || (learned.certain > 1 && expected)) end_silence(begun);
  learned.in_a_row = learned.certain = beside ? 1 : 0;
  if (beside) {
    learned.row = learned.at;
    learned.until = std::min(learned.until, learned.at + kShortest);
  }
  if (has_rate()) grow(now);
}

void LearnedPace::end_silence(conf::Instant begun) {
  Learned& learned = *learned_;
  const double messages = learned.cycle_taken - 1.0;  // that one belongs to what begins now
  const bool begins = learned.cycle == conf::Instant::min();
  if (!begins && messages < kEnough) return;
  const conf::Instant refused = begun < learned.at ? learned.before : learned.at;
  if (!begins) learn(refused - learned.cycle, begun - learned.cycle, messages);
  learned.cycle = begun;
  learned.cycle_taken = 1;
  learned.excess = 0;
}

// So many messages were taken in a time that is between these.
void LearnedPace::learn(conf::Duration least, conf::Duration most, double messages) {
  Learned& learned = *learned_;
  if (learned.rate > 0) {
    if (learned.certain > 2 && most <= 2 * learned.window)
      learned.rate =
          std::clamp(kBelow * messages / in_seconds(most), std::max(learned.rate / 2, kLeast), learned.rate);
    return;
  }
  // Taken at the first try after what was thought to be the least: it may be less.
  if (learned.most > conf::Duration(0) && least < learned.least)
    least = ++learned.too_late < 3 ? duration(kSooner * in_seconds(learned.least))
                                   : std::min(learned.least, most);
  const auto usual = std::find_if(kUsual.begin(), kUsual.end(),
                                  [&](conf::Duration each) { return each >= least && each <= most; });
  learned.least = least;
  learned.most = most;
  const conf::Duration silence = most - (learned.row - learned.cycle);
  if (4 * silence < most && most > 1min) {  // the speed was just above the limit
    set_rate(std::max(learned.speed, messages / in_seconds(most)), 1min);
  } else if (in_seconds(most - least) <= kRoughly * in_seconds(most)) {
    const conf::Duration window = usual == kUsual.end() ? (least + most) / 2 : *usual;
    set_rate(messages / in_seconds(window), window);
  }
}

void LearnedPace::set_rate(double limit, conf::Duration window) {
  Learned& learned = *learned_;
  learned.rate = std::max(kBelow * limit, kLeast);
  learned.window = window;
  learned.met = learned.grown = learned.grows = learned.at;
  learned.taken = 0;
}

// No growth while the limit is fresh; then the faster the longer it grows.
void LearnedPace::grow(conf::Instant now) {
  Learned& learned = *learned_;
  const conf::Duration hold =
      std::max<conf::Duration>(learned.confirmed ? kHold : kHold / 2, learned.window / 2);
  const conf::Duration clean = now - learned.met;
  const bool holds =
      clean < hold || (learned.confirmed && learned.taken < kBetween && clean < kBetweenAtMost);
  if (holds) learned.grows = now;
  const double since = in_seconds(now - std::max(learned.grown, learned.grows)) / 60;
  learned.grown = now;
  if (holds || learned.excess > often() / 3) return;
  // What is not used says nothing of the limit.
  const double used = learned.all_taken.in(now) / 60;
  if (used < learned.rate / 4 && now - learned.at > kRemember) return learned_.reset();
  if (used + 1.0 / 60 < kUsed * learned.rate) return;
  const double slower = std::min(
      1.0, (learned.confirmed ? 1 : 5) * in_seconds(kSlowWindow) / std::max(in_seconds(learned.window), 1.0));
  const double faster =
      std::exp2(std::min(in_seconds(now - learned.grows) / in_seconds(hold), learned.confirmed ? 3.0 : 4.0));
  learned.cuts = 0;
  learned.rate *= 1 + kGrowth * slower * faster * std::min(since, 1.0);
}

bool LearnedPace::asked(conf::Instant now, conf::Instant begun) {
  if (learned_ != nullptr && begun < learned_->at) {
    learned_->all_refused.add(now);
    return false;
  }
  const bool known = learned_ != nullptr && (has_rate() || now - learned_->at < kRemember);
  const conf::Duration since = known ? now - learned_->at : kRemember;
  if (!known) learned_ = std::make_unique<Learned>();
  Learned& learned = *learned_;
  learned.all_refused.add(now);
  learned.in_a_row = static_cast<uint8_t>(std::min<int>(learned.in_a_row + 1, 16));
  const bool by_chance = learned.all_refused.in(now) <= kChance * learned.all_taken.in(now);
  learned.certain = static_cast<uint8_t>(std::max(learned.in_a_row - (by_chance ? 1 : 0), 1));
  if (learned.in_a_row == 1) {
    learned.row = now;
    learned.speed = learned.all_taken.in(now) / 60;
  }
  if (learned.certain <= 2) ++learned.excess;
  if (is_limit(now)) meet(now);
  learned.before = learned.at;
  learned.at = now;
  learned.until = now + pause(now, since);
  learned.next = std::max(std::min(learned.next, now), learned.until);  // the refused one has its turn again
  return true;
}

void LearnedPace::turned_away(conf::Instant now) {
  if (!binds(now)) return;
  learned_->all_refused.add(now);
  ++learned_->excess;
  if (learned_->excess >= often() && says_something(now)) meet(now);
}

// Requests in excess that are no chance: the more messages go, the more often chance has its turn.
double LearnedPace::often() const {
  return has_rate() ? 2 + std::log10(std::max(1.0, learned_->rate * 6)) : kVeryOften;
}

// As much is tried as the rate allows.
bool LearnedPace::binds(conf::Instant now) const {
  if (!has_rate()) return false;
  const double tried = learned_->all_taken.in(now) + learned_->all_refused.in(now);
  return tried + 1 >= kUsed * 60 * learned_->rate;
}

// More is refused than comes anyway.
bool LearnedPace::says_something(conf::Instant now) const {
  return learned_->all_refused.in(now) > kAnyway * learned_->all_taken.in(now);
}

bool LearnedPace::is_limit(conf::Instant now) const {
  if (!says_something(now)) return false;
  if (in_a_row() && learned_->met >= learned_->row) return false;  // once for those in a row
  return learned_->certain == 2 ||
         (learned_->certain == 1 && learned_->excess >= often() && (!has_rate() || binds(now)));
}

void LearnedPace::meet(conf::Instant now) {
  Learned& learned = *learned_;
  if (learned.rate == 0) {
    const double taken = learned.all_taken.in(now);
    if (learned.certain > 1 || taken < kEnough) return;  // a silence will tell
    set_rate(taken / 60, 1min);
  } else {
    learned.rate = std::max((learned.certain > 1 ? kCut : kSmallCut) * learned.rate, kLeast);
    learned.confirmed |= learned.taken >= kLong;
    ++learned.cuts;
  }
  learned.met = learned.grown = learned.grows = now;
  learned.taken = 0;
  learned.excess = 0;
  learned.all_refused = {};
  if (learned.cuts <= kMostCuts) return;
  // It asks as often whatever the rate is: no limit of a rate was met.
  learned.rate = 0;
  learned.cuts = 0;
}

conf::Duration LearnedPace::pause(conf::Instant now, conf::Duration since) const {
  const Learned& learned = *learned_;
  if (learned.certain <= 1)
    return has_rate() ? conf::Duration(0) : std::min<conf::Duration>(since / kCheap, kFirst);
  const conf::Duration silent = now - learned.row;
  const conf::Duration longest = std::clamp(silent / kSeldom, kOften, kLongest);
  if (!has_rate() && learned.cycle != conf::Instant::min() && learned.most > conf::Duration(0)) {
    if (now < learned.cycle + learned.least) return std::min(learned.cycle + learned.least - now, longest);
    if (now < learned.cycle + learned.most)
      return std::clamp<conf::Duration>((learned.most - learned.least) / kSteps, kShortest, longest);
  }
  const conf::Duration even = has_rate() ? std::min(duration(2 / learned.rate), kLongest) : kShortest;
  return std::max(even, std::clamp<conf::Duration>(silent, kShortest, longest));
}

void LearnedPace::excuse(conf::Instant now) {
  if (learned_ == nullptr) return;
  if (!has_rate()) return learned_.reset();
  learned_->in_a_row = learned_->certain = 0;
  learned_->until = std::min(learned_->until, now);
  learned_->next = std::min(learned_->next, now);
}

conf::Duration LearnedPace::slack() const { return duration(std::max(0.0, kSpikes - 1 / learned_->rate)); }

void LearnedPace::charge_rate(conf::Instant now) {
  learned_->next = std::max(learned_->next, now) + duration(1 / learned_->rate);
}

uint32_t LearnedPace::available(conf::Instant now) const {
  if (!has_rate()) return UINT32_MAX;
  if (learned_->next - slack() > now) return 0;
  const double ahead = in_seconds(now - std::max(learned_->next - slack(), now - slack()));
  return static_cast<uint32_t>(std::min(1e9, 1 + ahead * learned_->rate));
}

uint32_t LearnedPace::per_hour() const {
  return has_rate() ? static_cast<uint32_t>(std::min(learned_->rate * 3600, 4e9)) : 0;
}

conf::Instant LearnedPace::worth_until() const {
  return learned_ == nullptr ? conf::Instant::min() : std::max(learned_->until, learned_->at + kRemember);
}

bool LearnedPace::as_new(conf::Instant now) const { return worth_until() <= now; }

void LearnedPace::at_most(const LearnedPace& other) {
  if (other.learned_ == nullptr) return;
  const bool slower = !has_rate() || (other.has_rate() && other.learned_->rate < learned_->rate);
  const conf::Instant until = std::max(paused_until(), other.paused_until());
  const conf::Instant next = learned_ == nullptr ? until : std::max(until, learned_->next);
  if (learned_ == nullptr || (slower && other.has_rate()))
    learned_ = std::make_unique<Learned>(*other.learned_);
  learned_->until = until;
  learned_->next = std::max(learned_->next, next);
}

void LearnedPace::save(SavedWriter* out) const {
  out->number(learned_ == nullptr ? 0 : 1);
  if (learned_ == nullptr) return;
  out->number(static_cast<uint64_t>(std::lround(std::min(learned_->rate, 1e6) * kRateUnits)));
  out->length(learned_->window);
  out->number(learned_->in_a_row);
  out->length(std::max(learned_->until - learned_->at, conf::Duration(0)));
  out->instant(learned_->at);
}

void LearnedPace::restore(SavedReader* in, Version version) {
  if (in->number(1) == 0) return;
  Learned learned;
  learned.rate = static_cast<double>(in->number(uint64_t{1'000'000} * kRateUnits)) / kRateUnits;
  if (version == Version::kBefore) {
    constexpr std::array<conf::Duration, 3> kWindows = {1s, 10s, 1min};
    learned.window = kWindows[in->number(2)];
    in->number(1);
  } else {
    learned.window = std::min<conf::Duration>(in->length(), 24h);
  }
  learned.in_a_row = learned.certain = static_cast<uint8_t>(in->number(16));
  const conf::Duration pause = std::min(in->length(), kLongest);
  learned.at = learned.row = learned.met = learned.grown = learned.grows = in->recent_past();
  if (!in->ok()) return;
  if (learned.rate > 0) learned.rate = std::max(learned.rate, kLeast);
  learned.until = learned.next = learned.at + pause;
  learned_ = std::make_unique<Learned>(learned);
}

}  // namespace mx
