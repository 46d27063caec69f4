#include "bounce/report/meaning.h"

#include <utility>

#include "bounce/bare_name.h"
#include "bounce/diagnostic.h"
#include "bounce/report/diagnostic_text.h"
#include "bounce/report/recipient_words.h"
#include "bounce/report/text.h"

namespace bounce::report {
namespace {

Qualification fixed(ErrorType type, Reason reason, const char* rule) {
  Qualification meaning;
  meaning.type = type;
  meaning.reason = reason;
  meaning.scope = Scope::kRecipient;
  meaning.rule = rule;
  return meaning;
}

// A complaint is the recipient's word; a failed proof of origin is about us, and "not spam" is good news.
Qualification of_feedback(const Report& report) {
  if (report.feedback_type == "not-spam")
    return fixed(ErrorType::kIgnored, Reason::kErrorIgnored, "feedback-not-spam");
  if (report.feedback_type.starts_with("auth-failure") || report.feedback_type == "dmarc") {
    Qualification meaning = fixed(ErrorType::kIgnored, Reason::kRefused, "feedback-auth-failure");
    meaning.scope = Scope::kSender;
    return meaning;
  }
  return fixed(ErrorType::kHard, Reason::kRefused, "feedback-loop");
}

// Nothing is known but that no connection came about, as the rule of that name reads it or as no reply at all
// is read.
bool says_little(const Qualification& meaning) {
  return meaning.reason == Reason::kNotDefined || meaning.rule == "network";
}

std::string_view domain_of(std::string_view address) {
  const size_t at = address.rfind('@');
  return at == kNowhere ? std::string_view() : address.substr(at + 1);
}

Qualification of_words(const Report& report, const Recipient& recipient, const Qualifier& qualifier) {
  const std::string host = conf::ascii_lower(recipient.remote_mta);
  const std::string domain = conf::ascii_lower(domain_of(recipient.address));
  const Reply reply = reply_of(recipient);
  Occasion occasion{.stage = Stage::kUnknown, .reply = &reply, .mx_host = host, .recipient_domain = domain};
  occasion.local_part =
      local_part_of(recipient.address.empty() ? recipient.original_address : recipient.address);
  const Qualification meaning = qualifier.qualify(occasion);
  if (!says_little(meaning)) return meaning;
  // The sentence of the system that quotes a reply can hide what the reply says.
  if (leading_code(recipient.diagnostic, nullptr) == 0) {
    Reply quoted = read_diagnostic(recipient.diagnostic);
    if (quoted.code != 0) {
      if (!quoted.enhanced.present()) quoted.enhanced = reply.enhanced;
      occasion.reply = &quoted;
      const Qualification inner = qualifier.qualify(occasion);
      if (!says_little(inner)) return inner;
    }
  }
  if (report.notice.empty() || report.recipients.size() > 3) return meaning;
  // The diagnostic has no words that help; the notice around it may.
  Reply around;
  around.code = reply.code;
  around.lines.push_back(one_line(without_repeated_header(report.notice)));
  occasion.reply = &around;
  const Qualification wider = qualifier.qualify(occasion);
  return says_little(wider) ? meaning : wider;
}

}  // namespace

Reply reply_of(const Recipient& recipient) {
  Reply reply;
  std::string_view text = recipient.diagnostic;
  size_t length = 0;
  reply.code = leading_code(text, &length);
  if (reply.code != 0) {
    text = trimmed(text.substr(length));
  } else {
    reply.code = recipient.code;
  }
  // A report always tells of an end or a delay; where no code came with it the class of the status stands
  // in.
  if (reply.code == 0 && !recipient.status.empty() && recipient.status.front() != '2') {
    reply.code = recipient.status.front() == '4' ? 450 : 550;
  }
  reply.enhanced = EnhancedStatus::parse(recipient.status);
  // A status alone is what a server says that has no words for it.
  reply.lines.emplace_back(text.empty() ? std::string_view(recipient.status) : text);
  return reply;
}

Qualification meaning_of(const Report& report, const Recipient& recipient, const Qualifier& qualifier) {
  switch (report.kind) {
    case Kind::kFeedback:
      return of_feedback(report);
    case Kind::kAutoReply:
      return fixed(ErrorType::kIgnored, Reason::kUnreachable, "auto-replies");
    case Kind::kNotBounce:
    case Kind::kDelivered:
      return fixed(ErrorType::kIgnored, Reason::kNotDefined, "delivered");
    case Kind::kDsn:
    case Kind::kNonstandard:
    case Kind::kDelayed:
      break;
  }
  if (recipient.action != Action::kFailed && recipient.action != Action::kDelayed) {
    return fixed(ErrorType::kIgnored, Reason::kNotDefined, "delivered");
  }
  Qualification meaning = of_words(report, recipient, qualifier);
  // Words without a code in a report of failure are final where they say that the mailbox is not there.
  const bool gone = meaning.reason == Reason::kUserUnknown && meaning.scope == Scope::kRecipient;
  if (gone && recipient.action == Action::kFailed && reply_of(recipient).code == 0)
    meaning.type = ErrorType::kHard;
  const bool delay = recipient.action == Action::kDelayed;
  if (delay && meaning.type == ErrorType::kHard) meaning.type = ErrorType::kSoft;
  if (delay && meaning.reason == Reason::kNotDefined) meaning.reason = Reason::kUnreachable;
  return meaning;
}

}  // namespace bounce::report
