#include "relay/desk/decision_notices.h"

#include <utility>

namespace relay {

namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

// Orders are told when they are given.
bool is_news(const conf::SiteDecision& decision) {
  if (decision.ordered) return false;
  return decision.action == conf::DecisionAction::kBlock || decision.action == conf::DecisionAction::kOpen;
}

// Nothing of a remote text: the replies that led to it are in the delivery log.
std::string line_of(const conf::SiteDecision& decision) {
  const bool blocked = decision.action == conf::DecisionAction::kBlock;
  std::string line = (blocked ? "blocked: " : "open again: ") + decision.site + " from " + decision.source;
  if (!decision.rule.empty()) line += " (rule " + decision.rule + ", " + decision.by + ")";
  if (blocked && decision.messages != 0)
    line += ": " + std::to_string(decision.errors) + " of " + std::to_string(decision.messages) +
            " messages were errors; see penstock mx status";
  return line;
}

}  // namespace

void DecisionNotices::take(uint64_t sequence, const conf::DeliveryEvent& event) {
  if (event.kind == conf::EventKind::kDecision && event.decision != nullptr && is_news(*event.decision))
    tell(line_of(*event.decision));
  through_.store(sequence, std::memory_order_relaxed);
}

void DecisionNotices::tell(const std::string& line) {
  const conf::Instant now = clock_->now();
  if (minute_ == conf::kNever || now - minute_ >= 1min) {
    if (unsaid_ > 0) say_("and " + std::to_string(unsaid_) + " more sites were blocked or opened");
    minute_ = now;
    said_ = unsaid_ = 0;
  }
  if (said_ >= kMost) {
    ++unsaid_;
    return;
  }
  ++said_;
  say_(line);
}

}  // namespace relay
