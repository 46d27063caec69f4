#include "bounce/report/report.h"

#include <algorithm>

#include "bounce/report/address_text.h"
#include "bounce/report/auto_reply.h"
#include "bounce/report/delivery_status.h"
#include "bounce/report/echo.h"
#include "bounce/report/feedback_report.h"
#include "bounce/report/free_form.h"
#include "bounce/report/json_notice.h"
#include "bounce/report/mime_codec.h"
#include "bounce/report/mime_reader.h"
#include "bounce/report/notice.h"
#include "bounce/report/notice_words.h"
#include "bounce/report/signs.h"
#include "bounce/report/text.h"

namespace bounce::report {
namespace {

constexpr size_t kStatusOctets = 32 << 20;  // of a delivery status: 50,000 recipients
constexpr size_t kNoticeKept = 4096;
constexpr int kNesting = 3;      // reports within forwarded messages
constexpr int kMostWrapped = 4;  // forwarded messages that are read, at all levels of one mail together

// A list may have passed a report on; what a person wrote to it is no report.
bool is_machine(const Signs& signs) { return signs.daemon || signs.null_path || signs.automatic; }

// One mail while it is being read.
class Reading {
 public:
  // `wrapped_left`: how many forwarded messages may be read yet; each costs as much as the mail itself.
  Reading(std::string_view octets, const ReportSettings& settings, int depth, int* wrapped_left)
      : mail_(read_mail(octets)),
        settings_(settings),
        depth_(depth),
        wrapped_left_(wrapped_left),
        notice_(read_notice(mail_)),
        original_(read_header(notice_.original)),
        signs_(read_signs(head(), telling_subject(notice_.original))) {
    if (signs_.role && !is_of_system()) signs_.daemon = signs_.unproven = tells_as_system();
  }

  Report run() {
    decide();
    if (report_.kind != Kind::kNotBounce) keep_context();
    if (!signs_.daemon && head().report_type.empty()) report_.writer = signs_.from;
    return std::move(report_);
  }

 private:
  const Part& head() const { return mail_.parts.front(); }

  // Behind a name such as postmaster a system writes, and a person too; only the former shows one of these.
  bool is_of_system() const {
    if (signs_.null_path || signs_.automatic || !head().report_type.empty() || notice_.has_status)
      return true;
    if (head().has("x-failed-recipients")) return true;
    // Who answers quotes what he answers.
    if (!signs_.answer && !signs_.answered) return notice_.has_original;
    return std::ranges::any_of(mail_.parts, [](const Part& part) { return part.type == "message/rfc822"; });
  }

  // Mail that lost its fields on the way still says in its subject what it is.
  bool tells_as_system() const { return !signs_.answer && !signs_.answered && tells_of_failure(); }
  bool tells_of_failure() const {
    return signs_.subject_failure + signs_.subject_delay + signs_.subject_delivered > 0;
  }

  void decide() {
    if (read_typed_parts() || read_json_notice(notice_.text, &report_)) return;
    if (is_untyped_feedback(signs_, notice_)) {
      report_.kind = Kind::kFeedback;
      report_.feedback_type = "abuse";
      complete_feedback(original_, &report_);
      return;
    }
    report_.auto_reply = auto_reply_of(signs_, notice_);
    const bool by_recipient = is_by_recipient();
    if (by_recipient && is_machine(signs_) && report_.auto_reply == AutoReplyKind::kNone)
      report_.auto_reply = AutoReplyKind::kOther;
    if (report_.auto_reply != AutoReplyKind::kNone) {
      report_.kind = Kind::kAutoReply;
      report_.recipients.emplace_back().address = signs_.from;
      report_.recipients.back().diagnostic = signs_.subject;
      return;
    }
    if (!by_recipient) {
      if (read_fields_in_text()) return;
      report_.kind = read_free_form(head(), signs_, notice_, original_, &report_);
      if (report_.kind != Kind::kNotBounce) return;
    }
    report_.recipients.clear();
    read_wrapped();
  }

  // Who got the message, and answers it, has it: whatever else he says it came.
  bool is_by_recipient() const {
    if (signs_.daemon || signs_.from.empty()) return false;
    for (const char* name : {"to", "cc", "delivered-to", "x-original-to"}) {
      for (const std::string& address : addresses_of(original_, name, 20)) {
        if (same_address(address, signs_.from)) return true;
      }
    }
    return false;
  }

  // The report came to this person, or is about mail of this person.
  bool is_for(std::string_view address) const {
    const auto names = [address](const Part& part, const char* field) {
      return std::ranges::any_of(addresses_of(part, field, 20),
                                 [address](const std::string& each) { return same_address(each, address); });
    };
    return names(head(), "to") || names(original_, "from") || names(original_, "return-path");
  }

