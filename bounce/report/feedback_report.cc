#include "bounce/report/feedback_report.h"

#include <algorithm>
#include <array>

#include "bounce/report/address_text.h"
#include "bounce/report/notice_words.h"
#include "bounce/report/text.h"

namespace bounce::report {
namespace {

bool is_redacted(std::string_view address) {
  constexpr std::array<std::string_view, 5> kWords = {"redacted", "undisclosed", "hidden", "xxxx", "anonym"};
  if (address.find('@') == kNowhere) return true;
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return contains_folded(address, word); });
}

void add_recipient(std::string address, Report* report) {
  const bool there = std::any_of(report->recipients.begin(), report->recipients.end(),
                                 [&](const Recipient& each) { return same_address(each.address, address); });
  if (there || report->recipients.size() >= kRecipientLimit) return;
  report->recipients.emplace_back().address = std::move(address);
}

}  // namespace

bool read_feedback_report(std::string_view content, Report* report) {
  bool any = false;
  std::string removal;
  const std::string ended = std::string(content.substr(0, 256 << 10)) + "\n\n";
  // The fields may stand in several groups; each is read as a header of its own.
  std::string_view rest = ended;
  for (int group = 0; group < 8 && !trimmed(rest).empty(); ++group) {
    const Part fields = read_header(rest);
    for (const Field& field : fields.fields) {
      const std::string_view value = trimmed(field.value);
      if (equal_ignoring_case(field.name, "feedback-type")) {
        report->feedback_type = conf::ascii_lower(value.substr(0, value.find_first_of(" ;\t\r\n")));
        any = true;
      } else if (equal_ignoring_case(field.name, "original-rcpt-to")) {
        std::string address = typed_address_value(value);
        if (!is_redacted(address)) add_recipient(std::move(address), report);
        any = true;
      } else if (equal_ignoring_case(field.name, "original-mail-from")) {
        if (report->return_addresses.empty()) report->return_addresses.push_back(typed_address_value(value));
        any = true;
      } else if (equal_ignoring_case(field.name, "removal-recipient")) {
        removal = typed_address_value(value);
      } else if (equal_ignoring_case(field.name, "reporting-mta")) {
        const size_t mark = value.find(';');
        report->reporting_mta = one_line(mark == kNowhere ? value : value.substr(mark + 1));
      } else if (equal_ignoring_case(field.name, "original-envelope-id")) {
        report->envelope_id = one_line(value);
      } else if (equal_ignoring_case(field.name, "original-message-id")) {
        report->message_id = without_brackets(value);
      } else if (equal_ignoring_case(field.name, "source-ip") ||
                 equal_ignoring_case(field.name, "user-agent") ||
                 equal_ignoring_case(field.name, "version")) {
        any = true;
      }
    }
    if (fields.body.data() == rest.data()) break;
    rest = fields.body;
  }
  if (report->recipients.empty() && !removal.empty() && !is_redacted(removal)) add_recipient(removal, report);
  if (any && report->feedback_type.empty()) report->feedback_type = "abuse";
  return any;
}

bool is_untyped_feedback(const Signs& signs, const Notice& notice) {
  if (!notice.has_original || signs.answer || signs.answered) return false;
  const std::string_view local = std::string_view(signs.from).substr(0, signs.from.find('@'));
  constexpr std::array<std::string_view, 9> kLocals = {"staff",     "fbl",  "feedback",     "scomp", "abuse",
                                                       "complaint", "spam", "feedbackloop", "arf"};
  const bool reporter = std::any_of(kLocals.begin(), kLocals.end(),
                                    [&](std::string_view each) { return starts_with_folded(local, each); });
  const bool words = notice_words().count(notice.text, 4096)[kSaysComplaint] > 0;
  // Microsoft names the recipient in a field of the returned message.
  const bool microsoft =
      contains_folded(std::string_view(notice.original).substr(0, 8192), "x-hmxmroriginalrecipient:");
  if (signs.subject_complaint == 0 && !microsoft) return false;
  return microsoft || reporter || (words && !signs.list);
}

void complete_feedback(const Part& original, Report* report) {
  if (!report->recipients.empty()) return;
  constexpr std::array<std::string_view, 6> kFields = {"x-hmxmroriginalrecipient",
                                                       "x-original-recipient",
                                                       "x-original-to",
                                                       "x-envelope-to",
                                                       "delivered-to",
                                                       "to"};
  for (const std::string_view name : kFields) {
    const std::vector<std::string> addresses = addresses_of(original, name, 20);
    for (const std::string& address : addresses) {
      if (!is_redacted(address)) add_recipient(address, report);
    }
    if (!report->recipients.empty()) return;
  }
  // "Received: from ... for <user@example.com>; date" of the last hop.
  for (const Field& field : original.fields) {
    if (!equal_ignoring_case(field.name, "received")) continue;
    const size_t at = find_folded(field.value, " for <");
    AddressSpan span;
    if (at == kNowhere || !find_address(field.value, at, &span)) continue;
    std::string address(field.value.substr(span.begin, span.end - span.begin));
    if (is_redacted(address)) continue;
    add_recipient(std::move(address), report);
    return;
  }
}

}  // namespace bounce::report
