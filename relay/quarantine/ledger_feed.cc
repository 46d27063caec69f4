#include "relay/quarantine/ledger_feed.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "conf/vocab/address.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

using conf::EventKind;

constexpr conf::Duration kPatience = 10min;
// In place of the number of a try: they came hours after the last one.
constexpr uint32_t kCameBack = 0xffff'fffe, kComplaint = 0xffff'ffff;

// The recipient's own word. "Not spam", and a report about our own signature or SPF, are none.
bool is_complaint(const conf::DeliveryEvent& event) {
  return event.kind == EventKind::kComplained && event.confirmed && event.type == conf::ErrorType::kHard;
}

std::optional<bounce::Outcome> outcome_of(const conf::DeliveryEvent& event) {
  if (event.stage == conf::Stage::kRestored) return std::nullopt;  // it was counted before the restart
  switch (event.kind) {
    case EventKind::kDelivered:
      return bounce::Outcome::kDelivered;
    case EventKind::kDeferred:
      if (event.limit != conf::Bind::kNothing) return std::nullopt;  // nothing was tried
      return bounce::Outcome::kDeferred;
    case EventKind::kFailed:
      if (event.notice != nullptr) return std::nullopt;  // its kSuppressed was counted
      return bounce::Outcome::kFailed;
    case EventKind::kExpired:
      return bounce::Outcome::kExpired;
    case EventKind::kDropped:
      return bounce::Outcome::kDropped;
    case EventKind::kComplained:
      return is_complaint(event) ? std::optional(bounce::Outcome::kComplaint) : std::nullopt;
    case EventKind::kSuppressed:
      return bounce::Outcome::kQuarantined;
    default:
      return std::nullopt;
  }
}

// "550 5.1.1 no such user"
std::string text_of(const conf::DeliveryEvent& event) {
  return event.reply_code == 0 ? event.reply : std::to_string(event.reply_code) + ' ' + event.reply;
}

bounce::Qualification meaning_of(const conf::DeliveryEvent& event) {
  bounce::Qualification meaning;
  if (event.type) meaning.type = *event.type;
  if (event.reason) meaning.reason = *event.reason;
  if (event.scope) meaning.scope = *event.scope;
  meaning.rule = event.rule;
  return meaning;
}

bounce::AddressOutcome told(const conf::DeliveryEvent& event, const std::string& text) {
  bounce::AddressOutcome outcome;
  const std::string_view sender = event.reverse_path;
  const size_t at = sender.rfind('@');
  if (at != std::string_view::npos) outcome.sender_domain = sender.substr(at + 1);
  outcome.user = event.auth;
  outcome.site = event.site.empty() ? event.mx_host : event.site;
  outcome.mx_host = event.mx_host;
  outcome.source = event.source;
  outcome.now = event.time;
  outcome.text = text;
  return outcome;
}

}  // namespace

LedgerFeed::LedgerFeed(bounce::QuarantineBook* book, std::function<Progress()> progress,
                       std::function<void(const std::string&)> say)
    : book_(book), progress_(std::move(progress)), say_(std::move(say)) {}

void LedgerFeed::take(uint64_t sequence, const conf::DeliveryEvent& event) {
  came_back(event);
  count(event);
  const Progress progress = progress_();
  if (marks_.empty() && progress.done >= progress.given) {
    through_.store(sequence, std::memory_order_release);
  } else if (!marks_.empty() && marks_.back().given == progress.given) {
    marks_.back().sequence = sequence;
  } else {
    marks_.push_back({sequence, progress.given});
  }
}

void LedgerFeed::count(const conf::DeliveryEvent& event) {
  std::optional<bounce::Outcome> what = outcome_of(event);
  if (late_ && event.kind == EventKind::kBounced && event.confirmed &&
      event.type != conf::ErrorType::kIgnored)
    what = bounce::Outcome::kFailed;
  if (!what) return;
  // A receiver may send its report as often as it likes.
  const bool reported = event.kind == EventKind::kBounced || event.kind == EventKind::kComplained;
  if (reported && !first_.is_first(event)) return;
  const std::string text = text_of(event);
  const bounce::Qualification meaning = meaning_of(event);
  book_->count(*what, told(event, text), event.type || event.reason ? &meaning : nullptr);
}

// Only what our own signature vouches for may count against an address: bounces are forged every day.
void LedgerFeed::came_back(const conf::DeliveryEvent& event) {
  const bool complaint = is_complaint(event);
  if (!event.confirmed || (!complaint && event.kind != EventKind::kBounced)) return;
  const conf::Result<conf::Mailbox> mailbox = conf::Mailbox::parse(event.recipient);
  if (!mailbox.ok()) return;
  const std::string text = text_of(event);
  bounce::AddressOutcome outcome = told(event, text);
  outcome.message = event.id;
  outcome.attempt = complaint ? kComplaint : kCameBack;
  outcome.recipient = &mailbox.value();
  outcome.late = true;
  if (complaint) {
    book_->complained(outcome, conf::Reason::kRefused);
  } else if (event.scope) {
    (void)book_->refused(outcome, meaning_of(event));  // nothing is left to be tried again
  }
}

void LedgerFeed::step(conf::Instant now) {
  if (moved_ == conf::Instant{}) moved_ = now;
  const uint64_t done = progress_().done;
  uint64_t through = 0;
  while (!marks_.empty() && marks_.front().given <= done) {
    through = marks_.front().sequence;
    marks_.pop_front();
  }
  if (through == 0 && !marks_.empty() && now - moved_ > kPatience) {
    through = marks_.back().sequence;
    marks_.clear();
    if (!std::exchange(complained_, true))
      say_(
          "quarantine: the ledger could not be written for ten minutes; finished messages leave the spool, "
          "and what a crash would find in memory only is lost to the quarantine");
  } else if (through != 0) {
    complained_ = false;
  }
  if (through != 0 || marks_.empty()) moved_ = now;
  if (through != 0) through_.store(through, std::memory_order_release);
}

}  // namespace relay
