#include "relay/smtp/trace_field.h"

#include <string_view>

#include "conf/vocab/calendar.h"

namespace relay::smtp {

namespace {

// SMTP, ESMTP, ESMTPS, ESMTPA, ESMTPSA (RFC 3848), UTF8SMTP... (RFC 6531 §4.3).
std::string protocol_name(const TraceFacts& facts) {
  const bool utf8 = facts.envelope->smtputf8;
  std::string name = utf8 ? "UTF8SMTP" : facts.esmtp ? "ESMTP" : "SMTP";
  if (facts.tls != nullptr && (facts.esmtp || utf8)) name += 'S';
  if (!facts.envelope->authenticated_as.empty()) name += 'A';
  return name;
}

}  // namespace

std::string received_field(const TraceFacts& facts, conf::MessageId id, conf::WallTime now) {
  const conf::Envelope& envelope = *facts.envelope;
  const bool v6 = envelope.client_address.find(':') != std::string::npos;
  std::string field;
  field.reserve(256);  // for the longest of most days; it grows where it must
  const auto put = [&field](const auto&... pieces) { (field.append(std::string_view(pieces)), ...); };
  put("Received: from ", envelope.client_name, v6 ? " ([IPv6:" : " ([", envelope.client_address,
      "])\r\n\tby ", facts.hostname, " with ", protocol_name(facts), " id ", conf::to_text(id));
  if (facts.tls != nullptr) put("\r\n\t(", facts.tls->version, " ", facts.tls->cipher, ")");
  if (envelope.recipients.size() == 1) put("\r\n\tfor <", envelope.recipients.front().mailbox.text(), ">");
  put(";\r\n\t", conf::mail_date(now), "\r\n");
  return field;
}

std::string missing_fields(const HeaderScan& header, bool add, const conf::Mailbox& reverse_path,
                           const std::string& hostname, const std::string& message_id, conf::WallTime now) {
  std::string out;
  if (add) {
    if (!header.has_date()) out += "Date: " + conf::mail_date(now) + "\r\n";
    if (!header.has_message_id()) out += "Message-ID: <" + message_id + ">\r\n";
    const std::string author = reverse_path.is_null() ? "MAILER-DAEMON@" + hostname : reverse_path.text();
    if (!header.has_from()) out += "From: <" + author + ">\r\n";
  }
  if (header.headless()) out += "\r\n";
  return out;
}

}  // namespace relay::smtp
