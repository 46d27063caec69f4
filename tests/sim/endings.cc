#include "tests/sim/endings.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

// What became of mail is on disk so soon after it was known, or a crash no longer excuses that it is done
// again.
constexpr conf::Duration kWrittenWithin = 5s;

bool is_final(conf::EventKind kind) {
  return kind == conf::EventKind::kDelivered || kind == conf::EventKind::kFailed ||
         kind == conf::EventKind::kExpired || kind == conf::EventKind::kDropped;
}

class Judge {
 public:
  explicit Judge(const Endings& endings) : e_(endings) {}

  std::vector<std::string> all() {
    judge_events();
    for (const auto& [number, identifiers] : e_.ledger->identifiers) judge_handing_in(number, identifiers);
    for (const auto& [key, dots] : e_.ledger->delivery_dots) {
      judge_dots(name_of(key) + ": delivered again", dots);
      const auto reports = e_.ledger->report_dots.find(key);
      if (reports != e_.ledger->report_dots.end()) judge_report(name_of(key), dots, reports->second);
    }
    for (const auto& [key, dots] : e_.ledger->report_dots) judge_reports(name_of(key), dots);
    return std::move(wrong_);
  }

 private:
  static std::string name_of(const Ledger::Delivery& key) { return key.first + " to " + key.second; }
  // The time in which the process went on.
  conf::Duration awake(conf::Instant from, conf::Instant to) const {
    conf::Duration sum = to - from;
    for (const auto& [begin, end] : *e_.stalls)
      sum -= std::max(std::min(end, to) - std::max(begin, from), conf::Duration(0));
    return sum;
  }
  // One came after what was done at `from`, early enough to forget it, and before `to`.
  bool crashed(conf::Instant from, conf::Instant to) const {
    return std::any_of(e_.crashes->begin(), e_.crashes->end(), [&](conf::Instant at) {
      return at >= from && at <= to && awake(from, at) <= kWrittenWithin;
    });
  }
  // A crash before `later` let the relay forget what the event says, or that its line was written.
  bool was_lost(size_t event, conf::Instant later) const {
    const conf::Instant at = (*e_.moments)[event], written = (*e_.written)[event];
    return std::any_of(e_.crashes->begin(), e_.crashes->end(), [&](conf::Instant crash) {
      return crash >= at && crash <= later && (written > crash || awake(written, crash) <= kWrittenWithin);
    });
  }
  std::string between(size_t first, size_t second) const {
    const auto ms = [](conf::Instant at) { return std::to_string(at.time_since_epoch() / 1ms); };
    std::string text = "at " + ms((*e_.moments)[first]) + " (on the disk " + ms((*e_.written)[first]) +
                       ") and " + ms((*e_.moments)[second]) + " ms; crashes:";
    for (const conf::Instant crash : *e_.crashes) text += ' ' + ms(crash);
    return text;
  }
  // When the relay took or made the message. A crash may have come before it could say so: then `otherwise`.
  conf::Instant taken(const std::string& identifier, conf::Instant otherwise) const {
    const auto found = accepted_.find(identifier);
    return found == accepted_.end() ? otherwise : found->second;
  }
  // The relay did not know, at `later`, what was answered to the dot.
  bool excused(const Ledger::Dot& dot, conf::Instant later) const {
    return !*dot.heard || crashed(dot.at, later);
  }
  // A client hands the same message in again when it did not hear our 250.
  void judge_handing_in(uint64_t number, const std::set<std::string>& identifiers) {
    std::set<conf::Instant> moments;
    for (const std::string& each : identifiers) {
      if (const auto found = accepted_.find(each); found != accepted_.end()) moments.insert(found->second);
    }
    for (auto at = moments.begin(); at != moments.end() && std::next(at) != moments.end(); ++at) {
      if (!crashed(*at, *std::next(at)))
        wrong_.push_back("message " + std::to_string(number) + ": taken twice without a crash");
    }
  }
  void judge_dots(const std::string& what, const std::vector<Ledger::Dot>& dots) {
    for (size_t i = 1; i < dots.size(); ++i) {
      if (!excused(dots[i - 1], dots[i].at))
        wrong_.push_back(what + " without an excuse, " + std::to_string((dots[i].at - dots[i - 1].at) / 1ms) +
                         " ms after its last dot");
    }
  }
  // Each report comes once; and there is another one only where a crash let the relay forget that it had made
  // the first.
  void judge_reports(const std::string& name, const std::vector<Ledger::Dot>& dots) {
    std::map<std::string, std::vector<Ledger::Dot>> reports;
    for (const Ledger::Dot& dot : dots) reports[dot.report].push_back(dot);
    std::set<conf::Instant> made;
    for (const auto& [report, each] : reports) {
      judge_dots(name + ": reported again", each);
      if (const auto found = accepted_.find(report); found != accepted_.end()) made.insert(found->second);
    }
    for (auto at = made.begin(); at != made.end() && std::next(at) != made.end(); ++at) {
      if (!crashed(*at, *std::next(at))) wrong_.push_back(name + ": two reports about it without a crash");
    }
  }
  // Delivered, and reported as failed.
  void judge_report(const std::string& name, const std::vector<Ledger::Dot>& dots,
                    const std::vector<Ledger::Dot>& reports) {
    for (const Ledger::Dot& report : reports) {
      const conf::Instant made = taken(report.report, report.at);
      for (const Ledger::Dot& dot : dots) {
        const bool allowed = dot.at <= made ? excused(dot, made) : crashed(made, dot.at);
        if (!allowed) wrong_.push_back(name + ": delivered, and reported as failed");
      }
    }
  }
  // Nobody fails but by the word of their own server, or because no server takes their mail: DNS says so, or
  // their address is of a kind that it does not take.
  void judge_failure(const conf::DeliveryEvent& event, conf::Instant at) {
    const Ledger& ledger = *e_.ledger;
    const std::string domain = event.recipient.substr(event.recipient.rfind('@') + 1);
    if (ledger.nowhere.contains(domain) || ledger.foreign.contains(event.recipient)) return;
    const auto refused = ledger.refused.find(event.recipient);
    if (refused != ledger.refused.end() && refused->second.front() <= at) return;
    wrong_.push_back(conf::to_text(event.id) + " to " + event.recipient +
                     ": failed, and its receiver refused it never: " + std::to_string(event.reply_code) +
                     ' ' + event.reply);
  }
  void judge_events() {
    std::map<conf::MessageId, uint32_t> accepted;  // recipients
    std::map<std::pair<conf::MessageId, std::string>, size_t> finals;
    std::map<conf::MessageId, size_t> latest;  // end of each
    for (size_t i = 0; i < e_.events->size(); ++i) {
      const conf::DeliveryEvent& event = (*e_.events)[i];
      const conf::Instant at = (*e_.moments)[i];
      const std::string name = conf::to_text(event.id) + " to " + event.recipient;
      const bool report = event.kind == conf::EventKind::kReportSent;
      if (report || event.kind == conf::EventKind::kAccepted) {
        accepted[event.id] = report ? 1 : event.recipients;
        accepted_.emplace(conf::to_text(event.id), at);
      }
      if (event.kind == conf::EventKind::kDeferred && event.next_attempt < event.time)
        wrong_.push_back(name + ": its next attempt lies in the past");
      if (event.kind == conf::EventKind::kFailed) judge_failure(event, at);
      if (!is_final(event.kind)) continue;
      // Which lines of a message were lost nobody knows after a crash: all its ends are told again.
      const bool restored = event.stage == conf::Stage::kRestored;
      if (!restored) latest[event.id] = i;
      const auto [before, first] = finals.try_emplace({event.id, event.recipient}, i);
      if (!first && !was_lost(restored ? latest[event.id] : before->second, at))
        wrong_.push_back(name + ": it ended twice, " + between(before->second, i));
      before->second = i;
    }
    for (const auto& [key, last] : finals) {
      const auto message = accepted.find(key.first);
      if (message != accepted.end() && message->second > 0) --message->second;
    }
    for (const auto& [id, recipients] : accepted) {
      if (recipients > 0)
        wrong_.push_back(conf::to_text(id) + ": " + std::to_string(recipients) + " recipients never ended");
    }
  }

