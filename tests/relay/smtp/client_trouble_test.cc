// What is wrong with a session, and not with the message: in the words of any server nobody fails by it.
#include <gtest/gtest.h>

#include <vector>

#include "relay/smtp/refused_parameters.h"
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
        "550 5.5.0 your message is spam", "500 No such user here", "550 5.5.0 Relay access denied",
        "550 5.5.0 Addressee? None of the name was ever seen"}) {
    Peer peer("");
    EXPECT_NE(outcome_of(&peer, Stage::kRcpt, reply).reply.code, 0) << reply;
  }
}

// RFC 3030 §2: what was offered may be unknown behind the offer. Whatever its end, DATA is next.
TEST(ClientTrouble, BdatThatEndsNeitherWellNorInARefusalIsLeftOut) {
  const std::string features = "250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-CHUNKING\r\n";
  for (const std::string end :
       {"close", "silence", "421 4.5.1 no", "554 5.5.1 Error: no valid recipients", "550 Command not allowed",
        "550 nein", "442 no", "451 4.3.0 no", "503 5.5.1 no", "what"}) {
    Peer peer(features);
    peer.session.begin(transaction(), peer.now);
    ASSERT_NE(peer.take().find("BDAT"), std::string::npos);
    peer.say("250 2.1.0 ok\r\n250 2.1.5 ok\r\n");
    if (end == "close") {
      peer.session.on_peer_closed("gone", peer.now);
    } else if (end == "silence") {
      peer.session.on_deadline(peer.now + std::chrono::hours(1));
    } else {
      peer.say(end + "\r\n");
    }
    EXPECT_TRUE(peer.session.lessons().refused.has(Extension::kChunking)) << end;
  }
  for (const std::string end : {"250 2.6.0 taken", "550 5.7.1 your message is spam", "550 5.1.1 no such user",
                                "451 4.7.0 slow down, too many messages"}) {
    Peer peer(features);
    peer.session.begin(transaction(), peer.now);
    peer.take();
    peer.say("250 2.1.0 ok\r\n250 2.1.5 ok\r\n" + end + "\r\n");
    EXPECT_FALSE(peer.session.lessons().refused.has(Extension::kChunking)) << end;
  }
}

// RFC 5321 §4.2.3; and what waits is not learnt from.
TEST(ClientTrouble, A504AloneIsAboutParametersUnlessItSpeaksOfAnAddress) {
  ExtensionSet sent;
  sent.add(Extension::kSize);
  EXPECT_TRUE(refused_parameters(bounce::Reply::make(504, "what"), sent).has(Extension::kSize));
  for (const char* text : {"5.7.1 no", "a fully-qualified address, please"})
    EXPECT_TRUE(refused_parameters(bounce::Reply::make(504, text), sent).empty()) << text;
  EXPECT_TRUE(refuses_eight_bit(bounce::Reply::make(554, "5.6.3 no conversion")));
  EXPECT_FALSE(refuses_eight_bit(bounce::Reply::make(451, "4.6.3 no conversion now")));
}

// It is refused for want of a recipient, as DATA would be.
TEST(ClientTrouble, BdatForNobodyTeachesNothing) {
  Peer peer("250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-CHUNKING\r\n");
  peer.session.begin(transaction(), peer.now);
  peer.take();
  peer.say("250 ok\r\n550 5.1.1 no such user\r\n554 5.5.1 no valid recipients\r\n");
  EXPECT_FALSE(peer.session.lessons().refused.has(Extension::kChunking));
}

