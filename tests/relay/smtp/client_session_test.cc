// What transcripts cannot say: deadlines, sharing of bodies, the features of the peer, the table of
// transitions.
#include <gtest/gtest.h>

#include "relay/smtp/client_command.h"
#include "relay/smtp/client_state.h"
#include "tests/relay/smtp/client_rig.h"

namespace relay::smtp {
namespace {

using conf::Instant;
using namespace std::chrono_literals;

TEST(ClientSession, AFloodOfARefusalIsKeptOnceAndCut) {
  Peer peer("");
  Transaction two = transaction();
  two.recipients.push_back({mailbox("c"), conf::kNotifyDefault, ""});
  peer.session.begin(std::move(two), peer.now);
  std::string flood;
  for (int i = 0; i < 255; ++i) flood += "550-5.7.1 " + std::string(4000, 'x') + "\r\n";
  peer.say(flood + "550 5.7.1 no\r\n");
  ClientEvent event;
  ASSERT_TRUE(peer.session.next_event(&event, peer.now));
  ASSERT_EQ(event.kind, ClientEvent::Kind::kTransactionDone);
  ASSERT_EQ(event.outcomes.size(), 2U);
  for (const RecipientOutcome& outcome : event.outcomes) {
    EXPECT_EQ(outcome.reply.code, 550);
    EXPECT_EQ(outcome.reply.enhanced.text(), "5.7.1");
    EXPECT_LE(outcome.reply.text().size(), 2048U);
  }
}

// Servers say the local part alone: who reads a refusal must know it.
TEST(ClientSession, ARefusalNamesWhomItIsAbout) {
  Peer peer("");
  Transaction three = transaction();
  three.recipients.push_back({mailbox("c"), conf::kNotifyDefault, ""});
  three.recipients.push_back({mailbox("d"), conf::kNotifyDefault, ""});
  peer.session.begin(std::move(three), peer.now);
  for (const char* line : {"250 ok", "550 b: no such user", "250 ok", "250 ok", "354 go", "550 no"})
    peer.say(std::string(line) + "\r\n");
  ClientEvent event;
  ASSERT_TRUE(peer.session.next_event(&event, peer.now));
  ASSERT_EQ(event.outcomes.size(), 3U);
  EXPECT_EQ(event.outcomes[0].local_part, "b");
  EXPECT_EQ(event.outcomes[1].local_part, "c");
  EXPECT_EQ(event.outcomes[2].local_part, "d");
}

TEST(ClientSession, Rfc5321_4_5_3_2_DeadlineOfEachStage) {
  conf::Timeouts t;
  t.greeting = 1s, t.ehlo = 2s, t.mail = 3s, t.rcpt = 4s, t.data_init = 5s, t.data_block = 6s,
  t.data_done = 7s, t.quit = 8s;
  ClientOptions options;
  options.timeouts = t;
  options.ehlo_name = "x";
  Instant now{100s};
  ClientSession session(options, now);
  const auto left = [&] { return session.deadline() - now; };
  EXPECT_EQ(left(), 1s);
  now += 500ms;
  session.on_deadline(now);  // too early: nothing happens
  session.receive("220 hi\r\n", now);
  EXPECT_EQ(left(), 2s);
  session.receive("250-x\r\n250 PIPELINING\r\n", now);
  EXPECT_TRUE(session.ready());
  EXPECT_EQ(session.deadline(), conf::kNever);
  session.begin(transaction(), now);
  EXPECT_EQ(left(), 3s);
  now += 1s;
  session.receive("250 ok\r\n", now);
  EXPECT_EQ(left(), 4s);
  session.receive("250 ok\r\n", now);
  EXPECT_EQ(left(), 5s);
  session.receive("354 go\r\n", now);
  EXPECT_EQ(left(), 7s);
  now += 3s;
  session.on_written(now);
  EXPECT_EQ(left(), 7s);
  session.receive("250 ok\r\n", now);
  EXPECT_EQ(session.deadline(), conf::kNever);
  session.quit(now);
  EXPECT_EQ(left(), 8s);
  session.receive("221 bye\r\n", now);
  EXPECT_EQ(session.deadline(), conf::kNever);
}

TEST(ClientSession, Rfc5321_4_5_3_2_5_ABigContentHasTimeByItsSize) {
  Peer peer("250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-CHUNKING\r\n");
  peer.session.begin(transaction(50 << 20), peer.now);
  EXPECT_EQ(peer.session.deadline() - peer.now, 51 * conf::Timeouts().data_block);
  peer.session.on_written(peer.now);
  EXPECT_EQ(peer.session.deadline() - peer.now, conf::Timeouts().mail);
}

// In a group, by BDAT, and one command at a time.
constexpr const char* kContentWays[] = {"250-PIPELINING\r\n",
                                        "250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-CHUNKING\r\n", ""};

// A content that is under way, as the peer has taken MAIL and RCPT.
void up_to_the_content(Peer* peer, std::string_view features) {
  peer->session.begin(transaction(100'000), peer->now);
  peer->session.receive("250 ok\r\n", peer->now);
  peer->session.receive("250 ok\r\n", peer->now);
  if (features.find("CHUNKING") == std::string_view::npos) peer->session.receive("354 go on\r\n", peer->now);
}

// RFC 5321 §4.1.1.4: the reply to the end of data comes after it; one that does not speaks of something else.
TEST(ClientSession, A250BeforeTheContentWasSentDeliversNothing) {
  for (const char* features : kContentWays) {
    Peer peer(features);
    up_to_the_content(&peer, features);
    peer.session.receive("250 2.0.0 thank you\r\n", peer.now);
    ClientEvent event;
    ASSERT_TRUE(peer.session.next_event(&event, peer.now)) << features;
    ASSERT_EQ(event.kind, ClientEvent::Kind::kTransactionDone);
    ASSERT_EQ(event.outcomes.size(), 1u);
    EXPECT_EQ(event.outcomes[0].kind, RecipientOutcome::Kind::kRefused) << features;
    EXPECT_EQ(event.outcomes[0].reply.code, 0);
    ASSERT_TRUE(peer.session.next_event(&event, peer.now));
    EXPECT_EQ(event.kind, ClientEvent::Kind::kClosed);
  }
}

// What is written behind content that is still under way is content to the peer, and its second word at the
// end of it would be the answer to the next MAIL.
TEST(ClientSession, ARefusalBeforeTheContentWasSentEndsTheSession) {
  for (const char* features : kContentWays) {
    Peer peer(features);
    up_to_the_content(&peer, features);
    peer.take();
    peer.session.receive("552 5.3.4 message too big for us\r\n", peer.now);
    ClientEvent event;
    ASSERT_TRUE(peer.session.next_event(&event, peer.now)) << features;
    ASSERT_EQ(event.kind, ClientEvent::Kind::kTransactionDone);
    ASSERT_EQ(event.outcomes.size(), 1u);
    EXPECT_EQ(event.outcomes[0].kind, RecipientOutcome::Kind::kRefused) << features;
    EXPECT_EQ(event.outcomes[0].reply.code, 552);
    ASSERT_TRUE(peer.session.next_event(&event, peer.now));
    EXPECT_EQ(event.kind, ClientEvent::Kind::kClosed) << features;
    EXPECT_TRUE(event.blameless);
    EXPECT_EQ(peer.take(), "") << "not even QUIT";
  }
}

// RFC 5321 §2.1: one reply to each command. What came with the reply before cannot be the answer.
TEST(ClientSession, AReplyAheadOfItsCommandRefusesNobody) {
  struct Case {
    const char* what;
    std::vector<std::string> said;  // the last one holds a reply too many
    const char* shown;
  };
  const Case kCases[] = {
      {"MAIL", {"250 ok\r\n550 5.1.0 no\r\n"}, "550 5.1.0 no"},
      {"RCPT", {"250 ok\r\n", "250 ok\r\n550 5.1.1 no\r\n"}, "550 5.1.1 no"},
      {"DATA", {"250 ok\r\n", "250 ok\r\n", "354 go\r\n554 no\r\n"}, "554 no"},
  };
  for (const Case& c : kCases) {
    Peer peer("");
    peer.session.begin(transaction(), peer.now);
    peer.take();
    for (const std::string& text : c.said) peer.say(text);
    ClientEvent event;
    ASSERT_TRUE(peer.session.next_event(&event, peer.now)) << c.what;
    ASSERT_EQ(event.outcomes.size(), 1u) << c.what;
    const bounce::Reply& reply = event.outcomes[0].reply;
    EXPECT_EQ(reply.code, 0) << c.what;
    EXPECT_EQ(reply.text(), std::string("a reply came that nothing asked for: ") + c.shown);
    EXPECT_FALSE(event.outcomes[0].uncertain) << c.what << ": the content was never sent";
    ASSERT_TRUE(peer.session.next_event(&event, peer.now)) << c.what;
    EXPECT_EQ(event.kind, ClientEvent::Kind::kClosed) << c.what;
  }
}

// One command at a time, and still not in step: the words to come may be about anybody of several recipients,
// those that came too. With one recipient there is nobody else.
TEST(ClientSession, WhereRepliesCannotBeToldApartOneRecipientIsAskedForAtATime) {
  for (const size_t count : {1U, 2U}) {
    Peer peer("");
    Transaction mail = transaction();
    if (count == 2) mail.recipients.push_back({mailbox("c"), conf::kNotifyDefault, ""});
    peer.session.begin(std::move(mail), peer.now);
    peer.take();
    peer.say("250 ok\r\n");
    peer.say("550 5.1.1 no\r\n");
    if (count == 2) peer.say("250 ok\r\n250 ok\r\n");
    ClientEvent event;
    ASSERT_TRUE(peer.session.next_event(&event, peer.now));
    ASSERT_EQ(event.outcomes.size(), count);
    EXPECT_EQ(event.outcomes[0].reply.code, count == 1 ? 550 : 0);
    EXPECT_EQ(peer.session.lessons().recipients_per_transaction, count == 1 ? 0U : 1U);
  }
}

// QUIT is refused by whatever says no to DATA, or by a server that knows no QUIT: alone, each is believed.
TEST(ClientSession, WhereQuitIsRefusedOneRecipientIsAskedForAtATime) {
  for (const size_t count : {1U, 2U}) {
    Peer peer("");
    Transaction mail = transaction();
    if (count == 2) mail.recipients.push_back({mailbox("c"), conf::kNotifyDefault, ""});
    peer.session.begin(std::move(mail), peer.now);
    peer.take();
    for (const char* reply : {"250 ok\r\n", "550 5.1.1 no\r\n"}) peer.say(reply);
    if (count == 2) peer.say("550 5.1.1 no\r\n");
    if (count == 2) peer.say("500 what?\r\n");
    ClientEvent event;
    ASSERT_TRUE(peer.session.next_event(&event, peer.now));
    ASSERT_EQ(event.outcomes.size(), count);
    for (const RecipientOutcome& each : event.outcomes) EXPECT_EQ(each.reply.code, count == 1 ? 550 : 0);
    EXPECT_EQ(peer.session.lessons().recipients_per_transaction, count == 1 ? 0U : 1U);
  }
}

TEST(ClientSession, Rfc5321_3_8_GoodbyeBehindAReplyIsStillOne) {
  Peer peer("");
  peer.session.begin(transaction(), peer.now);
  peer.take();
  peer.say("250 ok\r\n421 4.3.2 going down\r\n");
  ClientEvent event;
  ASSERT_TRUE(peer.session.next_event(&event, peer.now));
  ASSERT_EQ(event.outcomes.size(), 1u);
  EXPECT_EQ(event.outcomes[0].reply.code, 421);
}

TEST(ClientSession, BodyIsSharedNotCopied) {
  for (const char* features : {"250-PIPELINING\r\n250-CHUNKING\r\n", "250-PIPELINING\r\n"}) {
    Peer peer(features);
    Transaction t = transaction(10'000);
    const conf::Bytes body = t.body;
    peer.session.begin(std::move(t), peer.now);
    if (peer.session.output()->size() < 10'000) {
      peer.take();
      peer.session.receive("250 ok\r\n250 ok\r\n354 go\r\n", peer.now);
    }
    std::string_view runs[8];
    const size_t count = peer.session.output()->peek(runs, 8);
    bool shared = false;
    for (size_t i = 0; i < count; ++i) shared = shared || runs[i].data() == body.view().data();
    EXPECT_TRUE(shared) << features;
  }
}

TEST(ClientSession, Rfc2920_3_1_CommandsOfAFlightAreOneRun) {
  Peer peer("250-PIPELINING\r\n");
  Transaction t = transaction();
  for (int i = 0; i < 40; ++i) t.recipients.push_back({mailbox("user" + std::to_string(i)), 0, ""});
  peer.session.begin(std::move(t), peer.now);
  std::string_view runs[8];
  EXPECT_EQ(peer.session.output()->peek(runs, 8), 1u);
}

TEST(ClientSession, Rfc5321_3_8_ReadyIsNotSaidWhenThePeerClosedInTheSameSegment) {
  Peer peer("250-PIPELINING\r\n");
  peer.session.begin(transaction(), peer.now);
  peer.say("250 ok\r\n250 ok\r\n354 go\r\n");
  peer.say("250 queued\r\n421 too many messages\r\n");
  ClientEvent event;
  ASSERT_TRUE(peer.session.next_event(&event, peer.now));
  EXPECT_EQ(event.kind, ClientEvent::Kind::kTransactionDone);
  EXPECT_EQ(event.outcomes[0].kind, RecipientOutcome::Kind::kDelivered);
  ASSERT_TRUE(peer.session.next_event(&event, peer.now));
  EXPECT_EQ(event.kind, ClientEvent::Kind::kClosed);
  EXPECT_FALSE(peer.session.next_event(&event, peer.now));
  EXPECT_FALSE(peer.session.ready());
}

TEST(ClientSession, ClosedSessionTakesEverythingCalmly) {
  Peer peer("250-PIPELINING\r\n");
  peer.say("421 bye\r\n");
  peer.session.receive("250 x\r\n", peer.now);
  peer.session.on_peer_closed("gone", peer.now);
  peer.session.quit(peer.now);
  peer.session.on_written(peer.now);
  peer.session.on_deadline(peer.now);
  peer.session.tls_failed("late", peer.now);
  ClientEvent event;
  ASSERT_TRUE(peer.session.next_event(&event, peer.now));
  EXPECT_EQ(event.reply.code, 421);
  EXPECT_FALSE(peer.session.next_event(&event, peer.now));
  EXPECT_TRUE(peer.take().empty());
}

TEST(PeerFeatures, Rfc5321_4_1_1_1_Keywords) {
  bounce::Reply reply;
  reply.code = 250;
  reply.lines = {
      "SMTPUTF8 is my name", "pipelining", "Chunking",   "8BITMIME",      "SIZE 35882577", "STARTTLS",
      "ENHANCEDSTATUSCODES", "DSN",        "AUTH=LOGIN", "X-WHATEVER a b"};
  const PeerFeatures f = parse_ehlo_reply(reply);
  EXPECT_TRUE(f.esmtp && f.pipelining && f.chunking && f.eight_bit_mime && f.starttls && f.enhanced_status &&
              f.dsn);
  EXPECT_FALSE(f.smtputf8);
  EXPECT_TRUE(f.size_known);
  EXPECT_EQ(f.max_size, 35882577u);
}

TEST(PeerFeatures, Rfc1870_4_SizeForms) {
  struct Case {
    const char* line;
    bool known;
    uint64_t size;
  };
  constexpr Case kCases[] = {{"SIZE", true, 0},
                             {"SIZE 0", true, 0},
                             {"SIZE abc", true, 0},
                             {"size 7", true, 7},
                             {"SIZE 99999999999999999999999", true, 0},
                             {"SIZEX 5", false, 0}};
  for (const Case& c : kCases) {
    bounce::Reply reply;
    reply.lines = {"x", c.line};
    const PeerFeatures f = parse_ehlo_reply(reply);
    EXPECT_EQ(f.size_known, c.known) << c.line;
    EXPECT_EQ(f.max_size, c.size) << c.line;
  }
}

TEST(ClientCommand, FitsCommand) {
  struct Case {
    std::string local;
    bool fits;
  };
  const Case cases[] = {{"a.b", true},
                        {"\"a b\"", true},
                        {"\"a<b>\"", true},
                        {"\"a\\\"b\"", true},
                        {"a b", false},
                        {"a>b", false},
                        {"a\r\nDATA", false},
                        {"\"a\r\n\"", false},
                        {"\"a\\\n\"", false},
                        {"\"open", false},
                        {std::string("a\0b", 3), false},
                        {"a\x7f", false},
                        {"\xc3\xa9", true}};
  for (const Case& c : cases) EXPECT_EQ(fits_command(mailbox(c.local)), c.fits) << c.local;
  EXPECT_FALSE(fits_command(mailbox("a", "x>y")));
  EXPECT_FALSE(fits_command(mailbox("a", "x y")));
}

TEST(ClientState, TransitionTable) {
  constexpr auto kLast = static_cast<int>(ClientState::kClosed);
  for (int i = 0; i <= kLast; ++i) {
    const auto state = static_cast<ClientState>(i);
    EXPECT_EQ(may_follow(state, ClientState::kClosed), state != ClientState::kClosed);
    EXPECT_FALSE(may_follow(state, ClientState::kGreeting));
    EXPECT_FALSE(may_follow(ClientState::kClosed, state));
  }
  EXPECT_FALSE(may_follow(ClientState::kGreeting, ClientState::kReady));
  EXPECT_FALSE(may_follow(ClientState::kStartTls, ClientState::kMail));
  EXPECT_FALSE(may_follow(ClientState::kMail, ClientState::kDot));
}

TEST(ClientSessionDeath, BeginWithoutReadyIsABrokenInvariant) {
  EXPECT_DEATH(
      {
        ClientOptions options;
        ClientSession session(options, Instant{});
        session.begin(transaction(), Instant{});
      },
      "CHECK failed");
}

}  // namespace
}  // namespace relay::smtp
