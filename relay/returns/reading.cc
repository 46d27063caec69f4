#include "relay/returns/reading.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bounce/diagnostic.h"
#include "bounce/report/evidence.h"
#include "bounce/report/meaning.h"
#include "bounce/report/report.h"
#include "conf/vocab/ascii.h"
#include "conf/vocab/utf8.h"

namespace relay::returns {

namespace {

using bounce::TokenState;
using bounce::report::Action;
using bounce::report::Evidence;
using bounce::report::Kind;
using bounce::report::Recipient;
using bounce::report::Report;
using conf::DeliveryEvent;
using conf::EventKind;

// The token of a recipient comes back in a report about him. Who lists others beside him tries them out.
constexpr size_t kMostTried = 8;

const char* why_not(TokenState state) {
  switch (state) {
    case TokenState::kExpired:
      return "its token has expired";
    case TokenState::kForged:
      return "its token is not one of ours";
    case TokenState::kNone:
      return "it brings no token of ours back";
    case TokenState::kValid:
      break;
  }
  return "";
}

// Whether the block is about whomever the token was made for, for it names no other: a complaint is about the
// whole message, and some systems name a mailbox only as they know it ("local; ann").
bool is_about_anybody(const Report& report, const Recipient& recipient) {
  if (report.kind == Kind::kFeedback) return true;
  for (const std::string& text : {recipient.original_address, recipient.address}) {
    conf::Result<conf::Mailbox> mailbox = conf::Mailbox::parse(text);
    if (mailbox.ok() && !mailbox->is_null()) return false;
  }
  return report.recipients.size() <= 1;
}

// Whether the block is about the recipient that our header field named. One that names somebody else, a
// forward's target or a copy, says nothing of him.
bool is_about(const conf::Mailbox& whom, const Report& report, const Recipient& recipient) {
  for (const std::string& text : {recipient.original_address, recipient.address}) {
    conf::Result<conf::Mailbox> mailbox = conf::Mailbox::parse(text);
    if (mailbox.ok() && conf::equal_ignoring_case(mailbox->text(), whom.text())) return true;
  }
  return is_about_anybody(report, recipient);
}

// Who got the message with the token, as far as that is remembered.
bool find_sent_to(const Evidence& evidence, const ReadingTools& tools, conf::Mailbox* ours) {
  if (tools.sent == nullptr || evidence.token.grade != conf::VerpGrade::kRecipient) return false;
  const auto fits = [&](const std::string& recipient) {
    conf::Result<conf::Mailbox> mailbox = conf::Mailbox::parse(recipient);
    return mailbox.ok() && tools.keys->is_for(evidence.token, *mailbox);
  };
  const std::optional<bounce::SentMail> sent = tools.sent->fitting(evidence.token.message, fits);
  if (!sent) return false;
  *ours = *conf::Mailbox::parse(sent->recipient);
  return true;
}

// The recipient of the token answers in words of his own, with whatever he quotes or encloses: he has it.
bool is_by_recipient(const Report& report, const Evidence& evidence, const ReadingTools& tools) {
  conf::Result<conf::Mailbox> writer = conf::Mailbox::parse(report.writer);
  if (!writer.ok() || writer->is_null()) return false;
  if (!evidence.whom.is_null()) return conf::equal_ignoring_case(evidence.whom.text(), writer->text());
  return evidence.token.grade == conf::VerpGrade::kRecipient && tools.keys->is_for(evidence.token, *writer);
}

// The address among those of the report that the token was made for. A token of a domain fits addresses that
// nobody wrote to, and everybody there who got mail of ours has one: what was sent decides.
bool find_ours(const Evidence& evidence, const ReadingTools& tools,
               const std::vector<std::string_view>& named, conf::Mailbox* ours) {
  for (const std::string_view text : named) {
    conf::Result<conf::Mailbox> mailbox = conf::Mailbox::parse(text);
    if (!mailbox.ok() || !tools.keys->is_for(evidence.token, *mailbox)) continue;
    if (evidence.token.grade != conf::VerpGrade::kRecipient &&
        (tools.sent == nullptr || !tools.sent->find(evidence.token.message, mailbox->text())))
      continue;
    *ours = std::move(*mailbox);
    return true;
  }
  return false;
}

// How the message is known to its sender. What came back with it stands in for what is not remembered.
void name_message(const bounce::SentMail* sent, const Report& report, DeliveryEvent* event) {
  if (sent != nullptr) {
    event->reverse_path = sent->sender;
    event->auth = sent->user;
    event->site = sent->site;
    event->source = sent->source;
    event->stream = sent->stream;
    event->envid = sent->envid;
    event->header = sent->header;
  } else {
    event->envid = report.envelope_id;
  }
  if (event->header != nullptr || report.message_id.empty()) return;
  auto header = std::make_shared<conf::LoggedHeader>();
  header->message_id = conf::utf8_prefix(report.message_id, conf::LoggedHeader::kIdOctets);
  event->header = std::move(header);
}

std::string one_text(const Report& report, const Recipient& recipient) {
  if (report.kind == Kind::kFeedback) return report.feedback_type;
  if (report.kind == Kind::kAutoReply) return to_text(report.auto_reply);
  return bounce::read_diagnostic(recipient.diagnostic).text();  // the code has a field of its own
}

EventKind kind_for(const Report& report, const Recipient& recipient) {
  switch (report.kind) {
    case Kind::kFeedback:
      return EventKind::kComplained;
    case Kind::kAutoReply:
      return EventKind::kAutoReply;
    case Kind::kDelayed:
      return EventKind::kDelayedReport;
    case Kind::kDelivered:
      return EventKind::kDeliveredReport;
    case Kind::kDsn:
    case Kind::kNonstandard:
    case Kind::kNotBounce:
      break;
  }
  switch (recipient.action) {
    case Action::kDelayed:
      return EventKind::kDelayedReport;
    case Action::kDelivered:
    case Action::kRelayed:
    case Action::kExpanded:
      return EventKind::kDeliveredReport;
    case Action::kFailed:
    case Action::kUnsaid:
      break;
  }
  return EventKind::kBounced;
}

// What the report says of the recipient; whose message it is about is still to be found.
DeliveryEvent said_by(const Report& report, const Recipient& recipient, const ReadingTools& tools,
                      conf::WallTime now) {
  DeliveryEvent event;
  event.kind = kind_for(report, recipient);
  event.time = now;
  event.mx_host = recipient.remote_mta.empty() ? report.reporting_mta : recipient.remote_mta;
  event.reply_code = recipient.code;
  event.enhanced_status = recipient.status;
  event.reply = one_text(report, recipient);
  event.stage = conf::Stage::kUnknown;
  const bounce::Qualification meaning = bounce::report::meaning_of(report, recipient, *tools.qualifier);
  event.type = meaning.type;
  event.reason = meaning.reason;
  event.scope = meaning.scope;
  event.row = meaning.row;
  event.rule = meaning.rule;
  event.recipient = recipient.address.empty() ? recipient.original_address : recipient.address;
  return event;
}

// Addresses that the recipient may have been written to under.
std::vector<std::string_view> names_of(const Report& report, const Recipient& recipient) {
  std::vector<std::string_view> named = {recipient.original_address, recipient.address};
  if (report.recipients.size() <= 1) named.push_back(report.returned_to);
  return named;
}

DeliveryEvent event_for(const Report& report, const Recipient& recipient, const Evidence& evidence,
                        const ReadingTools& tools, conf::WallTime now) {
  DeliveryEvent event = said_by(report, recipient, tools, now);
  event.id = evidence.token.message;
  event.matched = conf::MatchedBy::kToken;
  conf::Mailbox ours;
  if (evidence.whom.is_null()) {
    event.confirmed = find_ours(evidence, tools, names_of(report, recipient), &ours) ||
                      (is_about_anybody(report, recipient) && find_sent_to(evidence, tools, &ours));
  } else {
    event.confirmed = is_about(evidence.whom, report, recipient);
    ours = evidence.whom;
  }
  if (event.confirmed) event.recipient = ours.text();
  std::optional<bounce::SentMail> sent;
  if (tools.sent != nullptr) {
    sent = tools.sent->find(event.id, event.recipient);
    // The report hides whom it is about: what is true of the whole message is known all the same.
    if (!sent && (sent = tools.sent->of_message(event.id))) {
      sent->site.clear();
      sent->source.clear();
    }
  }
  name_message(sent ? &*sent : nullptr, report, &event);
  return event;
}

// A recipient of a report without a token, in what was sent lately.
struct Match {
  bounce::SentMail sent;
  conf::MatchedBy by = conf::MatchedBy::kNothing;
  bool whom = false;  // it went to the recipient that the report names, or to nobody else and it names none
};

std::optional<Match> match_all(const Report& report, const Recipient& recipient, const ReadingTools& tools,
                               conf::WallTime now) {
  const conf::WallTime after = now - tools.settings.life;
  std::vector<std::string> addresses;
  for (const std::string_view text : names_of(report, recipient)) {
    conf::Result<conf::Mailbox> mailbox = conf::Mailbox::parse(text);
    if (mailbox.ok() && !mailbox->is_null()) addresses.push_back(mailbox->text());
  }
  if (!report.message_id.empty()) {
    for (const std::string& address : addresses) {
      if (auto sent = tools.sent->with_id(report.message_id, address, after))
        return Match{std::move(*sent), conf::MatchedBy::kMessageId, true};
    }
    bool alone = false;
    if (auto sent = tools.sent->with_id(report.message_id, after, &alone))
      return Match{std::move(*sent), conf::MatchedBy::kMessageId, alone && addresses.empty()};
  }
  for (const std::string& address : addresses) {
    if (auto sent = tools.sent->latest_to(address, after))
      return Match{std::move(*sent), conf::MatchedBy::kRecipient, true};
  }
  return std::nullopt;
}

// A true report about mail with a token brings the token back; one without is shown by choice only.
std::optional<Match> match(const Report& report, const Recipient& recipient, const ReadingTools& tools,
                           conf::WallTime now) {
  std::optional<Match> found = match_all(report, recipient, tools, now);
  if (found && found->sent.with_token && !tools.settings.remember_signed) found.reset();
  return found;
}

DeliveryEvent unmatched(const Report& report, const Evidence& evidence, const char* why, conf::WallTime now) {
  DeliveryEvent event;
  event.kind = EventKind::kUnmatched;
  event.time = now;
  event.id = evidence.token.message;
  event.reply = why;
  if (!report.recipients.empty()) event.recipient = report.recipients.front().address;
  event.stage = conf::Stage::kUnknown;
  return event;
}

std::vector<DeliveryEvent> without_token(const Report& report, const ReadingTools& tools,
                                         conf::WallTime now) {
  std::vector<DeliveryEvent> events;
  bool left = false;  // somebody of whom nothing is known
  const auto take = [&](const Recipient& recipient) {
    const std::optional<Match> found = match(report, recipient, tools, now);
    left = left || !found;
    if (!found) return;
    DeliveryEvent event = said_by(report, recipient, tools, now);
    event.id = found->sent.message;
    event.matched = found->by;
    // Anybody knows an address; the Message-ID only who got the message.
    event.confirmed = found->by == conf::MatchedBy::kMessageId && found->whom && !found->sent.with_token &&
                      tools.settings.unsigned_reports == conf::UnsignedReports::kCount;
    if (found->whom) event.recipient = found->sent.recipient;
    name_message(&found->sent, report, &event);
    events.push_back(std::move(event));
  };
  if (report.recipients.empty()) take({});
  for (const Recipient& recipient : report.recipients) {
    if (events.size() >= kMostOutcomes) break;
    take(recipient);
  }
  if (left) events.push_back(unmatched(report, {}, why_not(TokenState::kNone), now));  // for people too, then
  return events;
}

}  // namespace

std::vector<DeliveryEvent> read_returned(std::string_view mail, const ReadingTools& tools,
                                         conf::WallTime now) {
  bounce::report::ReportSettings settings;
  if (!tools.settings.header.empty()) settings.token_field = tools.settings.header;
  Report report = bounce::report::read_report(mail, settings);
  if (report.kind == Kind::kNotBounce) {
    return {unmatched(report, {}, report.unread_why.empty() ? "it is no report" : report.unread_why.c_str(),
                      now)};
  }
  const Evidence evidence = evidence_of(report, tools.keys.get(), tools.settings.paths, now);
  if (evidence.state == TokenState::kNone && tools.sent != nullptr &&
      tools.settings.unsigned_reports != conf::UnsignedReports::kOff)
    return without_token(report, tools, now);
  if (evidence.state != TokenState::kValid) {
    DeliveryEvent event = unmatched(report, {}, why_not(evidence.state), now);
    event.forged = evidence.state == TokenState::kForged;
    return {std::move(event)};
  }
  if (report.kind != Kind::kFeedback && is_by_recipient(report, evidence, tools)) {
    if (report.kind != Kind::kAutoReply) report.auto_reply = bounce::report::AutoReplyKind::kOther;
    report.kind = Kind::kAutoReply;
    report.recipients.resize(1);
    report.recipients.front().address = report.writer;
  }
  std::vector<DeliveryEvent> events;
  if (report.recipients.empty()) {
    events.push_back(event_for(report, {}, evidence, tools, now));
    return events;
  }
  const size_t most = evidence.token.grade == conf::VerpGrade::kRecipient ? kMostTried : kMostOutcomes;
  for (const Recipient& recipient : report.recipients) {
    if (events.size() >= most) break;
    events.push_back(event_for(report, recipient, evidence, tools, now));
  }
  // The token of one recipient speaks of no other: what else the report claims is noise.
  if (evidence.token.grade == conf::VerpGrade::kRecipient) {
    const auto confirmed = std::ranges::find_if(events, [](const DeliveryEvent& e) { return e.confirmed; });
    DeliveryEvent kept = std::move(confirmed == events.end() ? events.front() : *confirmed);
    events.clear();
    events.push_back(std::move(kept));
  }
  return events;
}

}  // namespace relay::returns
