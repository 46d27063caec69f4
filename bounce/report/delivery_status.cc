#include "bounce/report/delivery_status.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bounce/report/address_text.h"
#include "bounce/report/diagnostic_text.h"
#include "bounce/report/mime_codec.h"
#include "bounce/report/text.h"

namespace bounce::report {
namespace {

// Of one field with its folds, and of the diagnostic of one recipient: no server says more, and anybody can
// write more.
constexpr size_t kValueOctets = 8192;

enum class Name : uint8_t {
  kOther,
  kReportingMta,
  kEnvelopeId,
  kOriginalRecipient,
  kFinalRecipient,
  kActualRecipient,
  kAction,
  kStatus,
  kDiagnostic,
  kRemoteMta,
  kQueueId,
};

struct NamedField {
  std::string_view text;
  Name name;
};
constexpr std::array<NamedField, 13> kNames = {{
    {"final-recipient", Name::kFinalRecipient},
    {"original-recipient", Name::kOriginalRecipient},
    {"action", Name::kAction},
    {"status", Name::kStatus},
    {"diagnostic-code", Name::kDiagnostic},
    {"remote-mta", Name::kRemoteMta},
    {"reporting-mta", Name::kReportingMta},
    {"original-envelope-id", Name::kEnvelopeId},
    {"x-actual-recipient", Name::kActualRecipient},
    {"x-display-name", Name::kOther},
    {"arrival-date", Name::kOther},
    {"last-attempt-date", Name::kOther},
    {"localized-final-recipient", Name::kOther},
}};

Name name_of(std::string_view text) {
  for (const NamedField& field : kNames) {
    if (text.size() == field.text.size() && equal_ignoring_case(text, field.text)) return field.name;
  }
  return Name::kOther;
}

// One recipient as far as it has been read.
struct Group {
  Recipient recipient;
  std::string actual;
  std::string diagnostic;
  bool has_final = false;
  bool has_original = false;
  bool has_action = false;
  bool has_status = false;
  bool any() const { return has_final || has_original || has_action || has_status || !actual.empty(); }
};

class Reader {
 public:
  explicit Reader(Report* report) : report_(report) {}

  void take(std::string_view name_text, std::string_view value) {
    const Name name = name_of(name_text);
    switch (name) {
      case Name::kReportingMta:
        if (report_->reporting_mta.empty()) report_->reporting_mta = host_of(value);
        return;
      case Name::kEnvelopeId:
        if (report_->envelope_id.empty()) report_->envelope_id = one_line(value);
        return;
      case Name::kOther:
      case Name::kQueueId:
        return;
      default:
        take_recipient_field(name, value);
    }
  }

  void gap() { gap_ = true; }

  bool finish() {
    close();
    return added_;
  }

 private:
  // "dns; mx.example.com" -> "mx.example.com"; "dns; host (10.0.0.1)" keeps the host.
  static std::string host_of(std::string_view value) {
    const size_t mark = value.find(';');
    if (mark < 16) value.remove_prefix(mark + 1);
    value = trimmed(value);
    return std::string(value.substr(0, value.find_first_of(" \t\r\n(")));
  }

  void take_recipient_field(Name name, std::string_view value) {
    // A group ends at an empty line, but many writers forget it, and some put one inside a group.
    const bool repeats = (name == Name::kFinalRecipient && group_.has_final) ||
                         (name == Name::kOriginalRecipient && group_.has_original) ||
                         (name == Name::kAction && group_.has_action && gap_);
    const bool begins = name == Name::kOriginalRecipient && group_.has_final && gap_;
    if (repeats || begins) close();
    gap_ = false;
    Recipient& recipient = group_.recipient;
    switch (name) {
      case Name::kFinalRecipient:
        group_.has_final = true;
        recipient.address = typed_address_value(value);
        return;
      case Name::kOriginalRecipient:
        group_.has_original = true;
        recipient.original_address = typed_address_value(value);
        return;
      case Name::kActualRecipient:
        group_.actual = typed_address_value(value);
        return;
      case Name::kAction:
        group_.has_action = true;
        recipient.action = action_of(value);
        return;
      case Name::kStatus:
        group_.has_status = true;
        recipient.status = find_status(value);
        if (recipient.status.empty()) recipient.code = find_code(value);  // "Status: 550" lies in the field
        return;
      case Name::kDiagnostic:
        if (group_.diagnostic.size() >= kValueOctets) return;
        if (!group_.diagnostic.empty()) group_.diagnostic += ' ';
        group_.diagnostic += value.substr(0, kValueOctets - std::min(kValueOctets, group_.diagnostic.size()));
        return;
      case Name::kRemoteMta:
        recipient.remote_mta = host_of(value);
        return;
      default:
        return;
    }
  }

