#include "tests/sim/mx_judge.h"

#include <algorithm>
#include <deque>
#include <map>

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

// A message is counted when the relay decides to send it. The network of the simulation takes up to 20 ms for
// its MAIL, and when the message before was refused, RSET goes first and back: three ways. That is what a
// MAIL may be seen late after a block; the sliding windows get no such tolerance, for the guard of the
// limiter is there for it.
constexpr conf::Duration kLatency = 61ms;
// A connection that the relay has closed is seen open for up to 25 ms longer, a new one at once.
constexpr conf::Duration kOverlap = 60ms;
// Counters are saved every two seconds; the write takes a moment. Whatever was decided since the last save is
// not known after a crash: it is decided again from what comes.
constexpr conf::Duration kUnsaved = 2500ms;
// After a reload the messages under way are those of the old rule.
constexpr conf::Duration kReload = 1s;

// So many connections may end without a message before the first one.
constexpr uint64_t kFew = 20;

using Judged = std::map<std::string, std::vector<size_t>>;  // name of counters -> mails

class Judge {
 public:
  explicit Judge(const History& history) : history_(history) {}
  std::vector<std::string> run();

 private:
  struct Phase {
    enum class Is { kOpen, kBlocked, kRamp, kUnknown } is = Is::kOpen;
    conf::Instant since{}, until{};
    size_t cause = 0;  // threshold
    uint32_t probes_begun = 0;
    std::map<int64_t, uint32_t> of_minute;
    conf::Instant begun{};     // of the block: it may go on after an early probe
    uint32_t early_begun = 0;  // early probes of it
  };

  void violate(std::string what) {
    if (violations_.size() < 20) violations_.push_back(std::move(what));
  }
  const SeenSession& session_of(const SeenMail& mail) const { return history_.sessions[mail.session]; }
  const DrawnRule& rule_of(const SeenSession& session) const {
    return history_.rules[history_.rule_of[session.site][session.source]];
  }
  // The largest of the values that held at some time from `from` to `to`; 0 is no limit, hence the largest.
  template <typename Get>
  uint64_t most(const DrawnRule& rule, conf::Instant from, conf::Instant to, const Get& get) const;
  template <typename Get>
  void judge_window(const Judged& mails, conf::Duration window, conf::Duration memory, const char* what,
                    const Get& get);
  void judge_windows();
  void judge_ladders(const Judged& standings);
  void judge_connections();
  void judge_sessions();
  void judge_unused();
  void judge_blocks();
  void judge_evidence(const SeenDecision& decision, bool on_ramp);
  uint64_t early_probes(const DrawnRule& rule, const Phase& phase, conf::Instant at) const;
  void decide(const SeenDecision& decision, Phase* phase);
  void judge_mail(const SeenMail& mail, Phase* phase);
  void judge_crash(conf::Instant crash, Phase* phase);
  bool answered(const SeenMail& mail) const;

  const History& history_;
  std::vector<std::string> violations_;
};

std::string at_text(conf::Instant at) {
  return "at " + std::to_string(at.time_since_epoch().count()) + " us: ";
}

template <typename Get>
uint64_t Judge::most(const DrawnRule& rule, conf::Instant from, conf::Instant to, const Get& get) const {
  uint64_t largest = 0;
  for (size_t i = 0; i < rule.versions.size(); ++i) {
    const bool over = i + 1 < rule.versions.size() && rule.versions[i + 1].first <= from;
    if (over || rule.versions[i].first > to) continue;
    const uint64_t value = get(rule.versions[i].second);
    largest = std::max(largest, value == 0 ? UINT64_MAX : value);
  }
  return largest;
}

// No window of the length, wherever it begins, holds more than the limit of the time at which it ends.
// `memory`: limits of so long ago may still be felt.
template <typename Get>
void Judge::judge_window(const Judged& counters, conf::Duration window, conf::Duration memory,
                         const char* what, const Get& get) {
  for (const auto& [name, mails] : counters) {
    size_t first = 0;
    for (size_t i = 0; i < mails.size(); ++i) {
      const conf::Instant at = history_.mails[mails[i]].at;
      while (history_.mails[mails[first]].at <= at - window) ++first;
      const DrawnRule& rule = rule_of(session_of(history_.mails[mails[i]]));
      const uint64_t limit = most(rule, at - memory, at, get);
      if (i - first + 1 > limit) {
        violate(at_text(at) + name + ": " + std::to_string(i - first + 1) + " messages within " +
                std::to_string(window / 1s) + " s, " + what + " allows " + std::to_string(limit));
        break;
      }
    }
  }
}

