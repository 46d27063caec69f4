#include "bounce/report/json_notice.h"

#include <algorithm>
#include <string>

#include "bounce/report/address_text.h"
#include "bounce/report/delivery_status.h"
#include "bounce/report/diagnostic_text.h"
#include "bounce/report/text.h"

namespace bounce::report {
namespace {

constexpr size_t kMostRecipients = 1000;

// An object within a string of another one: its quotes carry backslashes.
std::string without_escapes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    out += text[at];
  }
  return out;
}

// The string that is the value of `key`; empty when there is none.
std::string value_of(std::string_view text, std::string_view key) {
  const std::string quoted = "\"" + std::string(key) + "\"";
  for (size_t at = 0; (at = text.find(quoted, at)) != kNowhere;) {
    at += quoted.size();
    size_t next = at;
    while (next < text.size() && (is_blank(text[next]) || text[next] == ':')) ++next;
    if (next >= text.size() || text[next] != '"') continue;
    std::string out;
    for (++next; next < text.size() && text[next] != '"'; ++next) {
      if (text[next] == '\\' && next + 1 < text.size()) ++next;
      out += text[next];
    }
    return one_line(out);
  }
  return {};
}

// What stands between the brackets of the array `key`.
std::string_view array_of(std::string_view text, std::string_view key) {
  const size_t at = text.find("\"" + std::string(key) + "\"");
  const size_t open = at == kNowhere ? kNowhere : text.find('[', at);
  if (open == kNowhere) return {};
  bool quoted = false;
  for (size_t end = open + 1; end < text.size(); ++end) {
    if (text[end] == '\\') {
      ++end;
    } else if (text[end] == '"') {
      quoted = !quoted;
    } else if (text[end] == ']' && !quoted) {
      return text.substr(open + 1, end - open - 1);
    }
  }
  return {};
}

// The objects of the array; none holds another one.
void add_recipients(std::string_view array, Action otherwise, Report* report) {
  size_t begin = 0;
  while (report->recipients.size() < kMostRecipients && (begin = array.find('{', begin)) != kNowhere) {
    const size_t end = std::min(array.find("},", begin), array.size());
    const std::string_view object = array.substr(begin, end - begin);
    begin = end;
    Recipient recipient;
    recipient.address = typed_address_value(value_of(object, "emailAddress"));
    recipient.action = action_of(value_of(object, "action"));
    if (recipient.action == Action::kUnsaid) recipient.action = otherwise;
    recipient.status = find_status(value_of(object, "status"));
    recipient.diagnostic = clean_diagnostic(value_of(object, "diagnosticCode"));
    recipient.code = find_code(recipient.diagnostic);
    if (!recipient.address.empty()) report->recipients.push_back(std::move(recipient));
  }
}

}  // namespace

bool read_json_notice(std::string_view text, Report* report) {
  text = trimmed(text);
  if (!text.starts_with("{")) return false;
  std::string inner;
  if (text.find("\\\"notificationType\\\"") != kNowhere || text.find("\\\"eventType\\\"") != kNowhere) {
    inner = without_escapes(text);
    text = inner;
  }
  std::string type = value_of(text, "notificationType");
  if (type.empty()) type = value_of(text, "eventType");
  if (type == "Bounce") {
    report->kind = Kind::kNonstandard;
    add_recipients(array_of(text, "bouncedRecipients"), Action::kFailed, report);
  } else if (type == "Complaint") {
    report->kind = Kind::kFeedback;
    report->feedback_type = value_of(text, "complaintFeedbackType");
    if (report->feedback_type.empty()) report->feedback_type = "abuse";
    add_recipients(array_of(text, "complainedRecipients"), Action::kUnsaid, report);
  } else if (type == "Delivery") {
    report->kind = Kind::kDelivered;
    const std::string_view list = array_of(text, "recipients");
    AddressSpan span;
    for (size_t at = 0; report->recipients.size() < kMostRecipients && find_address(list, at, &span);
         at = span.end) {
      Recipient& recipient = report->recipients.emplace_back();
      recipient.address = std::string(list.substr(span.begin, span.end - span.begin));
      recipient.action = Action::kDelivered;
      recipient.diagnostic = value_of(text, "smtpResponse");
    }
  } else {
    return false;
  }
  report->message_id = value_of(text, "messageId");
  const std::string reporter = value_of(text, "reportingMTA");
  const size_t mark = reporter.find(';');
  report->reporting_mta =
      one_line(std::string_view(reporter).substr(mark == std::string::npos ? 0 : mark + 1));
  if (!report->recipients.empty()) return true;
  report->kind = Kind::kNotBounce;
  report->feedback_type.clear();
  return false;
}

}  // namespace bounce::report
