#include "relay/walk/delay_reports.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "conf/standard_error.h"
#include "relay/journal/events.h"
#include "relay/walk/disk_retry.h"

namespace relay {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr size_t kLookedAtInAStep = 2000;
constexpr size_t kMostUnderWay = 32;
constexpr conf::Duration kLeastPause = 100ms;
constexpr conf::Duration kMostPause = 1min;  // messages that were delivered meanwhile are forgotten then

bool tells_unasked(const conf::Config& config) {
  return config.defaults.delay_reports ||
         std::ranges::any_of(config.destinations, [](const conf::Destination& destination) {
           return destination.settings.delay_reports;
         });
}

}  // namespace

DelayReports::DelayReports(Parts parts)
    : parts_(std::move(parts)), also_unasked_(tells_unasked(*parts_.config)) {}

void DelayReports::reload(conf::ConfigPtr config) {
  parts_.config = std::move(config);
  also_unasked_ = tells_unasked(*parts_.config);
}

conf::WallTime DelayReports::due_of(const spool::MessageRecord& record) const {
  conf::WallTime due = conf::WallTime::max();
  if (record.envelope.reverse_path.is_null()) return due;
  for (const spool::RecipientRecord& recipient : record.recipients) {
    if (recipient.state != spool::RecipientState::kPending || recipient.delay_told) continue;
    const uint8_t notify = recipient.recipient.notify;
    if ((notify & conf::kNotifyDelay) == 0 && (notify != conf::kNotifyDefault || !also_unasked_)) continue;
    const conf::DestinationSettings& settings =
        parts_.config->settings_for(recipient.recipient.mailbox.domain.text());
    if (wants_delay_report(record, recipient.recipient, settings))
      due = std::min(due, record.accepted_at + settings.delay_report_after);
  }
  return due;
}

std::vector<ReportLine> DelayReports::late_ones(const spool::MessageRecord& record,
                                                conf::WallTime wall) const {
  std::vector<ReportLine> lines;
  for (uint32_t index = 0; index < record.recipients.size(); ++index) {
    const spool::RecipientRecord& recipient = record.recipients[index];
    if (recipient.state != spool::RecipientState::kPending || recipient.delay_told) continue;
    const conf::DestinationSettings& settings =
        parts_.config->settings_for(recipient.recipient.mailbox.domain.text());
    if (!wants_delay_report(record, recipient.recipient, settings) ||
        record.accepted_at + settings.delay_report_after > wall)
      continue;
    ReportLine line;
    line.recipient = index;
    line.action = bounce::DsnAction::kDelayed;
    line.retry_until = parts_.clock->calendar(record.accepted_at + settings.retry.validity);
    lines.push_back(line);
  }
  return lines;
}

void DelayReports::queued(const spool::MessageRecord& record) {
  const conf::WallTime due = due_of(record);
  if (due != conf::WallTime::max()) add({due, record.id});
}

void DelayReports::add(Entry entry) {
  waiting_.push_back(entry);
  first_due_ = std::min(first_due_, entry.due);
  const conf::Duration wait = std::clamp(entry.due - parts_.clock->wall(), kLeastPause, kMostPause);
  next_look_ = std::min(next_look_, parts_.clock->now() + wait);
}

void DelayReports::step(conf::Instant now) {
  if (now < next_look_) return;
  if (left_ == 0) {
    left_ = waiting_.size();
    first_due_ = conf::WallTime::max();
  }
  const conf::WallTime wall = parts_.clock->wall();
  for (size_t i = 0; i < kLookedAtInAStep && left_ > 0; ++i) {
    const Entry entry = waiting_[--left_];
    if (look_at(entry, wall)) {
      first_due_ = std::min(first_due_, entry.due);
    } else {
      // What stands behind `left_` was looked at already, or came meanwhile and is looked at next time.
      waiting_[left_] = waiting_.back();
      waiting_.pop_back();
    }
  }
  if (waiting_.empty()) {
    next_look_ = conf::kNever;
  } else if (left_ > 0) {
    next_look_ = now + kLeastPause;
  } else {
    next_look_ = now + std::clamp(std::max(first_due_, wall) - wall, kLeastPause, kMostPause);
  }
}

conf::Instant DelayReports::next_wake() const { return next_look_; }

// Whether the entry stays.
bool DelayReports::look_at(const Entry& entry, conf::WallTime wall) {
  if (parts_.deliveries->find(entry.id) == nullptr) return false;
  if (entry.due > wall || under_way_ >= kMostUnderWay) return true;
  ++under_way_;
  parts_.messages->pin(entry.id, true, [this, id = entry.id](conf::Result<queue::Message*> message) {
    if (message.ok()) {
      tell(*message);
    } else {
      --under_way_;  // its delivery finds out too, and says so
      add({parts_.clock->wall() + kDiskRetry, id});
    }
  });
  return false;
}

// In memory: nobody else makes the report meanwhile.
void DelayReports::mark(queue::Message* message, const std::vector<ReportLine>& lines, bool told) {
  for (const ReportLine& line : lines) message->record.recipients[line.recipient].delay_told = told;
}

// After the report is stored: a crash between the two makes it twice, and loses none.
void DelayReports::write_down(const queue::Message& message, const std::vector<ReportLine>& lines) {
  std::vector<std::string> domains;
  domains.reserve(lines.size());
  for (const ReportLine& line : lines)
    domains.push_back(message.record.recipients[line.recipient].recipient.mailbox.domain.text());
  std::ranges::sort(domains);
  domains.erase(std::unique(domains.begin(), domains.end()), domains.end());
  for (std::string& domain : domains)
    parts_.spool->update(message.record, message.of(conf::Domain::from_canonical(std::move(domain))));
}

// `message` is pinned for it.
void DelayReports::tell(queue::Message* message) {
  const conf::MessageId id = message->record.id;
  const conf::WallTime wall = parts_.clock->wall();
  std::vector<ReportLine> lines;
  if (parts_.deliveries->find(id) != nullptr) lines = late_ones(message->record, wall);
  if (lines.empty()) {
    if (parts_.deliveries->find(id) != nullptr) queued(message->record);
    parts_.messages->unpin(message);
    --under_way_;
    return;
  }
  ReportMail mail = write_report(message->record, message->body.view(), lines, *parts_.config, *parts_.clock,
                                 parts_.spool->next_id(wall));
  mark(message, lines, true);
  auto kept = std::make_shared<spool::MessageRecord>(mail.record);
  parts_.spool->store(
      std::move(mail.record), mail.body,
      [this, message, id, lines, kept, body = mail.body](conf::Result<spool::Receipt> stored) {
        --under_way_;
        const bool queued_still = parts_.deliveries->find(id) != nullptr;
        if (stored.ok()) {
          if (queued_still) write_down(*message, lines);
          parts_.journal->append(journal::report_sent(*kept, parts_.clock->today()));
          parts_.take(std::move(*kept), body);
          if (queued_still) queued(message->record);  // others may be late at another time
        } else if (queued_still) {
          conf::say("message " + conf::to_text(id) + ": the report about its delay could not be stored (" +
                    stored.error().detail + "); it is made again " + kDiskRetryText);
          mark(message, lines, false);
          add({parts_.clock->wall() + kDiskRetry, id});
        }
        parts_.messages->unpin(message);
      });
}

}  // namespace relay