void Judge::judge_windows() {
  Judged traffics, standings;
  for (size_t i = 0; i < history_.mails.size(); ++i) {
    const SeenSession& session = session_of(history_.mails[i]);
    traffics[traffic_name(history_, session.site, session.source, session.address)].push_back(i);
    // What got no answer is taken back from what is learned and from the ladder.
    if (answered(history_.mails[i]))
      standings[standing_name(history_, session.site, session.source)].push_back(i);
  }
  judge_window(traffics, 1h, kReload, "messages_per_hour",
               [](const DrawnLimits& limits) { return limits.messages_per_hour; });
  judge_window(traffics, 1min, 1min + kReload, "rate", [](const DrawnLimits& limits) { return limits.rate; });
  judge_window(standings, 1h, kReload, "adaptive_max",
               [](const DrawnLimits& limits) { return limits.advise ? 0 : limits.adaptive_max; });
  judge_ladders(standings);
}

// A ladder rises by a step a day at most.
void Judge::judge_ladders(const Judged& standings) {
  for (const auto& [name, mails] : standings) {
    const DrawnRule& rule = rule_of(session_of(history_.mails[mails.front()]));
    const std::vector<uint32_t>& steps = rule.versions.back().second.warmup;
    if (steps.empty() || rule.scope == CountedBy::kPool) continue;
    if (session_of(history_.mails[mails.front()]).source + 1 != history_.rule_of.front().size()) continue;
    const conf::Instant begin = history_.mails[mails.front()].at;
    size_t first = 0;
    for (size_t i = 0; i < mails.size(); ++i) {
      const conf::Instant at = history_.mails[mails[i]].at;
      while (history_.mails[mails[first]].at <= at - 24h) ++first;
      const auto day = static_cast<size_t>((at - begin + kLatency) / 24h);
      if (history_.new_source && day < steps.size() && i - first + 1 > steps[day])
        return violate(at_text(at) + name + ": " + std::to_string(i - first + 1) + " messages on day " +
                       std::to_string(day + 1) + " of the ladder, allowed " + std::to_string(steps[day]));
    }
  }
}

void Judge::judge_connections() {
  std::map<std::string, std::vector<const SeenSession*>> open;
  for (const SeenSession& session : history_.sessions) {
    const std::string name = traffic_name(history_, session.site, session.source, session.address);
    std::vector<const SeenSession*>& all = open[name];
    std::erase_if(all, [&](const SeenSession* s) { return s->closed <= session.opened + kOverlap; });
    if (session.closed > session.opened + kOverlap) all.push_back(&session);
    const uint64_t limit = most(rule_of(session), session.opened - kReload, session.opened,
                                [](const DrawnLimits& limits) { return limits.max_connections; });
    if (all.size() > limit)
      violate(at_text(session.opened) + name + ": " + std::to_string(all.size()) +
              " connections at once, allowed " + std::to_string(limit));
  }
}

void Judge::judge_sessions() {
  for (const SeenSession& session : history_.sessions) {
    const uint64_t limit = most(rule_of(session), session.opened, session.closed,
                                [](const DrawnLimits& limits) { return limits.messages_per_connection; });
    if (session.mails.size() > limit)
      violate(at_text(session.opened) + std::to_string(session.mails.size()) +
              " messages over one connection, allowed " + std::to_string(limit));
  }
}

// The relay surely got the word on it.
bool Judge::answered(const SeenMail& mail) const {
  const SeenSession& session = session_of(mail);
  if (mail.said == conf::kNever) return false;
  return session.how != PeerWatch::End::kBroken || session.closed - mail.said > 100ms;
}

// A connection is opened for a message: what ends without one lost it to another connection, perhaps to
// another host of the site, or to a failure. No host sees more of those than its site sees messages and
// failures.
void Judge::judge_unused() {
  std::map<size_t, uint64_t> causes;  // by site
  std::map<std::pair<size_t, std::string>, uint64_t> unused;
  for (const SeenSession& session : history_.sessions) {
    causes[session.site] += session.mails.size() + (session.how != PeerWatch::End::kQuit ? 1 : 0);
    unused[{session.site, session.address}] += session.mails.empty() ? 1 : 0;
  }
  for (const SeenReply& reply : history_.replies)
    causes[history_.sessions[reply.session].site] += reply.code >= 400 ? 1 : 0;
  for (const auto& [host, count] : unused) {
    const uint64_t most = causes[host.first] + kFew;
    if (count > most)
      violate("site " + std::to_string(host.first) + ", " + host.second + ": " + std::to_string(count) +
              " connections without a message, of the site's messages and failures came at most " +
              std::to_string(most));
  }
}

