#include "bounce/qualifier.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

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
    {"no status", Stage::kRcpt, 550, "no", ErrorType::kSoft, Scope::kRecipient},
    {"RFC 5321 3.8: 421", Stage::kRcpt, 421, "4.3.2 closing", ErrorType::kSoft, Scope::kConnection},
    {"greeting 4yz", Stage::kGreeting, 450, "busy", ErrorType::kSoft, Scope::kSite},
    {"greeting 554", Stage::kGreeting, 554, "no mail", ErrorType::kSoft, Scope::kSite},
    {"EHLO", Stage::kEhlo, 550, "no", ErrorType::kSoft, Scope::kSite},
    {"MAIL", Stage::kMail, 550, "5.7.1 no", ErrorType::kSoft, Scope::kSender},
    {"RFC 3463 3.4: mail system", Stage::kMail, 452, "4.3.1 full", ErrorType::kSoft, Scope::kSite},
    {"RFC 3463 3.4: too big is the message's", Stage::kDot, 552, "5.3.4 big", ErrorType::kSoft,
     Scope::kMessage},
    {"RFC 3463 3.8: policy is not the address", Stage::kRcpt, 550, "5.7.1 listed", ErrorType::kSoft,
     Scope::kSender},
    {"RFC 3463 3.2: sender address", Stage::kRcpt, 550, "5.1.8 bad sender", ErrorType::kSoft, Scope::kSender},
    {"RFC 3463 3.6: too many", Stage::kRcpt, 452, "4.5.3 too many", ErrorType::kSoft, Scope::kConnection},
    {"dot", Stage::kDot, 554, "5.6.0 bad structure", ErrorType::kSoft, Scope::kMessage},
    {"dot about the mailbox", Stage::kDot, 552, "5.2.2 full", ErrorType::kSoft, Scope::kRecipient},
    {"RFC 7505: null MX", Stage::kDns, 556, "5.1.10 null MX", ErrorType::kSoft, Scope::kRecipient},
    {"SERVFAIL", Stage::kDns, 451, "4.4.3 servfail", ErrorType::kSoft, Scope::kSite},
    {"policy at the dot", Stage::kDot, 550, "5.7.1 refused", ErrorType::kSoft, Scope::kSender},
    {"content verdict", Stage::kDot, 554, "5.6.0 This looks like spam", ErrorType::kSoft, Scope::kSender},
    {"list, as the greeting", Stage::kGreeting, 554, "192.0.2.1 is listed in a DNSBL", ErrorType::kSoft,
     Scope::kSender},
    {"policy, as the greeting", Stage::kGreeting, 554, "5.7.1 no", ErrorType::kSoft, Scope::kSender},
    {"no address can be meant before MAIL", Stage::kEhlo, 550, "user unknown", ErrorType::kSoft,
     Scope::kSite},
    {"at MAIL the address is ours", Stage::kMail, 550, "5.1.0 user unknown", ErrorType::kSoft,
     Scope::kSender},
    {"the text is more exact than x.7.1", Stage::kRcpt, 550, "5.7.1 rejected: User unknown", ErrorType::kHard,
     Scope::kRecipient},
    {"the text is more exact than x.3.0", Stage::kRcpt, 553, "5.3.0 Address does not exist", ErrorType::kHard,
     Scope::kRecipient},
    {"a status and a word that contradict each other", Stage::kRcpt, 550, "5.1.1 see our spam policy",
     ErrorType::kSoft, Scope::kSender},
    {"without a status, at the dot", Stage::kDot, 550, "No such user here", ErrorType::kHard,
     Scope::kRecipient},
    {"a directory is no block list", Stage::kRcpt, 550, "someone not listed in Domino Directory",
     ErrorType::kHard, Scope::kRecipient},
    {"proof of origin", Stage::kDot, 550, "5.0.0 DMARC check failed", ErrorType::kSoft, Scope::kSender},
    {"case and hyphens", Stage::kDot, 550, "IP IS ON A BLOCK-LIST", ErrorType::kSoft, Scope::kSender},
    {"a word inside another is none", Stage::kDot, 550, "Unblocked antispam", ErrorType::kSoft,
     Scope::kMessage},
    {"their system", Stage::kDot, 451, "Disk is full", ErrorType::kSoft, Scope::kSite},
    {"not their domain", Stage::kRcpt, 554, "5.7.1 Relay access denied", ErrorType::kSoft, Scope::kSite},
    {"greylisting concerns nobody", Stage::kRcpt, 451, "4.7.1 Greylisted, come back", ErrorType::kSoft,
     Scope::kMessage},
    {"our own trouble", Stage::kLocal, 451, "4.7.5 not signed", ErrorType::kIgnored, Scope::kMessage},
    {"local", Stage::kLocal, 552, "5.3.4 big", ErrorType::kIgnored, Scope::kMessage},
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