  // A person who shows somebody a report about mail of their own, and does not pass it on to us.
  bool shows_own() const { return !is_machine(signs_) && !signs_.forwarded && !signs_.from.empty(); }

  // A person, or a list of people, who attaches parts of a report to a mail of their own.
  bool only_shows_parts() const {
    if (is_machine(signs_) || head().report_type == "feedback-report") return false;
    if (head().report_type.empty() && shows_own() && is_for(signs_.from)) return true;
    return signs_.list || (head().report_type.empty() && (signs_.answer || signs_.answered || signs_.person));
  }

  // The machine-readable parts, when there are some.
  bool read_typed_parts() {
    if (only_shows_parts()) return false;
    bool status = false;
    for (const Part& part : mail_.parts) {
      std::string store;
      if (part.type == "message/feedback-report") {
        report_.recipients.clear();
        if (!read_feedback_report(part_content(part, kStatusOctets, &store), &report_)) continue;
        report_.kind = Kind::kFeedback;
        complete_feedback(original_, &report_);
        return true;
      }
      if (part.type == "message/disposition-notification") return read_receipt(part);
      if (part.type != "message/delivery-status" && part.type != "message/global-delivery-status") continue;
      status = read_delivery_status(part_content(part, kStatusOctets, &store), &report_) || status;
    }
    if (!status) {
      report_.recipients.clear();
      return false;
    }
    settle_status();
    return true;
  }

  // RFC 8098: the mail arrived, whatever was done with it.
  bool read_receipt(const Part& part) {
    std::string store;
    const Part fields = read_header(part_content(part, kStatusOctets, &store));
    Recipient& recipient = report_.recipients.emplace_back();
    recipient.address = typed_address_value(fields.field("final-recipient"));
    recipient.original_address = typed_address_value(fields.field("original-recipient"));
    recipient.action = Action::kDelivered;
    recipient.diagnostic = one_line(fields.field("disposition"));
    report_.message_id = without_brackets(fields.field("original-message-id"));
    report_.kind = Kind::kDelivered;
    if (is_rejection(recipient.diagnostic)) {
      report_.kind = Kind::kNonstandard;
      recipient.action = Action::kFailed;
      recipient.diagnostic = one_line(notice_.text);
    }
    return true;
  }

  // RFC 5429 §2.1.2: a filter or a full mailbox rejects with a receipt that says "deleted"; the reason stands
  // in its text. Who deletes a mail unread says nothing of a rejection.
  bool is_rejection(std::string_view disposition) const {
    return starts_with_folded(disposition, "automatic-action") && contains_folded(disposition, "deleted") &&
           contains_folded(notice_.text, "reject");
  }

  void settle_status() {
    const bool text_only_delay = signs_.subject_delay > 0;
    bool failed = false;
    bool delayed = false;
    for (Recipient& recipient : report_.recipients) {
      if (recipient.action == Action::kUnsaid)
        recipient.action = text_only_delay ? Action::kDelayed : Action::kFailed;
      failed = failed || recipient.action == Action::kFailed;
      delayed = delayed || recipient.action == Action::kDelayed;
    }
    report_.kind = failed ? Kind::kDsn : delayed ? Kind::kDelayed : Kind::kDelivered;
    if (failed || delayed) complete_from_text(head(), signs_, notice_, original_, &report_);
    if (failed && all_challenged()) {
      report_.kind = Kind::kAutoReply;
      report_.auto_reply = AutoReplyKind::kChallenge;
    }
  }

  // "550 confirm that you are a person": the address is there, a program stands before it.
  bool all_challenged() const {
    return std::all_of(report_.recipients.begin(), report_.recipients.end(), [](const Recipient& each) {
      return notice_words().occurs(each.diagnostic, kSaysChallenge);
    });
  }

  // A delivery status that lost its MIME part: forwarded inline, or by a gateway that flattens mail.
  bool read_fields_in_text() {
    const bool trusted = signs_.daemon || head().report_type == "delivery-status" || signs_.forwarded;
    if ((signs_.list && !signs_.daemon) || (signs_.answer && !signs_.daemon) || !trusted) return false;
    for (const std::string* text : {&notice_.text, &notice_.original}) {
      const size_t action = find_folded(*text, "action:");
      if (action == kNowhere || !contains_folded(*text, "final-recipient:")) continue;
      size_t begin = find_folded(*text, "reporting-mta:");
      if (begin == kNowhere) begin = std::min(action, find_folded(*text, "final-recipient:"));
      if (!read_delivery_status(std::string_view(*text).substr(begin, 64 << 10), &report_)) continue;
      settle_status();
      return true;
    }
    report_.recipients.clear();
    const bool told = tells_of_failure() || notice_words().occurs(notice_.text, kSaysFailure);
    return signs_.daemon && told && read_fields_in_file();
  }

