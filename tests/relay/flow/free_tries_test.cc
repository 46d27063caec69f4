#include "relay/flow/free_tries.h"

#include "tests/relay/flow/path_rig.h"

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)
using Kind = smtp::RecipientOutcome::Kind;

class FreeTriesTest : public PathTest {
 protected:
  FreeTriesTest() {
    route_by({{"one.test", 5, 25, {"192.0.2.1"}}, {"two.test", 10, 25, {"192.0.2.2"}}});
    connection_ = connection_to({"one.test", "192.0.2.1", 25, 0, {}});
  }
  static smtp::RecipientOutcome outcome(Kind kind, uint16_t code, bounce::Scope scope) {
    smtp::RecipientOutcome outcome;
    outcome.kind = kind;
    outcome.reply = bounce::Reply::make(code, "as said");
    outcome.meaning.scope = scope;
    return outcome;
  }
  static smtp::RecipientOutcome full_disk() { return outcome(Kind::kRefused, 452, bounce::Scope::kSite); }
  void try_next(std::vector<smtp::RecipientOutcome>* outcomes) {
    tries_.try_next_host(*connection_, &delivery_, outcomes, clock_.now(), clock_.now());
  }

  Hosts hosts_{&random_};
  std::vector<std::string> told_;
  ServerTroubles troubles_{
      [this](const queue::Path&, const ServerTrouble& trouble) { told_.push_back(trouble.text); }};
  FreeTries tries_{&hosts_, &troubles_};
  queue::Delivery delivery_;
  std::unique_ptr<OutboundConnection> connection_;
};

TEST_F(FreeTriesTest, TroubleOfOneHostIsNoTryWhileAnotherHostIsWell) {
  std::vector<smtp::RecipientOutcome> outcomes = {full_disk()};
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kNotTried);
  EXPECT_EQ(told_, std::vector<std::string>{"the next host is tried: 452 as said"});
  EXPECT_TRUE(site_.is_left("192.0.2.1", clock_.now()));
  EXPECT_TRUE(hosts_.is_worse_than_needed(*connection_, clock_.now()));
}

// RFC 5321 §5.1: each address is tried until an attempt succeeds, and this was none.
TEST_F(FreeTriesTest, ASessionThatBrokeLeadsToTheNextHost) {
  std::vector<smtp::RecipientOutcome> outcomes = {outcome(Kind::kRefused, 0, bounce::Scope::kConnection)};
  outcomes[0].broken = true;
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kNotTried);
  EXPECT_EQ(told_, std::vector<std::string>{"the next host is tried: as said"});
  EXPECT_TRUE(site_.is_left("192.0.2.1", clock_.now()));
}

// The message may have been taken: it is not sent again before its time, and then over another host.
TEST_F(FreeTriesTest, ASessionThatBrokeBehindTheDotLeadsToTheNextHostLater) {
  std::vector<smtp::RecipientOutcome> outcomes = {outcome(Kind::kRefused, 0, bounce::Scope::kConnection)};
  outcomes[0].uncertain = true;
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kRefused);
  EXPECT_TRUE(site_.is_left("192.0.2.1", clock_.now() + 9min));
  EXPECT_TRUE(hosts_.is_worse_than_needed(*connection_, clock_.now() + 9min));
}

// RFC 5321 §3.8 leads to the next host, but not where a 250 came before that may have been the content's.
TEST_F(FreeTriesTest, AHostThatGoesDownBehindADoubtfulAnswerIsNoReasonToSendAtOnce) {
  std::vector<smtp::RecipientOutcome> outcomes = {outcome(Kind::kRefused, 421, bounce::Scope::kConnection)};
  outcomes[0].reply = bounce::Reply::make(421, "4.3.2 mx.one.test shutting down");
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kNotTried);
  outcomes[0].kind = Kind::kRefused;
  outcomes[0].uncertain = true;
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kRefused);
}

// A host that takes not even one recipient says nothing of itself alone.
TEST_F(FreeTriesTest, WhatWaitsWithoutABrokenSessionIsATry) {
  std::vector<smtp::RecipientOutcome> outcomes = {outcome(Kind::kRefused, 0, bounce::Scope::kConnection)};
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kRefused);
}

