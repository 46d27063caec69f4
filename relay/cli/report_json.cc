#include "relay/cli/report_json.h"

#include "bounce/classification.h"
#include "bounce/report/evidence.h"
#include "bounce/report/meaning.h"
#include "bounce/text_template.h"
#include "relay/log/event_json.h"

namespace relay::cli {
namespace {

using bounce::report::Kind;
using bounce::report::Recipient;
using bounce::report::Report;

// Writes one object; every member in the order in which people read it.
class Object {
 public:
  explicit Object(std::string* out) : out_(out) { *out_ += '{'; }

  Object& text(std::string_view key, std::string_view value) {
    name(key);
    relay::log::append_json_string(value, out_);
    return *this;
  }
  Object& number(std::string_view key, uint64_t value) {
    name(key);
    relay::log::append_json_number(value, out_);
    return *this;
  }
  Object& null(std::string_view key) {
    name(key);
    out_->append("null");
    return *this;
  }
  void end() { out_->append("}\n"); }

 private:
  void name(std::string_view key) {
    out_->append(first_ ? "\"" : ",\"").append(key).append("\":");
    first_ = false;
  }
  std::string* out_;
  bool first_ = true;
};

void append_recipient(const Report& report, const Recipient& recipient, const MailPlace& place, Kind kind,
                      bounce::TokenState token, const bounce::Qualifier& qualifier, std::string* out) {
  const bounce::Qualification meaning = bounce::report::meaning_of(report, recipient, qualifier);
  Object object(out);
  object.text("file", place.file).number("n", place.number).text("kind", to_text(kind));
  object.text("recipient", recipient.address.empty() ? recipient.original_address : recipient.address);
  object.text("original_recipient", recipient.original_address);
  object.text("action", to_text(recipient.action)).text("status", recipient.status);
  object.text("diagnostic", recipient.diagnostic).number("code", recipient.code);
  const bounce::Reply reply = bounce::report::reply_of(recipient);
  object.text("template", recipient.diagnostic.empty() ? std::string() : bounce::text_template(reply));
  object.text("type", bounce::type_label(meaning.type)).text("reason", bounce::label(meaning.reason));
  object.number("reason_code", static_cast<uint64_t>(meaning.reason));
  object.text("scope", to_text(meaning.scope)).text("rule", meaning.rule);
  object.text("message_id", report.message_id).text("reporting_mta", report.reporting_mta);
  object.text("remote_mta", recipient.remote_mta).text("feedback_type", report.feedback_type);
  object.text("auto_reply", to_text(report.auto_reply)).text("envelope_id", report.envelope_id);
  object.text("token", to_text(token));
  object.end();
}

// Of mail that is no report: the same keys, empty, so that a program need not ask which it has.
void append_nothing(const MailPlace& place, std::string* out) {
  Object object(out);
  object.text("file", place.file).number("n", place.number).text("kind", to_text(Kind::kNotBounce));
  for (const char* key : {"recipient", "original_recipient", "action", "status", "diagnostic"})
    object.text(key, "");
  object.number("code", 0);
  for (const char* key : {"template", "type", "reason"}) object.text(key, "");
  object.null("reason_code");  // 0 is a reason
  for (const char* key : {"scope", "rule", "message_id", "reporting_mta", "remote_mta", "feedback_type",
                          "auto_reply", "envelope_id"})
    object.text(key, "");
  object.text("token", to_text(bounce::TokenState::kNone));
  object.end();
}

// In a report about several recipients each has a kind of its own.
Kind kind_of(const Report& report, const Recipient& recipient) {
  const bool mixed = report.kind == Kind::kDsn;
  if (!mixed) return report.kind;
  switch (recipient.action) {
    case bounce::report::Action::kDelayed:
      return Kind::kDelayed;
    case bounce::report::Action::kDelivered:
    case bounce::report::Action::kRelayed:
    case bounce::report::Action::kExpanded:
      return Kind::kDelivered;
    default:
      return report.kind;
  }
}

}  // namespace

void append_report_json(const Report& report, const MailPlace& place, const bounce::Qualifier& qualifier,
                        const TokenCheck& tokens, std::string* out) {
  if (report.kind == Kind::kNotBounce) {
    append_nothing(place, out);
    return;
  }
  const bounce::TokenState token =
      bounce::report::evidence_of(report, tokens.keys, tokens.paths, tokens.now).state;
  if (report.recipients.empty()) {
    append_recipient(report, Recipient(), place, report.kind, token, qualifier, out);
    return;
  }
  for (const Recipient& recipient : report.recipients) {
    append_recipient(report, recipient, place, kind_of(report, recipient), token, qualifier, out);
  }
}

}  // namespace relay::cli