struct PaceCase {
  Stage stage;
  uint16_t code;
  const char* text;
  bool throttling;
};

constexpr PaceCase kPaceCases[] = {
    {Stage::kGreeting, 421, "4.7.0 Try again later", true},
    {Stage::kGreeting, 421, "Too many concurrent connections from your host", true},
    {Stage::kGreeting, 421, "service not available", true},
    {Stage::kMail, 421, "service not available", false},
    {Stage::kRcpt, 450, "4.7.1 You have exceeded the number of messages per hour", true},
    {Stage::kRcpt, 452, "4.5.3 Too many recipients this hour", true},
    {Stage::kDot, 451, "4.7.0 Temporarily deferred due to user complaints", true},
    {Stage::kDot, 550, "5.7.0 Rate limit reached, slow down", true},
    {Stage::kDot, 450, "Throttled", true},
    {Stage::kMail, 421, "4.4.2 Connection closed", false},
    {Stage::kMail, 421, "Idle timeout, goodbye", false},
    {Stage::kMail, 421, "4.3.2 mx.example.net is shutting down", false},
    {Stage::kRcpt, 421, "Mailbox full", false},
    {Stage::kRcpt, 421, "4.7.0 Greylisted, try again later", false},
    {Stage::kMail, 421, "4.3.1 Insufficient system storage", false},
    {Stage::kRcpt, 451, "Try again later", false},
    {Stage::kRcpt, 452, "4.5.3 Too many recipients", false},
    {Stage::kRcpt, 452, "4.2.2 The mailbox is over its quota", false},
    {Stage::kRcpt, 450, "4.2.1 The user is receiving mail too quickly", false},
    {Stage::kRcpt, 550, "5.1.1 User unknown", false},
    {Stage::kConnect, 0, "timed out", false},
    {Stage::kDns, 451, "4.4.3 too many queries, rate limited", false},
    {Stage::kDot, 250, "2.0.0 queued, rate limit 100", false},
};

TEST(Qualifier, Throttling) {
  for (const PaceCase& c : kPaceCases) {
    EXPECT_EQ(qualify(c.stage, Reply::make(c.code, c.text)).pace == Pace::kSlower, c.throttling)
        << c.code << " " << c.text;
  }
}

TEST(Qualifier, SaysWhatDecided) {
  EXPECT_STREQ(to_text(qualify(Stage::kLocal, Reply::make(451, "4.7.5 not signed")).type), "ignored");
  EXPECT_EQ(qualify(Stage::kDot, Reply::make(550, "Rate-limited")).rule, "slower");
  EXPECT_EQ(qualify(Stage::kRcpt, Reply::make(550, "5.7.1 no")).rule, "status-5.7");
  EXPECT_EQ(qualify(Stage::kRcpt, Reply::make(550, "no")).rule, "unread");
  EXPECT_EQ(qualify(Stage::kRcpt, Reply::make(421, "closing")).rule, "code-not-answered");
}

// RFC 5321 §4.2.1: whatever the words are.
TEST(Qualifier, A4yzIsNeverHard) {
  const char* texts[] = {"5.1.1 user unknown", "rate limit",  "greylisted", "spam",
                         "disk full",          "relay denied"};
  for (const Stage stage : {Stage::kConnect, Stage::kGreeting, Stage::kEhlo, Stage::kTls, Stage::kMail,
                            Stage::kRcpt, Stage::kData, Stage::kDot}) {
    for (const char* text : texts) {
      EXPECT_NE(qualify(stage, Reply::make(450, text)).type, ErrorType::kHard) << text;
      EXPECT_NE(qualify(stage, Reply::make(421, text)).type, ErrorType::kHard) << text;
      if (before_mail(stage)) {
        EXPECT_NE(qualify(stage, Reply::make(550, text)).type, ErrorType::kHard);
      }
    }
  }
}

