#include "bounce/dsn.h"

#include <algorithm>
#include <cctype>

#include "bounce/dsn_original.h"
#include "bounce/dsn_text.h"
#include "conf/vocab/calendar.h"
#include "conf/vocab/check.h"

namespace bounce {

namespace {

struct ActionWords {
  DsnAction action;
  const char* word;    // RFC 3464 §2.3.3
  const char* status;  // when nothing better is known
  const char* subject;
  const char* sentence;
};

// In order of importance: the first that occurs gives the subject.
constexpr ActionWords kWords[] = {
    {DsnAction::kFailed, "failed", "5.0.0", "Your message could not be delivered",
     "Your message could not be delivered to the recipients named here. No further attempts will be made; to "
     "reach "
     "them, correct the cause and send the message again."},
    {DsnAction::kDelayed, "delayed", "4.0.0", "Your message is delayed",
     "Your message has not yet reached the recipients named here. You need not send it again: further "
     "attempts "
     "will be made, and you will be told if they all fail."},
    {DsnAction::kRelayed, "relayed", "2.0.0", "Your message was passed on",
     "Your message was passed on for the recipients named here to a mail system that sends no reports of "
     "success. "
     "You may not hear when it arrives."},
    {DsnAction::kDelivered, "delivered", "2.0.0", "Your message was delivered",
     "Your message was delivered to the mail system of the recipients named here."},
};

const ActionWords& words_for(DsnAction action) {
  const auto* found = std::find_if(std::begin(kWords), std::end(kWords),
                                   [action](const ActionWords& words) { return words.action == action; });
  CHECK(found != std::end(kWords));
  return *found;
}

bool occurs(const DsnInput& input, DsnAction action) {
  return std::any_of(input.recipients.begin(), input.recipients.end(),
                     [action](const DsnRecipient& recipient) { return recipient.action == action; });
}

// "550 5.1.1 no such user", or our own words when no reply came.
std::string diagnostic_text(const DsnRecipient& recipient) {
  std::string text = clean_line(recipient.diagnostic, true);
  if (recipient.reply_code != 0) text = std::to_string(recipient.reply_code) + " " + text;
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::string human_part(const DsnInput& input) {
  std::string out;
  append_wrapped("This is the mail system at " + clean_line(input.reporting_mta, true) + ".", 0, &out);
  for (const ActionWords& words : kWords) {
    if (!occurs(input, words.action)) continue;
    out += "\r\n";
    append_wrapped(words.sentence, 0, &out);
    for (const DsnRecipient& recipient : input.recipients) {
      if (recipient.action != words.action) continue;
      out += "\r\n";
      append_wrapped("<" + clean_line(recipient.recipient.mailbox.text(), true) + ">", 2, &out);
      const std::string diagnostic = diagnostic_text(recipient);
      if (diagnostic.empty()) continue;
      const bool remote = recipient.reply_code != 0 && !recipient.remote_mta.empty();
      append_wrapped(remote ? clean_line(recipient.remote_mta, true) + " said: " + diagnostic : diagnostic, 4,
                     &out);
    }
  }
  out += "\r\n";
  append_wrapped("Message accepted: " + conf::mail_date(input.arrival), 0, &out);
  append_wrapped("Reference: " + conf::to_text(input.original_id), 0, &out);
  append_wrapped(
      "The details follow in a form for mail programs, and after them the header of your message or the "
      "message itself.",
      0, &out);
  return out;
}

// RFC 3464 §2.3.3 and §2.3.4: a status whose class contradicts the action gets that of the reply, or of the
// action. A failure of class 4 is one that lasted too long (RFC 3463 §2).
std::string agreed_status(const DsnRecipient& recipient, const ActionWords& words) {
  std::string status = clean_line(recipient.status, false);
  if (status.empty()) return words.status;
  const bool may_be_4 = recipient.action == DsnAction::kFailed && recipient.reply_code / 100 != 5;
  if (status.front() != words.status[0] && !(may_be_4 && status.front() == '4')) status[0] = words.status[0];
  return status;
}

// RFC 3464 §2.3.
void append_recipient_fields(const DsnRecipient& recipient, bool utf8, std::string* out) {
  const std::string& orcpt = recipient.recipient.orcpt;
  const size_t semicolon = orcpt.find(';');
  if (semicolon != std::string::npos && semicolon > 0) {
    const std::string_view view = orcpt;
    append_field("Original-Recipient",
                 typed_address(view.substr(0, semicolon), view.substr(semicolon + 1), utf8), out);
  }
  append_field("Final-Recipient", typed_address("rfc822", recipient.recipient.mailbox.text(), utf8), out);
  const ActionWords& words = words_for(recipient.action);
  append_field("Action", words.word, out);
  append_field("Status", agreed_status(recipient, words), out);
  if (!recipient.remote_mta.empty()) {
    append_field("Remote-MTA", "dns; " + clean_line(recipient.remote_mta, utf8), out);
  }
  const std::string said = diagnostic_text(recipient);
  if (!said.empty()) {
    append_field(
        "Diagnostic-Code",
        (recipient.reply_code != 0 ? "smtp; " : "x-penstock; ") + (utf8 ? said : encoded_words(said)), out);
  }
  if (recipient.last_attempt != conf::WallTime()) {
    append_field("Last-Attempt-Date", conf::mail_date(recipient.last_attempt), out);
  }
  // RFC 3464 §2.3.9: of delayed recipients only.
  if (recipient.action == DsnAction::kDelayed && recipient.retry_until != conf::WallTime())
    append_field("Will-Retry-Until", conf::mail_date(recipient.retry_until), out);
}

// RFC 3464 §2.2: fields about the message, then a group for each recipient.
std::string status_part(const DsnInput& input) {
  std::string out;
  if (!input.envid.empty()) append_field("Original-Envelope-Id", clean_line(input.envid, false), &out);
  append_field("Reporting-MTA", "dns; " + clean_line(input.reporting_mta, input.smtputf8), &out);
  append_field("X-Penstock-Id", conf::to_text(input.original_id), &out);
  append_field("Arrival-Date", conf::mail_date(input.arrival), &out);
  for (const DsnRecipient& recipient : input.recipients) {
    out += "\r\n";
    append_recipient_fields(recipient, input.smtputf8, &out);
  }
  return out;
}

std::string token_for(const DsnInput& input) {
  std::string out;
  for (const char c : input.message_id_token) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
    out += plain ? c : '-';
  }
  return out;
}

// RFC 2046 §5.1.1: at most 70 characters, and found in no part. The original is hostile: it is looked
// through.
std::string boundary_for(const DsnInput& input, std::string_view parts) {
  constexpr size_t kTokenShare = 48;
  const std::string stem = "=_" + token_for(input).substr(0, kTokenShare) + "_";
  for (uint64_t n = 0;; ++n) {
    std::string boundary = stem + std::to_string(n);
    if (parts.find(boundary) == std::string_view::npos) return boundary;
  }
}

// `encoding`: null where the content is plain ASCII.
void append_part(const std::string& boundary, const char* type, const char* encoding, const char* description,
                 std::string_view content, std::string* out) {
  out->append("--").append(boundary).append("\r\nContent-Type: ").append(type);
  out->append("\r\nContent-Description: ").append(description);
  if (encoding != nullptr) out->append("\r\nContent-Transfer-Encoding: ").append(encoding);
  out->append("\r\n\r\n").append(content).append("\r\n");
}

}  // namespace

std::string make_dsn(const DsnInput& input) {
  CHECK(!input.to.is_null());  // RFC 5321 §6.1: never a report about a report
  const bool utf8 = input.smtputf8;
  const std::string words = human_part(input);
  // RFC 6533 §4: whoever sends such addresses takes eight bits; for anybody else they are encoded.
  const bool human_8bit = has_8bit(words);
  const char* human_encoding = human_8bit ? (utf8 ? "8bit" : "quoted-printable") : nullptr;
  const std::string human = human_8bit && !utf8 ? quoted_printable(words) : words;
  const std::string status = status_part(input);
  const bool any_failed = occurs(input, DsnAction::kFailed);
  // RFC 3461 §4.3: RET is about reports of failure; the others bring the header only.
  const ReturnedPart returned =
      returned_part(input.original, any_failed && input.ret == conf::Ret::kFull, utf8);
  const bool status_8bit = has_8bit(status);
  const std::string boundary = boundary_for(input, human + status + returned.content);

  const auto* subject = std::find_if(std::begin(kWords), std::end(kWords),
                                     [&](const ActionWords& words) { return occurs(input, words.action); });
  std::string out;
  out.reserve(2048 + human.size() + status.size() + returned.content.size());
  append_field("From", "Mail delivery system <" + clean_line(input.from, utf8) + ">", &out);
  append_field("To", "<" + clean_line(input.to.text(), utf8) + ">", &out);
  append_field("Subject", subject == std::end(kWords) ? "Report about your message" : subject->subject, &out);
  append_field("Date", conf::mail_date(input.now), &out);
  append_field("Message-ID", "<" + token_for(input) + "@" + clean_line(input.reporting_mta, false) + ">",
               &out);
  append_field("Auto-Submitted", "auto-replied", &out);  // RFC 3834 §5
  append_field("MIME-Version", "1.0", &out);
  out += "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"" + boundary + "\"\r\n";
  if (has_8bit(human) || status_8bit || returned.eight_bit)
    append_field("Content-Transfer-Encoding", "8bit", &out);
  out += "\r\nThis is a report in MIME format (RFC 3464).\r\n\r\n";
  append_part(boundary, human_8bit ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii",
              human_encoding, "Notification", human, &out);
  append_part(boundary, utf8 ? "message/global-delivery-status" : "message/delivery-status",
              status_8bit ? "8bit" : nullptr, "Delivery report", status, &out);
  if (!returned.content.empty()) {
    append_part(boundary, returned.content_type.c_str(), returned.eight_bit ? "8bit" : nullptr,
                "Original message", returned.content, &out);
  }
  out += "--" + boundary + "--\r\n";
  return out;
}

}  // namespace bounce