  const Endings& e_;
  std::map<std::string, conf::Instant> accepted_;  // identifier of the message: when
  std::vector<std::string> wrong_;
};

}  // namespace

std::vector<std::string> judge_endings(const Endings& endings) { return Judge(endings).all(); }

std::vector<std::string> what_is_left(relay::Transit* transit) {
  std::vector<std::string> left;
  const auto none = [&left](uint64_t count, const std::string& what) {
    if (count > 0) left.push_back(std::to_string(count) + " " + what);
  };
  none(transit->deliveries().deliveries(), "deliveries");
  none(transit->deliveries().messages(), "messages with deliveries");
  none(transit->resting().scheduled(), "scheduled");
  none(transit->resting().held(), "held");
  none(transit->resting().paused(), "paused");
  none(transit->messages().size(), "messages in memory");
  none(transit->messages().used_bytes(), "octets of messages");
  none(transit->messages().loading(), "messages being loaded");
  none(transit->attempts().size(), "attempts left open");
  const relay::Dispatcher& dispatcher = transit->dispatcher();
  none(dispatcher.ready(), "ready");
  none(dispatcher.in_flight(), "in flight");
  none(dispatcher.connections(), "connections");
  transit->sites().for_each([&](relay::queue::Path* path) {
    const std::string at = " of " + path->site->label;
    none(path->ready.size(), "deliveries" + at);
    none(path->connections.size(), "connections" + at);
    none(path->connections.opening(), "openings" + at);
    none(path->connections.idle().size(), "idle connections" + at);
    none(path->work.starves() ? 1 : 0, "starving path" + at);
    none(path->waits.lines(), "lines that the path stands in" + at);
    none(path->counters.standing->connections(), "counted connections" + at);
    for (const auto* counted : {&path->counters.traffic, &path->counters.hosts}) {
      for (const auto& [name, traffic] : *counted)
        none(traffic->connections(), "connections counted at " + name);
    }
  });
  return left;
}

}  // namespace sim