  void close() {
    Group done = std::exchange(group_, Group());
    if (!done.any() || report_->recipients.size() >= kRecipientLimit) return;
    Recipient& recipient = done.recipient;
    if (recipient.address.find('@') == kNowhere && done.actual.find('@') != kNowhere) {
      recipient.address = done.actual;
    }
    recipient.diagnostic = decode_words(clean_diagnostic(to_utf8("", std::move(done.diagnostic))));
    const uint16_t code = find_code(recipient.diagnostic);
    if (code != 0) recipient.code = code;
    // The remote's own status says more than the one that the reporter made of it.
    if (is_vague_status(recipient.status)) {
      std::string better = find_status(recipient.diagnostic);
      if (!better.empty()) recipient.status = std::move(better);
    }
    if (recipient.action == Action::kUnsaid && !recipient.status.empty()) {
      recipient.action = recipient.status.front() == '2' ? Action::kDelivered : Action::kFailed;
    }
    added_ = true;
    report_->recipients.push_back(std::move(recipient));
  }

  Report* report_;
  Group group_;
  bool gap_ = false;
  bool added_ = false;
};

// "Name: value" of a status field at the front of a line; the value may be empty.
bool split_field(std::string_view line, std::string_view* name, std::string_view* value) {
  const size_t colon = line.find(':');
  if (colon == kNowhere || colon == 0 || colon > 40) return false;
  *name = trimmed(line.substr(0, colon));
  const bool word = std::all_of(name->begin(), name->end(),
                                [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; });
  if (!word || name->empty()) return false;
  *value = line.substr(colon + 1);
  return true;
}

}  // namespace

Action action_of(std::string_view value) {
  value = trimmed(value);
  constexpr std::array<std::pair<std::string_view, Action>, 12> kWords = {{
      {"failed", Action::kFailed},
      {"failure", Action::kFailed},
      {"fail", Action::kFailed},
      {"expired", Action::kFailed},
      {"error", Action::kFailed},
      {"undeliver", Action::kFailed},
      {"delayed", Action::kDelayed},
      {"deferred", Action::kDelayed},
      {"delivered", Action::kDelivered},
      {"deliverable", Action::kDelivered},
      {"relayed", Action::kRelayed},
      {"expanded", Action::kExpanded},
  }};
  for (const auto& [word, action] : kWords) {
    if (starts_with_folded(value, word)) return action;
  }
  return Action::kUnsaid;
}

bool read_delivery_status(std::string_view content, Report* report) {
  Reader reader(report);
  LineReader lines(content);
  std::string_view line;
  std::string_view name;
  std::string value;
  bool open = false;
  const auto put = [&] {
    if (open) reader.take(name, value);
    open = false;
  };
  while (lines.next(&line)) {
    if (trimmed(line).empty()) {
      put();
      reader.gap();
      continue;
    }
    std::string_view next_name;
    std::string_view next_value;
    const bool folded = line.front() == ' ' || line.front() == '\t';
    const bool field = split_field(line, &next_name, &next_value);
    // A line without a fold that is no field, or none that anybody knows, goes on with the value before it.
    const bool begins = field && (!folded || (name_of(next_name) != Name::kOther && !open)) &&
                        (!open || name_of(next_name) != Name::kOther || next_name.find('-') != kNowhere);
    if (!begins) {
      if (open && value.size() < kValueOctets)
        value.append(" ").append(line.substr(0, kValueOctets - value.size()));
      continue;
    }
    put();
    name = next_name;
    value.assign(trimmed(next_value.substr(0, kValueOctets)));
    open = true;
  }
  put();
  return reader.finish();
}

}  // namespace bounce::report