// How many messages may have gone so far into the block: one when first_probe is over, one when twice as
// much is, and so on.
uint64_t Judge::early_probes(const DrawnRule& rule, const Phase& phase, conf::Instant at) const {
  conf::Duration first = conf::Duration::max();
  for (size_t i = 0; i < rule.versions.size(); ++i) {
    const bool over = i + 1 < rule.versions.size() && rule.versions[i + 1].first <= phase.begun;
    const auto& thresholds = rule.versions[i].second.thresholds;
    if (over || rule.versions[i].first > at || phase.cause >= thresholds.size()) continue;
    if (thresholds[phase.cause].first_probe.count() != 0)
      first = std::min(first, thresholds[phase.cause].first_probe);
  }
  uint64_t probes = 0;
  for (conf::Duration after = first; after <= at - phase.begun; after *= 2) ++probes;
  return probes;
}

void Judge::decide(const SeenDecision& decision, Phase* phase) {
  const conf::DecisionAction action = decision.what->action;
  const DrawnRule& rule = history_.rules[history_.rule_of[decision.site][decision.source]];
  if (action == conf::DecisionAction::kBlock) {
    judge_evidence(decision, phase->is == Phase::Is::kRamp);
    const bool goes_on = phase->is != Phase::Is::kOpen && phase->until == decision.until;
    const Phase before = *phase;
    *phase = {Phase::Is::kBlocked, decision.at, decision.until, before.cause, 0, {}, decision.at, 0};
    if (goes_on) {
      phase->begun = before.begun;
      phase->early_begun = before.early_begun;
    } else if (decision.what->by.rfind("threshold ", 0) == 0)
      phase->cause = static_cast<size_t>(std::stoi(decision.what->by.substr(10))) - 1;
  } else if (action == conf::DecisionAction::kRamp) {
    if (phase->is == Phase::Is::kBlocked && decision.at < phase->until &&
        early_probes(rule, *phase, decision.at) == 0)
      violate(at_text(decision.at) + "a ramp before the block was over");
    phase->is = Phase::Is::kRamp;
    phase->since = decision.at;
    phase->probes_begun = 0;
    phase->of_minute.clear();
  } else if (action == conf::DecisionAction::kOpen || action == conf::DecisionAction::kUnblock ||
             action == conf::DecisionAction::kReset) {
    phase->is = Phase::Is::kOpen;
  }
}

void Judge::judge_mail(const SeenMail& mail, Phase* phase) {
  const SeenSession& session = session_of(mail);
  const DrawnRule& rule = rule_of(session);
  const std::string name = at_text(mail.at) + standing_name(history_, session.site, session.source) + ": ";
  const auto probes = [&] {
    return most(rule, phase->since, mail.at, [phase](const DrawnLimits& limits) {
      return limits.thresholds.empty() ? 0 : limits.thresholds[phase->cause].probes;
    });
  };
  if (phase->is == Phase::Is::kBlocked && mail.at < phase->until) {
    if (mail.at <= phase->since + kLatency) return;
    phase->early_begun += answered(mail) ? 1 : 0;
    if (phase->early_begun > early_probes(rule, *phase, mail.at) || early_probes(rule, *phase, mail.at) == 0)
      violate(name + "a message during a block");
  } else if (phase->is == Phase::Is::kBlocked) {
    phase->probes_begun += answered(mail) ? 1 : 0;
    if (phase->probes_begun > probes())
      violate(name + std::to_string(phase->probes_begun) + " probes, allowed " + std::to_string(probes()));
  } else if (phase->is == Phase::Is::kRamp && mail.at > phase->since + kLatency && answered(mail)) {
    const int64_t minute = (mail.at - phase->since) / 1min;
    if (minute >= 10 || (mail.at - phase->since) % 1min < kLatency) return;
    const uint64_t allowed = 2 * probes() << minute;
    if (++phase->of_minute[minute] > allowed)
      violate(name + "more than " + std::to_string(allowed) + " messages in minute " +
              std::to_string(minute + 1) + " of the ramp");
  }
}

void Judge::judge_crash(conf::Instant crash, Phase* phase) {
  if (phase->is != Phase::Is::kOpen && crash - phase->since < kUnsaved) phase->is = Phase::Is::kUnknown;
  phase->probes_begun = 0;  // those in flight may begin again
  if (phase->early_begun != 0) --phase->early_begun;
}