TEST_F(FreeTriesTest, ItIsATryWhenNoOtherHostIsWell) {
  hosts_.failed(path_, {"two.test", "192.0.2.2", 25, 1, {}}, clock_.now(), clock_.now());
  std::vector<smtp::RecipientOutcome> outcomes = {full_disk()};
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kRefused);
  EXPECT_TRUE(told_.empty());
}

// An address that cannot be written in a command is the same everywhere.
TEST_F(FreeTriesTest, OfOurOwnRefusalsOnlyThoseForWhatAHostOffersLeadOn) {
  for (const auto& [text, leads_on] :
       {std::pair("5.3.4 too big", true), std::pair("5.6.3 8-bit", true), std::pair("5.6.7 UTF-8", true),
        std::pair("5.1.3 has characters that cannot be sent", false)}) {
    site_.left_hosts.clear();
    std::vector<smtp::RecipientOutcome> outcomes = {outcome(Kind::kRefused, 554, bounce::Scope::kMessage)};
    outcomes[0].reply = bounce::Reply::make(554, text);
    outcomes[0].local = true;
    try_next(&outcomes);
    EXPECT_EQ(outcomes[0].kind == Kind::kNotTried, leads_on) << text;
  }
  EXPECT_TRUE(told_.empty());
}

smtp::RecipientOutcome too_big(uint64_t octets) {
  smtp::RecipientOutcome outcome;
  outcome.kind = Kind::kRefused;
  outcome.stage = bounce::Stage::kLocal;
  outcome.reply = bounce::Reply::make(552, "5.3.4 too big");
  outcome.local = true;
  outcome.octets = octets;
  outcome.meaning.act = bounce::Act::kFail;
  return outcome;
}

