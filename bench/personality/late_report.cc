#include "bench/personality/late_report.h"

#include <fmt/format.h>

#include <charconv>

#include "bounce/dsn.h"
#include "bounce/dsn_original.h"
#include "bounce/dsn_text.h"
#include "bounce/reply.h"
#include "conf/vocab/calendar.h"

namespace bench {
namespace {

conf::Mailbox mailbox(const std::string& text) {
  const conf::Result<conf::Mailbox> parsed = conf::Mailbox::parse(text);
  return parsed.ok() ? parsed.value() : conf::Mailbox();
}

std::string bounce_text(const LateReport& report, conf::WallTime arrival, conf::WallTime now,
                        std::string_view token) {
  bounce::DsnRecipient recipient;
  recipient.recipient.mailbox = mailbox(report.recipient);
  std::from_chars(report.reply.data(), report.reply.data() + 3, recipient.reply_code);
  recipient.diagnostic = report.reply.substr(4);
  recipient.status = bounce::EnhancedStatus::parse(recipient.diagnostic).text();
  recipient.remote_mta = "mailbox." + report.host;
  recipient.last_attempt = now;
  bounce::DsnInput input;
  input.to = mailbox(report.reverse_path);
  input.arrival = arrival;
  input.now = now;
  input.reporting_mta = report.host;
  input.from = "mailer-daemon@" + report.host;
  input.message_id_token = std::string(token);
  input.recipients.push_back(std::move(recipient));
  input.original = report.header;
  return bounce::make_dsn(input);
}

std::string complaint_text(const LateReport& report, conf::WallTime arrival, conf::WallTime now,
                           std::string_view token) {
  const std::string boundary = fmt::format("=_{}", token);
  const bounce::ReturnedPart original = bounce::returned_part(report.header, false, false);
  std::string out = fmt::format(
      "From: feedback@{0}\r\nTo: {1}\r\nDate: {2}\r\nMessage-ID: <{3}@{0}>\r\nSubject: Abuse report\r\n"
      "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report;\r\n"
      " boundary=\"{4}\"\r\n\r\n--{4}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n",
      report.host, report.reverse_path, conf::mail_date(now), token, boundary);
  bounce::append_wrapped("A user of this service marked a message from " + report.source + " as unwanted.", 0,
                         &out);
  out += fmt::format(
      "\r\n--{}\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n"
      "User-Agent: penstock-sink/1\r\nVersion: 1\r\nOriginal-Mail-From: <{}>\r\nOriginal-Rcpt-To: <{}>\r\n"
      "Arrival-Date: {}\r\nSource-IP: {}\r\n",
      boundary, report.reverse_path, report.recipient, conf::mail_date(arrival), report.source);
  out += fmt::format("\r\n--{}\r\nContent-Type: {}\r\n{}\r\n{}\r\n--{}--\r\n", boundary,
                     original.content_type, original.eight_bit ? "Content-Transfer-Encoding: 8bit\r\n" : "",
                     original.content, boundary);
  return out;
}

}  // namespace

std::string late_report_text(const LateReport& report, conf::WallTime arrival, conf::WallTime now,
                             std::string_view token) {
  return report.kind == ReportKind::kDsn ? bounce_text(report, arrival, now, token)
                                         : complaint_text(report, arrival, now, token);
}

}  // namespace bench
