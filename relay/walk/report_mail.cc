#include "relay/walk/report_mail.h"

#include <utility>

#include "bounce/qualifier.h"
#include "relay/smtp/logged_header.h"
#include "relay/smtp/mime_entity.h"
#include "relay/walk/stream_choice.h"

namespace relay {

namespace {

// The status of what a refusal of the address means, for a server that said none (RFC 3463 §3.2, §3.3).
std::string status_of_words(const spool::RecipientRecord& recipient) {
  if (!recipient.blamed) return {};
  const bounce::Reply reply = bounce::Reply::make(recipient.reply_code, recipient.last_reply);
  const bounce::Qualification meaning =
      bounce::Qualifier::shipped()->qualify({.reply = &reply,
                                             .mx_host = recipient.mx_host,
                                             .recipient_domain = recipient.recipient.mailbox.domain.text()});
  switch (meaning.reason) {
    case bounce::Reason::kUserUnknown:
      return "5.1.1";
    case bounce::Reason::kInvalidDomain:
      return "5.1.2";
    case bounce::Reason::kAccountDisabled:
      return "5.2.1";
    default:
      return {};
  }
}

bounce::DsnRecipient told_about(const spool::RecipientRecord& recipient, const ReportLine& line,
                                conf::WallTime now) {
  bounce::DsnRecipient told;
  told.recipient = recipient.recipient;
  told.action = line.action;
  told.status = recipient.enhanced_status;
  if (told.status.empty() && line.action == bounce::DsnAction::kFailed)
    told.status = status_of_words(recipient);
  if (line.expired) told.status = "4.4.7";  // RFC 3463: delivery time expired
  told.reply_code = recipient.reply_code;
  told.diagnostic = recipient.last_reply;
  told.remote_mta = recipient.mx_host;
  // A delay is told of when its time has come, not after an attempt.
  if (line.action != bounce::DsnAction::kDelayed) told.last_attempt = now;
  told.retry_until = line.retry_until;
  return told;
}

}  // namespace

ReportMail write_report(const spool::MessageRecord& about, std::string_view original,
                        const std::vector<ReportLine>& lines, const conf::Config& config,
                        const spool::RelayClock& clock, conf::MessageId id) {
  bounce::DsnInput input;
  input.original_id = about.id;
  input.to = about.envelope.reverse_path;
  input.envid = about.envelope.envid;
  input.ret = about.envelope.ret;
  input.arrival = clock.calendar(about.accepted_at);
  input.now = clock.today();
  input.reporting_mta = config.hostname;
  input.from = config.postmaster.empty() ? "postmaster@" + config.hostname : config.postmaster;
  input.message_id_token = conf::to_text(id);
  input.original = original;
  input.smtputf8 = about.envelope.smtputf8;
  for (const ReportLine& line : lines)
    input.recipients.push_back(told_about(about.recipients[line.recipient], line, input.now));

  ReportMail mail;
  mail.body = conf::Bytes(bounce::make_dsn(input));
  spool::MessageRecord& record = mail.record;
  record.id = id;
  record.accepted_at = clock.wall();
  record.report_about = about.id;
  record.size_bytes = mail.body.size();
  record.header = smtp::logged_header(mail.body.view(), config.logged_fields);
  record.envelope.smtputf8 = about.envelope.smtputf8;
  record.stream = stream_of(config, record.envelope, mail.body.view());
  if (smtp::has_eight_bit(mail.body.view())) record.envelope.body = conf::BodyType::k8BitMime;
  spool::RecipientRecord to;
  to.recipient.mailbox = input.to;
  to.recipient.notify = conf::kNotifyNever;  // RFC 3461 §6.1: a report never asks for one
  to.due = record.accepted_at;
  record.recipients.push_back(std::move(to));
  return mail;
}

bool wants_report(const spool::MessageRecord& record, const conf::Recipient& recipient,
                  bounce::DsnAction action) {
  if (record.envelope.reverse_path.is_null()) return false;  // RFC 5321 §4.5.5: never a report about a report
  if (action == bounce::DsnAction::kRelayed) return (recipient.notify & conf::kNotifySuccess) != 0;
  return recipient.notify == conf::kNotifyDefault || (recipient.notify & conf::kNotifyFailure) != 0;
}

bool wants_delay_report(const spool::MessageRecord& record, const conf::Recipient& recipient,
                        const conf::DestinationSettings& settings) {
  if (record.envelope.reverse_path.is_null() || settings.delay_report_after.count() == 0) return false;
  if (recipient.notify == conf::kNotifyDefault) return settings.delay_reports;
  return (recipient.notify & conf::kNotifyDelay) != 0;
}

}  // namespace relay