  // The same as a file that a system attaches under some other type ("details.txt").
  bool read_fields_in_file() {
    for (const Part& part : mail_.parts) {
      if (part.is_multipart() || part.type.starts_with("message/") || part.is("text/html")) continue;
      std::string store;
      const std::string_view fields = trimmed(part_content(part, kStatusOctets, &store));
      const bool begins =
          starts_with_folded(fields, "reporting-mta:") || starts_with_folded(fields, "final-recipient:");
      if (!begins || !read_delivery_status(fields, &report_)) continue;
      settle_status();
      return true;
    }
    report_.recipients.clear();
    return false;
  }

  // A report that somebody, or a gateway, attached to a mail of its own.
  void read_wrapped() {
    if (depth_ >= kNesting || signs_.list || signs_.answer || signs_.answered) return;
    for (const Part& part : mail_.parts) {
      if (part.type != "message/rfc822" && part.type != "message/global") continue;
      if (!contains_folded(part.body.substr(0, 16384), "multipart/report") &&
          !equal_ignoring_case(trimmed(part.encoding), "base64"))
        continue;
      if (*wrapped_left_ == 0) return;
      --*wrapped_left_;
      std::string store;
      const std::string_view inner = part_content(part, kStatusOctets, &store);
      Reading reading(inner, settings_, depth_ + 1, wrapped_left_);
      if (shows_own() && reading.is_for(signs_.from)) continue;
      Report wrapped = reading.run();
      const bool typed = wrapped.kind == Kind::kDsn || wrapped.kind == Kind::kDelayed ||
                         wrapped.kind == Kind::kDelivered || wrapped.kind == Kind::kFeedback;
      if (!typed) continue;
      report_ = std::move(wrapped);
      wrapped_ = true;
      return;
    }
  }

  void keep_context() {
    if (wrapped_) return;
    keep_return_addresses();
    report_.notice = notice_.text.substr(0, kNoticeKept);
    if (report_.message_id.empty()) report_.message_id = without_brackets(original_.field("message-id"));
    report_.header_token = one_line(original_.field(conf::ascii_lower(settings_.token_field)));
    report_.returned_to = one_line(original_.field("to").substr(0, 1000));
    if (report_.reporting_mta.empty()) report_.reporting_mta = reporter();
  }

  void keep_return_addresses() {
    constexpr size_t kMost = 8;
    const auto add = [&](const Part& part, std::string_view name) {
      for (std::string& address : addresses_of(part, name, 2)) {
        if (report_.return_addresses.size() < kMost) report_.return_addresses.push_back(std::move(address));
      }
    };
    for (const char* name : {"to", "delivered-to", "x-original-to", "envelope-to"}) add(head(), name);
    add(original_, "return-path");
  }

  // The host that wrote the notice, from the Received field of the last hop.
  std::string reporter() const {
    const size_t at = signs_.from.find('@');
    return signs_.daemon && at != std::string::npos ? conf::ascii_lower(signs_.from.substr(at + 1))
                                                    : std::string();
  }

  Mail mail_;
  const ReportSettings& settings_;
  int depth_;
  int* wrapped_left_;
  Notice notice_;
  Part original_;  // views notice_
  Signs signs_;
  Report report_;
  bool wrapped_ = false;
};

}  // namespace

const char* to_text(Kind kind) {
  switch (kind) {
    case Kind::kNotBounce:
      return "notbounce";
    case Kind::kDsn:
      return "dsn";
    case Kind::kNonstandard:
      return "nonstandard";
    case Kind::kFeedback:
      return "arf";
    case Kind::kAutoReply:
      return "autoreply";
    case Kind::kDelivered:
      return "delivered";
    case Kind::kDelayed:
      return "delayed";
  }
  return "notbounce";
}

const char* to_text(Action action) {
  switch (action) {
    case Action::kUnsaid:
      return "";
    case Action::kFailed:
      return "failed";
    case Action::kDelayed:
      return "delayed";
    case Action::kDelivered:
      return "delivered";
    case Action::kRelayed:
      return "relayed";
    case Action::kExpanded:
      return "expanded";
  }
  return "";
}

const char* to_text(AutoReplyKind kind) {
  switch (kind) {
    case AutoReplyKind::kNone:
      return "";
    case AutoReplyKind::kVacation:
      return "vacation";
    case AutoReplyKind::kChallenge:
      return "challenge";
    case AutoReplyKind::kGone:
      return "gone";
    case AutoReplyKind::kOther:
      return "other";
  }
  return "";
}

Report read_report(std::string_view octets, const ReportSettings& settings) {
  int wrapped_left = kMostWrapped;
  return Reading(octets, settings, 0, &wrapped_left).run();
}

}  // namespace bounce::report