// RFC 1870 §6.1: what one message is too big for says nothing of the next.
TEST_F(FreeTriesTest, AHostWhoseOfferIsTooLittleForOneMessageIsAskedForASmallerOne) {
  site_.offers["192.0.2.2 25"] = {20'000, false, false, clock_.now() + 10min};
  std::vector<smtp::RecipientOutcome> outcomes = {too_big(40'000)};
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kRefused) << "no host takes it";
  EXPECT_TRUE(bounce::ends_at_once(outcomes[0].meaning));
  outcomes = {too_big(6'000)};
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kNotTried) << "the other one does";
  outcomes = {too_big(40'000)};
  outcomes[0].octets = 0;
  outcomes[0].reply = bounce::Reply::make(553, "5.6.7 UTF-8");
  site_.offers["192.0.2.2 25"].utf8 = true;
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kNotTried) << "its size is another matter";
  outcomes = {too_big(40'000)};
  site_.offers["192.0.2.2 25"].max_size = 0;
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kNotTried) << "no limit";
}

TEST_F(FreeTriesTest, WhatAHostOffersIsForgottenAndOfAnotherFamilyNoneIsAsked) {
  site_.offers["192.0.2.2 25"] = {20'000, true, false, clock_.now() + 10min};
  std::vector<smtp::RecipientOutcome> outcomes = {too_big(40'000)};
  outcomes[0].reply = bounce::Reply::make(554, "5.6.3 8-bit");
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kNotTried) << "the other one takes it";
  clock_.time += 10min;
  outcomes = {too_big(40'000)};
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kNotTried) << "it may take more by now";
  route_by({{"one.test", 5, 25, {"192.0.2.1"}}, {"two.test", 10, 25, {"2001:db8::2"}}});
  path_.source.address = "192.0.2.9";
  outcomes = {too_big(40'000)};
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kRefused) << "this source cannot reach it";
  EXPECT_TRUE(bounce::ends_at_once(outcomes[0].meaning));
}

TEST_F(FreeTriesTest, WhereTheFreeTriesAreUsedUpMailForAnotherOfferWaits) {
  delivery_.free_tries = 12;
  std::vector<smtp::RecipientOutcome> outcomes = {too_big(6'000)};
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kRefused);
  EXPECT_EQ(outcomes[0].reply.code, 451);
}

TEST_F(FreeTriesTest, WhileAHostThatMayOfferMoreCannotBeAskedTheMailWaits) {
  hosts_.failed(path_, {"two.test", "192.0.2.2", 25, 1, {}}, clock_.now(), clock_.now());
  std::vector<smtp::RecipientOutcome> outcomes = {too_big(6'000)};
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kRefused);
  EXPECT_EQ(outcomes[0].reply.code, 451);
  EXPECT_EQ(outcomes[0].reply.text(), "4.4.1 too big; a host that may take it cannot be asked at present");
  EXPECT_FALSE(bounce::ends_at_once(outcomes[0].meaning));
  EXPECT_EQ(outcomes[0].meaning.type, bounce::ErrorType::kIgnored) << "it says nothing of the recipient";
}

TEST_F(FreeTriesTest, TroubleOfTheRecipientIsATry) {
  std::vector<smtp::RecipientOutcome> outcomes = {outcome(Kind::kRefused, 452, bounce::Scope::kRecipient)};
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kRefused);
}

// "552 5.3.1 system full": it will be tried again, and another host may be well.
TEST_F(FreeTriesTest, WhatAHostSaysOfItselfLeadsOnWhateverItsClassAndWhatIsFinalDoesNot) {
  std::vector<smtp::RecipientOutcome> outcomes = {outcome(Kind::kRefused, 552, bounce::Scope::kSite)};
  outcomes[0].meaning.act = bounce::Act::kFail;
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kRefused);
  outcomes[0].meaning.act = bounce::Act::kNone;
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kNotTried);
}

// RFC 5321 §3.8: a 421 that speaks of the recipient says nothing of the host; nor does what is final.
TEST_F(FreeTriesTest, AboutTheConnectionOnlyWhatWaitsAndSaysNothingElseLeadsOn) {
  const struct {
    uint16_t code;
    const char* text;
    bounce::Pace pace;
    bool leads_on;
  } cases[] = {{421, "closing", bounce::Pace::kUnsaid, true},
               {421, "closing", bounce::Pace::kSame, false},
               {451, "4.3.0 closing", bounce::Pace::kUnsaid, true},
               {554, "5.3.0 closing", bounce::Pace::kUnsaid, false}};
  for (const auto& [code, text, pace, leads_on] : cases) {
    site_.left_hosts.clear();
    std::vector<smtp::RecipientOutcome> outcomes = {
        outcome(Kind::kRefused, code, bounce::Scope::kConnection)};
    outcomes[0].reply = bounce::Reply::make(code, text);
    outcomes[0].meaning.pace = pace;
    try_next(&outcomes);
    EXPECT_EQ(outcomes[0].kind == Kind::kNotTried, leads_on) << code << ' ' << leads_on;
  }
}

TEST_F(FreeTriesTest, AHostThatTakesMailForSomeIsNotSick) {
  std::vector<smtp::RecipientOutcome> outcomes = {outcome(Kind::kDelivered, 250, bounce::Scope::kSite),
                                                  full_disk()};
  try_next(&outcomes);
  EXPECT_EQ(outcomes[1].kind, Kind::kRefused);
}

TEST_F(FreeTriesTest, ADeliveryHasTwelveFreeTriesInARow) {
  for (int i = 0; i < 12; ++i) {
    std::vector<smtp::RecipientOutcome> outcomes = {full_disk()};
    try_next(&outcomes);
    ASSERT_EQ(outcomes[0].kind, Kind::kNotTried) << i;
  }
  EXPECT_EQ(told_.size(), 1U) << "while the host is left it is told once";
  std::vector<smtp::RecipientOutcome> outcomes = {full_disk()};
  try_next(&outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kRefused);
  EXPECT_EQ(delivery_.free_tries, 0);
}

TEST_F(FreeTriesTest, AConnectionThatNeverAnswersIsARefusalAfterTwelveTimes) {
  for (int i = 0; i < 12; ++i) {
    std::vector<smtp::RecipientOutcome> outcomes = {outcome(Kind::kNotTried, 0, bounce::Scope::kSite)};
    FreeTries::bound(&delivery_, &outcomes);
    ASSERT_EQ(outcomes[0].kind, Kind::kNotTried) << i;
  }
  std::vector<smtp::RecipientOutcome> outcomes = {outcome(Kind::kNotTried, 0, bounce::Scope::kSite)};
  FreeTries::bound(&delivery_, &outcomes);
  EXPECT_EQ(outcomes[0].kind, Kind::kRefused);
  EXPECT_EQ(outcomes[0].reply.code, 0);
}

}  // namespace
}  // namespace relay