struct Meaning {
  Stage stage;
  uint16_t code;
  const char* text;
  ErrorType type;
  Reason reason;
  bool ends;
};

constexpr Meaning kMeanings[] = {
    {Stage::kRcpt, 550, "5.1.1 no such user", ErrorType::kHard, Reason::kUserUnknown, true},
    {Stage::kRcpt, 552, "5.2.2 mailbox full", ErrorType::kSoft, Reason::kMailboxFull, false},
    {Stage::kRcpt, 450, "4.2.1 busy", ErrorType::kSoft, Reason::kAccountDisabled, false},
    {Stage::kDot, 550, "5.7.1 listed", ErrorType::kSoft, Reason::kRefused, false},
    {Stage::kDot, 552, "5.3.4 too big", ErrorType::kSoft, Reason::kRefused, true},
    {Stage::kGreeting, 554, "no mail", ErrorType::kSoft, Reason::kUnreachable, false},
    {Stage::kConnect, 0, "refused", ErrorType::kSoft, Reason::kUnreachable, false},
    {Stage::kDns, 556, "5.1.10 null MX", ErrorType::kSoft, Reason::kInvalidDomain, true},
};

TEST(Qualifier, TheMeaningDecidesTheTypeAndNotTheClass) {
  for (const Meaning& c : kMeanings) {
    const Reply reply = Reply::make(c.code, c.text);
    const Qualification q = Qualifier::shipped()->qualify({c.stage, &reply});
    EXPECT_EQ(q.type, c.type) << c.text;
    EXPECT_EQ(q.reason, c.reason) << c.text << ": " << label(q.reason);
    EXPECT_EQ(ends_at_once(q), c.ends) << c.text;
  }
}

// Real replies with the labels that others gave them, where the collection lies beside the source: how often
// the scope fits the label. A floor against gross mistakes, not a measure of quality.
TEST(Qualifier, ScopesOfRealReplies) {
  std::ifstream file(std::string(PENSTOCK_SOURCE_DIR) + "/../shared/corpus/replies.tsv");
  if (!file) GTEST_SKIP() << "no collection of replies here";
  const std::map<std::string, Scope> expected = {
      {"userunknown", Scope::kRecipient}, {"user_unknown", Scope::kRecipient},
      {"mailboxfull", Scope::kRecipient}, {"mailbox_full", Scope::kRecipient},
      {"suspend", Scope::kRecipient},     {"user_disabled", Scope::kRecipient},
      {"spam", Scope::kSender},           {"spamdetected", Scope::kSender},
      {"blocked", Scope::kSender},        {"authfailure", Scope::kSender},
      {"requireptr", Scope::kSender},     {"policyviolation", Scope::kSender},
      {"badreputation", Scope::kSender},  {"defer/blacklist/Sender IP blacklisted", Scope::kSender},
      {"speeding", Scope::kSender},       {"toomanyconn", Scope::kSender},
      {"rate_limited", Scope::kSender}};
  const std::set<std::string> slower = {"speeding", "toomanyconn", "rate_limited",
                                        "defer/capacity/Too many connections"};
  int scopes = 0, scopes_right = 0, paces = 0, paces_right = 0, others = 0, others_slower = 0;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::vector<std::string> fields;
    std::istringstream columns(line);
    for (std::string field; std::getline(columns, field, '\t');) fields.push_back(field);
    if (fields.size() < 12 || fields[1].size() != 3) continue;
    const std::string& label = fields[11];
    const std::string text = fields[3].starts_with(fields[1]) ? fields[3].substr(3) : fields[3];
    const Stage stage =
        expected.contains(label) && expected.at(label) == Scope::kSender ? Stage::kDot : Stage::kRcpt;
    const Qualification q = qualify(stage, Reply::make(static_cast<uint16_t>(std::stoi(fields[1])),
                                                       text.substr(text.find_first_not_of(" -"))));
    if (expected.contains(label)) {
      ++scopes;
      scopes_right += q.scope == expected.at(label) ? 1 : 0;
    }
    if (slower.contains(label)) {
      ++paces;
      paces_right += q.pace == Pace::kSlower ? 1 : 0;
    } else if (fields[1] != "421") {
      ++others;
      others_slower += q.pace == Pace::kSlower ? 1 : 0;
    }
  }
  std::printf("scope %d of %d, slower pace %d of %d, slower pace where none is asked for %d of %d\n",
              scopes_right, scopes, paces_right, paces, others_slower, others);
  EXPECT_GE(scopes_right * 10, scopes * 7);
  EXPECT_GE(paces_right * 2, paces);
  EXPECT_LE(others_slower * 20, others);
}

