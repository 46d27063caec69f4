// What is wrong with a session, and not with the message: in the words of any server nobody fails by it.
#include <gtest/gtest.h>

#include <vector>

#include "tests/relay/smtp/client_rig.h"

namespace relay::smtp {
namespace {

using bounce::Stage;
using Kind = RecipientOutcome::Kind;

// One recipient; the replies that lead to `stage`, and then `reply`.
RecipientOutcome outcome_of(Peer* peer, Stage stage, const std::string& reply) {
  peer->session.begin(transaction(), peer->now);
  peer->take();
  if (stage != Stage::kMail) peer->say("250 ok\r\n");
  if (stage == Stage::kData || stage == Stage::kDot) peer->say("250 ok\r\n");
  if (stage == Stage::kDot) peer->say("354 go\r\n");
  peer->say(reply + "\r\n");
  ClientEvent event;
  if (!peer->session.next_event(&event, peer->now) || event.outcomes.empty()) {
    ADD_FAILURE() << "no outcome after " << reply;
    return {};
  }
  return event.outcomes[0];
}

// RFC 5321 §4.2.2: these codes, and RFC 3463 §3.6 this status, are about a command, in any language.
TEST(ClientTrouble, ACodeAboutCommandsIsNoRefusalWhateverItsWords) {
  for (const Stage stage : {Stage::kMail, Stage::kRcpt, Stage::kData, Stage::kDot}) {
    for (const char* reply :
         {"500 Befehl unbekannt", "502 5.5.2 Error", "500 5.5.2 unexpected data", "500 ?", "504 what",
          "554 5.5.0 Communication error", "550 5.5.0 wrong state", "502 Nope", "500 5.0.0 nope"}) {
      Peer alone("");
      const RecipientOutcome outcome = outcome_of(&alone, stage, reply);
      EXPECT_EQ(outcome.reply.code, 0) << reply << " at " << bounce::to_text(stage);
      EXPECT_FALSE(outcome.uncertain) << reply;
      if (stage == Stage::kDot) continue;
      Peer group("250-PIPELINING\r\n");
      EXPECT_EQ(outcome_of(&group, stage, reply).kind, Kind::kNotTried) << reply;
      EXPECT_TRUE(group.session.lessons().refused.has(Extension::kPipelining)) << reply;
    }
  }
}

TEST(ClientTrouble, WordsAboutAnAddressOrTheContentAreARefusalWhateverTheCode) {
  for (const char* reply :
       {"500 Benutzer unbekannt", "550 5.5.1 utilisateur inconnu", "500 5.1.1 no", "504 5.7.1 no",
        "550 5.5.0 your message is spam", "500 No such user here", "550 5.5.0 Relay access denied"}) {
    Peer peer("");
    EXPECT_NE(outcome_of(&peer, Stage::kRcpt, reply).reply.code, 0) << reply;
  }
}

}  // namespace
}  // namespace relay::smtp
