#include "bounce/report/meaning.h"

#include <array>
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

// Sentences that a system writes into each of its notices, whatever the reason.
constexpr std::array<std::string_view, 19> kFixedWords = {"it's attached below",
                                                          "is attached below",
                                                          "the attached message",
                                                          "attached message's",
                                                          "the attached returned message",
                                                          "as a separate attachment",
                                                          "is attached to this",
                                                          "are attached",
                                                          "is attached",
                                                          "message header fields",
                                                          "header fields",
                                                          "message headers",
                                                          "multiple recipients",
                                                          "one or more of its recipients",
                                                          "one or more recipients",
                                                          "one or more of the recipients",
                                                          "the number and frequency",
                                                          "cc:mail",
                                                          "contact your system administrator"};

std::string without_fixed_words(std::string text) {
  for (const std::string_view words : kFixedWords) {
    std::string out;
    size_t begin = 0;
    for (size_t at; (at = find_folded(text, words, begin)) != kNowhere; begin = at + words.size())
      out.append(text, begin, at - begin).append(1, ' ');
    if (begin > 0) text = out.append(text, begin);
  }
  return text;
}

// What a notice says around a reason is about the mail and about us whatever the reason is.
bool is_of_any_notice(std::string_view rule) {
  return rule == "about-us" || rule == "form" || rule == "our-name" || rule.starts_with("too-many");
}

// A status of the network (RFC 3463 §3.5) says all there is.
bool is_of_network(std::string_view status) { return status.size() >= 5 && status.substr(1, 3) == ".4."; }

std::string_view domain_of(std::string_view address) {
  const size_t at = address.rfind('@');
  return at == kNowhere ? std::string_view() : address.substr(at + 1);
}

// "5.1.0 - Unknown address error 550-'5.7.1 not allowed'": some systems set the same words before each
// refusal, and quote what was said. Code 0: it is none of these.
Reply quotation_of(std::string_view diagnostic) {
  const std::string status = find_status(diagnostic.substr(0, 12));
  if (status.empty() || !diagnostic.starts_with(status + " - ")) return {};
  const size_t quote = diagnostic.find("-'", status.size());
  const size_t end = diagnostic.rfind('\'');
  if (quote == kNowhere || quote < 3 || end < quote + 3) return {};
  const std::string_view code = diagnostic.substr(quote - 3, 3);
  if (diagnostic[quote - 4] != ' ' || leading_code(code, nullptr) == 0) return {};
  return read_diagnostic(std::string(code) + ' ' +
                         std::string(diagnostic.substr(quote + 2, end - quote - 2)));
}

Qualification of_words(const Report& report, const Recipient& recipient, const Qualifier& qualifier) {
  const std::string host = conf::ascii_lower(recipient.remote_mta);
  const std::string domain = conf::ascii_lower(domain_of(recipient.address));
  const Reply reply = reply_of(recipient);
  Occasion occasion{.stage = Stage::kUnknown, .reply = &reply, .mx_host = host, .recipient_domain = domain};
  if (reply.code != 0) occasion.stage = stage_said(recipient.diagnostic);
  occasion.local_part =
      local_part_of(recipient.address.empty() ? recipient.original_address : recipient.address);
  if (const Reply refusal = quotation_of(recipient.diagnostic); refusal.code != 0) {
    occasion.reply = &refusal;
    const Qualification inner = qualifier.qualify(occasion);
    if (!says_little(inner)) return inner;
    occasion.reply = &reply;
  }
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
  // Of several recipients the notice tells the reasons of the others too.
  const bool known = meaning.reason != Reason::kNotDefined || is_of_network(recipient.status);
  if (known || report.notice.empty() || report.recipients.size() > 1) return meaning;
  // The diagnostic has no words that help; the notice around it may.
  Reply around;
  around.code = reply.code;
  around.lines.push_back(without_fixed_words(one_line(without_repeated_header(report.notice))));
  occasion.reply = &around;
  const Qualification wider = qualifier.qualify(occasion);
  return says_little(wider) || is_of_any_notice(wider.rule) ? meaning : wider;
}

// A mail system whose name reads as a field of a header.
std::string without_product(std::string_view text) {
  constexpr std::string_view kName = "cc:mail";
  const size_t at = find_folded(text, kName);
  std::string out(text);
  return at == kNowhere ? out : out.erase(at, kName.size());
}

// "host mx.example.com [192.0.2.1]: Connection refused": who was asked is none of the words.
std::string_view behind_host(std::string_view text) {
  if (!starts_with_folded(text, "host ")) return text;
  const size_t open = text.substr(0, 300).find(" [");
  const size_t end = open == kNowhere ? open : text.find(']', open);
  if (end == kNowhere || text.substr(5, open - 5).find(' ') != kNowhere) return text;
  std::string_view rest = trimmed(text.substr(end + 1));
  if (rest.starts_with(':')) rest = trimmed(rest.substr(1));
  return rest.empty() ? text : rest;
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
    text = behind_host(text);
  }
  // A report always tells of an end or a delay; where no code came with it the class of the status stands
  // in.
  if (reply.code == 0 && !recipient.status.empty() && recipient.status.front() != '2') {
    reply.code = recipient.status.front() == '4' ? 450 : 550;
  }
  reply.enhanced = EnhancedStatus::parse(recipient.status);
  // A status alone is what a server says that has no words for it.
  reply.lines.emplace_back(without_product(text.empty() ? std::string_view(recipient.status) : text));
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