// Its word about permission is about our account, which the operator can mend.
TEST(Qualifier, AtASmartHostARefusalOfOurAccountWaits) {
  for (const char* text : {"5.7.1 Client is unauthenticated", "Unauthenticated senders not allowed"}) {
    const Reply reply = Reply::make(550, text);
    Occasion occasion;
    occasion.stage = Stage::kMail;
    occasion.reply = &reply;
    EXPECT_TRUE(ends_at_once(Qualifier::shipped()->qualify(occasion))) << text;
    occasion.smart_host = true;
    EXPECT_FALSE(ends_at_once(Qualifier::shipped()->qualify(occasion))) << text;
  }
  const Reply unknown = Reply::make(550, "5.1.1 User unknown");
  Occasion occasion;
  occasion.stage = Stage::kRcpt;
  occasion.reply = &unknown;
  occasion.smart_host = true;
  EXPECT_TRUE(ends_at_once(Qualifier::shipped()->qualify(occasion)));
}

// RFC 5321 §3.8: it closes the connection, which greylisting does not need.
TEST(Qualifier, A421IsGreylistingOnlyWhereItSaysSo) {
  struct Case {
    uint16_t code;
    const char* text;
    Scope scope;
    Pace pace;
  };
  for (const Case& each :
       {Case{450, "4.2.0 greylisted, try again in 5 minutes", Scope::kMessage, Pace::kSame},
        Case{421, "4.7.0 greylisted, try again in 5 minutes", Scope::kMessage, Pace::kSame},
        Case{421, "4.7.0 Liste grise, veuillez revenir dans 5 minutes", Scope::kMessage, Pace::kSame},
        Case{421, "4.2.1 The user is receiving mail too quickly", Scope::kConnection, Pace::kSlower},
        Case{421, "try again in 5 minutes", Scope::kConnection, Pace::kSlower},
        Case{421, "4.3.2 The server is busy, try again in a few minutes", Scope::kConnection,
             Pace::kUnsaid}}) {
    const Qualification meaning = qualify(Stage::kRcpt, Reply::make(each.code, each.text));
    EXPECT_EQ(meaning.scope, each.scope) << each.code << each.text;
    EXPECT_EQ(meaning.pace, each.pace) << each.code << each.text;
  }
}

// RFC 3463 §3.4: x.3.z is the system's, and not a wish for a slower pace.
TEST(Qualifier, A421OfTheSystemIsNoPace) {
  const auto throttles = [](Stage stage, const char* text) {
    const Reply reply = Reply::make(421, text);
    return qualify(stage, reply).pace == Pace::kSlower;
  };
  for (const char* text : {"Service not available", "4.3.2 load too high", "4.3.0 no"})
    EXPECT_FALSE(throttles(Stage::kMail, text)) << text;
  // RFC 5321 §4.2.2: "Service not available" is what the code says.
  for (const char* text : {"", "4.0.0", "4.3.0", "4.4.1", "mx.far.example", "4.4.0 [mx.far.example]",
                           "closing", "mx.far.example closing connection", "Bye!"})
    EXPECT_FALSE(throttles(Stage::kRcpt, text)) << text;
  // RFC 3463 §3.8: x.7.z is about us, and the next host would say the same.
  for (const char* text : {"4.7.0", "4.7.1", "4.7.28", "4.7.1 mx.far.example", "4.7.0 no",
                           "4.7.0 Temporary system problem", "4.3.2 too many connections"})
    EXPECT_TRUE(throttles(Stage::kMail, text)) << text;
}

}  // namespace
}  // namespace bounce