// The sample that a threshold tripped on was really seen: nothing of our own was counted, and no reply twice.
void Judge::judge_evidence(const SeenDecision& decision, bool on_ramp) {
  if (decision.what->by.rfind("threshold ", 0) != 0) return;
  const DrawnRule& rule = history_.rules[history_.rule_of[decision.site][decision.source]];
  const auto index = static_cast<size_t>(std::stoi(decision.what->by.substr(10))) - 1;
  const auto window = conf::Duration(
      static_cast<int64_t>(most(rule, conf::Instant{}, decision.at, [index](const DrawnLimits& limits) {
        return limits.thresholds[index].window.count();
      })));
  const std::string name = standing_name(history_, decision.site, decision.source);
  uint64_t words = 0, refusals = 0;
  conf::Instant first_refusal = conf::kNever;
  for (const SeenReply& reply : history_.replies) {
    const SeenSession& session = history_.sessions[reply.session];
    if (reply.at > decision.at || reply.at <= decision.at - window - window / 32 - 1s) continue;
    if (standing_name(history_, session.site, session.source) != name) continue;
    const size_t meant = reply.recipients == PeerWatch::kAll ? history_.most_recipients
                                                             : std::max<size_t>(reply.recipients, 1);
    words += meant;
    if (reply.code < 400) continue;
    refusals += meant;
    first_refusal = std::min(first_refusal, reply.at);
  }
  // A connection that was lost in a transaction is a soft failure, without a word of the receiver.
  for (const SeenSession& session : history_.sessions) {
    if (session.how != PeerWatch::End::kBroken || session.opened > decision.at) continue;
    if (session.closed <= decision.at - window - window / 32 - 1s) continue;
    if (standing_name(history_, session.site, session.source) != name) continue;
    words += history_.most_recipients;
    refusals += history_.most_recipients;
    first_refusal = std::min(first_refusal, session.closed);
  }
  if (decision.what->messages > words || decision.what->errors > refusals) {
    violate(at_text(decision.at) + name + ": blocked for " + std::to_string(decision.what->errors) + " of " +
            std::to_string(decision.what->messages) + ", but receivers said only " +
            std::to_string(refusals) + " of " + std::to_string(words));
  }
  const auto least = [&](const auto& get) {
    uint64_t smallest = UINT64_MAX;
    for (const auto& [since, limits] : rule.versions)
      if (since <= decision.at) smallest = std::min<uint64_t>(smallest, get(limits.thresholds[index]));
    return smallest;
  };
  const uint64_t rate = least([](const DrawnThreshold& t) { return t.error_rate_ppm; });
  const uint64_t sample =
      least([](const DrawnThreshold& t) { return std::min(t.min_messages, 4 * t.probes); });
  if (decision.what->messages < sample || decision.what->errors * 1'000'000 < rate * decision.what->messages)
    violate(at_text(decision.at) + name + ": blocked below its threshold");
  const auto lasting = conf::Duration(
      static_cast<int64_t>(least([](const DrawnThreshold& t) { return t.min_duration.count(); })));
  if (!on_ramp && decision.at - first_refusal < lasting - kLatency)
    violate(at_text(decision.at) + name + ": blocked before the errors had gone on for min_duration");
}

void Judge::judge_blocks() {
  std::map<std::string, Phase> phases;
  size_t mail = 0, decision = 0, crash = 0;
  const auto time = [](const auto& all, size_t i) { return i < all.size() ? all[i].at : conf::kNever; };
  for (;;) {
    const conf::Instant of_mail = time(history_.mails, mail),
                        of_decision = time(history_.decisions, decision);
    const conf::Instant of_crash = crash < history_.crashes.size() ? history_.crashes[crash] : conf::kNever;
    const conf::Instant next = std::min({of_mail, of_decision, of_crash});
    if (next == conf::kNever) return;
    if (next == of_decision) {
      const SeenDecision& what = history_.decisions[decision++];
      decide(what, &phases[standing_name(history_, what.site, what.source)]);
    } else if (next == of_crash) {
      for (auto& [name, phase] : phases) judge_crash(next, &phase);
      ++crash;
    } else {
      const SeenSession& session = session_of(history_.mails[mail]);
      judge_mail(history_.mails[mail++], &phases[standing_name(history_, session.site, session.source)]);
    }
  }
}

std::vector<std::string> Judge::run() {
  judge_windows();
  judge_connections();
  judge_sessions();
  judge_unused();
  judge_blocks();
  return violations_;
}

std::string name_of(const DrawnRule& rule, size_t site, size_t source) {
  return rule.name + '|' + (rule.one_site ? "*" : std::to_string(site)) + '|' +
         (rule.scope == CountedBy::kPool ? "*" : std::to_string(source));
}

}  // namespace

std::string traffic_name(const History& history, size_t site, size_t source, const std::string& address) {
  const DrawnRule& rule = history.rules[history.rule_of[site][source]];
  return name_of(rule, site, source) + '|' + (rule.scope == CountedBy::kPath ? address : "*");
}

std::string standing_name(const History& history, size_t site, size_t source) {
  return name_of(history.rules[history.rule_of[site][source]], site, source);
}

std::vector<std::string> judge_limits(const History& history) { return Judge(history).run(); }

}  // namespace sim