// Before the answer to the content only a fresh connection shows it: a kept one may have gone of itself.
TEST(ClientTrouble, AKeptConnectionThatHadGoneSaysNothingOfBdat) {
  for (const bool kept : {false, true}) {
    for (const bool at_mail : {false, true}) {
      Peer peer("250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-CHUNKING\r\n");
      ClientEvent event;
      if (kept) {
        peer.session.begin(transaction(), peer.now);
        peer.take();
        peer.say("250 2.1.0 ok\r\n250 2.1.5 ok\r\n250 2.6.0 taken\r\n");
        while (peer.session.next_event(&event, peer.now)) {
        }
      }
      peer.session.begin(transaction(), peer.now);
      ASSERT_NE(peer.take().find("BDAT"), std::string::npos);
      if (!at_mail) peer.say("250 2.1.0 ok\r\n250 2.1.5 ok\r\n");
      peer.session.on_peer_closed("gone", peer.now);
      EXPECT_EQ(peer.session.lessons().refused.has(Extension::kChunking), !kept || !at_mail)
          << kept << ' ' << at_mail;
    }
  }
}

// Who is sent eight bits that it never offered to take would get the same once more.
TEST(ClientTrouble, EightBitsThatAreSentAnywayAndRefusedAreRefused) {
  ClientOptions options;
  options.eight_bit_anyway = true;
  Peer peer("", options);
  Transaction mail = transaction();
  mail.body = conf::Bytes("\r\ngr\xc3\xbc\xc3\x9f\x65\r\n");
  peer.session.begin(std::move(mail), peer.now);
  peer.take();
  for (const char* said : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n"}) peer.say(said);
  peer.say("554 5.6.3 Conversion required but not supported\r\n");
  ClientEvent event;
  ASSERT_TRUE(peer.session.next_event(&event, peer.now));
  ASSERT_EQ(event.outcomes.size(), 1U);
  EXPECT_EQ(event.outcomes[0].kind, Kind::kRefused);
  EXPECT_FALSE(peer.session.lessons().refused.has(Extension::kEightBitContent));
}

// RFC 6152 §3: who offered 8BITMIME and takes seven bits only gets seven bits.
TEST(ClientTrouble, ContentRefusedForItsEightBitsIsNotTriedAndTheyAreLeftOut) {
  for (const char* reply :
       {"554 5.6.3 Conversion required but not supported", "550 5.6.1 8BITMIME not supported here",
        "554 Message contains 8-bit data", "554 no 8bit content please"}) {
    for (const bool eight_bit : {true, false}) {
      Peer peer("250-8BITMIME\r\n");
      Transaction mail = transaction();
      if (eight_bit) mail.body = conf::Bytes("\r\ngr\xc3\xbc\xc3\x9f\x65\r\n");
      peer.session.begin(std::move(mail), peer.now);
      peer.take();
      for (const char* said : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n"}) peer.say(said);
      peer.say(std::string(reply) + "\r\n");
      ClientEvent event;
      ASSERT_TRUE(peer.session.next_event(&event, peer.now)) << reply;
      ASSERT_EQ(event.outcomes.size(), 1U) << reply;
      EXPECT_EQ(event.outcomes[0].kind, eight_bit ? Kind::kNotTried : Kind::kRefused) << reply;
      EXPECT_EQ(peer.session.peer().eight_bit_clean, !eight_bit) << reply;
      EXPECT_EQ(peer.session.peer().eight_bit_mime, !eight_bit) << reply;
      EXPECT_EQ(peer.session.lessons().refused.has(Extension::kEightBitContent), eight_bit) << reply;
    }
  }
}

// The outcome of the first recipient; what came before is passed over.
RecipientOutcome last_outcome(Peer* peer) {
  RecipientOutcome last;
  ClientEvent event;
  while (peer->session.next_event(&event, peer->now))
    if (!event.outcomes.empty()) last = event.outcomes[0];
  return last;
}

// A second word about the last message stands in one segment with the answer to MAIL.
TEST(ClientTrouble, ALateRefusalInOneReadWithTheAnswerToMailIsNobodys) {
  for (const char* late : {"554 5.7.1 refused: virus found", "550 5.7.1 spam", "552 5.3.4 too big"}) {
    Peer peer("");
    peer.session.begin(transaction(), peer.now);
    for (const char* said : {"250 ok\r\n", "250 ok\r\n", "354 go\r\n", "250 stored\r\n"}) peer.say(said);
    EXPECT_EQ(last_outcome(&peer).kind, Kind::kDelivered);
    peer.session.begin(transaction(), peer.now);
    peer.take();
    peer.say(std::string(late) + "\r\n250 2.1.0 sender ok\r\n");
    EXPECT_EQ(last_outcome(&peer).kind, Kind::kNotTried) << late;
  }
}

// RFC 5321 §4.1.1.4: what has begun before the content went is no reply to it, whenever it ends.
TEST(ClientTrouble, AReplyThatBeganBeforeTheContentTookNothing) {
  for (const char* begun : {"2", "250 taken\r", "250-ta", "250 2.0.0 taken"}) {
    Peer peer("");
    peer.session.begin(transaction(), peer.now);
    peer.say("250 ok\r\n");
    peer.say("250 ok\r\n");
    peer.session.receive(std::string("354 go\r\n") + begun, peer.now);
    peer.say("\n250 ok\r\n");
    const RecipientOutcome outcome = last_outcome(&peer);
    EXPECT_NE(outcome.kind, Kind::kDelivered) << begun;
    EXPECT_TRUE(outcome.uncertain) << begun;
  }
}

// RFC 5321 §4.5.3.1.10: the rest goes in the next transaction, however 452 is worded.
TEST(ClientTrouble, A452BehindOthersIsAboutTheirNumber) {
  for (const char* reply : {"452 Requested action not taken: insufficient system storage", "452 4.3.1 later",
                            "452 too many", "452 4.2.2 mailbox full", "452 4.1.1 no such user"}) {
    const bool of_recipient =
        std::string_view(reply).starts_with("452 4.2") || std::string_view(reply).starts_with("452 4.1");
    Peer peer("");
    Transaction two = transaction();
    two.recipients.push_back(two.recipients.front());
    peer.session.begin(std::move(two), peer.now);
    for (const std::string said : {"250 ok", "250 ok", reply, "354 go", "250 stored"})
      peer.say(said + "\r\n");
    ClientEvent event;
    ASSERT_TRUE(peer.session.next_event(&event, peer.now));
    ASSERT_EQ(event.outcomes.size(), 2U);
    EXPECT_EQ(event.outcomes[1].kind, of_recipient ? Kind::kRefused : Kind::kNotTried) << reply;
    EXPECT_EQ(peer.session.lessons().recipients_per_transaction, of_recipient ? 0U : 1U) << reply;
  }
}

TEST(ClientTrouble, AConnectionThatIsFullSaysSoAtTheDotToo) {
  Peer peer("");
  const auto take_all = [&peer](const std::string& end) {
    peer.session.begin(transaction(), peer.now);
    for (const std::string& said : {std::string("250 ok"), std::string("250 ok"), std::string("354 go"), end})
      peer.say(said + "\r\n");
    return last_outcome(&peer);
  };
  EXPECT_EQ(take_all("250 stored").kind, Kind::kDelivered);
  EXPECT_EQ(take_all("421 4.7.0 Too many messages in this connection").kind, Kind::kNotTried);
  EXPECT_EQ(peer.session.lessons().messages_per_connection, 1U);
}

// RFC 3030: a BDAT whose form is refused is not known; DATA follows at once.
TEST(ClientTrouble, BdatRefusedForItsFormIsTriedAsData) {
  for (const char* reply : {"501 5.5.4 syntax error", "555 5.5.4 unsupported parameter", "501 what"}) {
    Peer peer("250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-CHUNKING\r\n");
    peer.session.begin(transaction(), peer.now);
    peer.say("250 2.1.0 ok\r\n250 2.1.5 ok\r\n");
    peer.say(std::string(reply) + "\r\n");
    EXPECT_EQ(last_outcome(&peer).kind, Kind::kNotTried) << reply;
    EXPECT_TRUE(peer.session.lessons().refused.has(Extension::kChunking)) << reply;
  }
}

}  // namespace
}  // namespace relay::smtp
