#include "bounce/qualifier.h"

#include <gtest/gtest.h>

namespace bounce {
namespace {

struct Case {
  const char* source;
  Stage stage;
  uint16_t code;
  const char* text;
  ErrorType type;
  Scope scope;
};

constexpr Case kCases[] = {
    {"RFC 5321 4.2.1: 5yz", Stage::kRcpt, 550, "5.1.1 no such user", ErrorType::kHard, Scope::kRecipient},
    {"RFC 5321 4.2.1: 4yz", Stage::kRcpt, 450, "4.2.1 busy", ErrorType::kSoft, Scope::kRecipient},
    {"no status", Stage::kRcpt, 550, "no", ErrorType::kHard, Scope::kRecipient},
    {"RFC 5321 3.8: 421", Stage::kRcpt, 421, "4.3.2 closing", ErrorType::kSoft, Scope::kConnection},
    {"greeting 4yz", Stage::kGreeting, 450, "busy", ErrorType::kSoft, Scope::kSite},
    {"greeting 554", Stage::kGreeting, 554, "no mail", ErrorType::kHard, Scope::kSite},
    {"EHLO", Stage::kEhlo, 550, "no", ErrorType::kHard, Scope::kSite},
    {"MAIL", Stage::kMail, 550, "5.7.1 no", ErrorType::kHard, Scope::kSender},
    {"RFC 3463 3.4: mail system", Stage::kMail, 452, "4.3.1 full", ErrorType::kSoft, Scope::kSite},
    {"RFC 3463 3.4: too big is the message's", Stage::kDot, 552, "5.3.4 big", ErrorType::kHard,
     Scope::kMessage},
    {"RFC 3463 3.8: policy is not the address", Stage::kRcpt, 550, "5.7.1 listed", ErrorType::kHard,
     Scope::kSender},
    {"RFC 3463 3.2: sender address", Stage::kRcpt, 550, "5.1.8 bad sender", ErrorType::kHard, Scope::kSender},
    {"RFC 3463 3.6: too many", Stage::kRcpt, 452, "4.5.3 too many", ErrorType::kSoft, Scope::kConnection},
    {"dot", Stage::kDot, 554, "5.6.0 spam", ErrorType::kHard, Scope::kMessage},
    {"dot about the mailbox", Stage::kDot, 552, "5.2.2 full", ErrorType::kHard, Scope::kRecipient},
    {"RFC 7505: null MX", Stage::kDns, 556, "5.1.10 null MX", ErrorType::kHard, Scope::kRecipient},
    {"SERVFAIL", Stage::kDns, 451, "4.4.3 servfail", ErrorType::kSoft, Scope::kSite},
    {"local", Stage::kLocal, 552, "5.3.4 big", ErrorType::kHard, Scope::kMessage},
    {"no reply", Stage::kDot, 0, "reset", ErrorType::kSoft, Scope::kConnection},
    {"no connection", Stage::kConnect, 0, "refused", ErrorType::kSoft, Scope::kSite},
    {"delivered", Stage::kDot, 250, "ok", ErrorType::kIgnored, Scope::kRecipient},
};

TEST(Qualifier, Table) {
  for (const Case& c : kCases) {
    const Qualification q = qualify(c.stage, Reply::make(c.code, c.text));
    EXPECT_EQ(q.type, c.type) << c.source;
    EXPECT_EQ(q.scope, c.scope) << c.source;
    EXPECT_FALSE(q.rule.empty()) << c.source;
  }
}

}  // namespace
}  // namespace bounce
