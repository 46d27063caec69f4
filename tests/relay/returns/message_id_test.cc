// [returns] message_id: from a message that comes without a Message-ID to the reports about it.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conf/vocab/ascii.h"
#include "relay/intake/inbound_connection.h"
#include "relay/returns/reading.h"
#include "relay/returns/signed_return_paths.h"
#include "tests/relay/manual_clock.h"
#include "tests/relay/net/quiet_transport.h"

namespace relay::returns {
namespace {

using conf::EventKind;

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

struct Client final : QuietTransport {
  void hear(const std::string&) override {}
};

// Keeps what was accepted.
struct Keeper final : InboundConnection::Owner {
  conf::MessageId next_id() override { return ++id; }
  MemoryShares* memory() override { return &shares; }
  uint32_t may_work() override { return 96; }
  void worked(uint32_t) override {}
  void offer(uint64_t, spool::MessageRecord accepted, conf::Bytes content) override {
    record = std::move(accepted);
    body = content.view();
  }
  void withdraw(conf::MessageId) override {}
  void offer_returned(uint64_t, spool::MessageRecord, conf::Bytes) override {}
  void authenticate(uint64_t, std::string, conf::Secret) override {}
  void refused(conf::DoorEvent event) override { ADD_FAILURE() << event.detail; }
  void connection_closed(uint64_t) override {}
  conf::MessageId id = 0x0123456789abcdee;
  MemoryShares shares{{1'000'000, 500'000, 200'000}};
  spool::MessageRecord record;
  std::string body;
};

// As the reception does.
struct Namer final : smtp::Gate {
  explicit Namer(const SignedReturnPaths* p) : paths(p) {}
  bool accepting(std::string*) const override { return true; }
  std::string message_id(conf::MessageId id, const conf::Mailbox& reverse_path) override {
    return paths->message_id(id, reverse_path);
  }
  const SignedReturnPaths* paths;
};

std::shared_ptr<const bounce::ReturnKeys> keys_of(const std::string& secret) {
  return std::make_shared<const bounce::ReturnKeys>(*bounce::ReturnKeys::make({{1, secret}}));
}

class TokenInMessageId : public testing::Test {
 protected:
  TokenInMessageId() {
    config_->hostname = "relay.test";
    conf::Listener listener;
    listener.name = "in";
    conf::Network loopback;
    EXPECT_TRUE(conf::parse_ip("127.0.0.1", &loopback.address));
    listener.relay_from.push_back(loopback);
    listener.add_missing_headers = true;
    config_->listeners.push_back(listener);
    conf::ReturnPathSettings path;
    path.senders = {"shop.test"};
    path.domain = "return.example";
    config_->returns.paths.push_back(path);
    config_->returns.message_id = true;
    paths_.use(config_, keys_of("a secret of 16 octets or more"));
    tools_.settings = config_->returns;
    tools_.keys = keys_of("a secret of 16 octets or more");
    tools_.qualifier = bounce::Qualifier::shipped();
  }

  // The Message-ID, without brackets, that a message of this header is accepted with.
  std::string accepted(const std::string& header, const std::string& sender = "news@shop.test") {
    smtp::ServerOptions options;
    options.config = config_;
    options.listener = &config_->listeners.front();
    options.client_address = "127.0.0.1";
    options.gate = &namer_;
    InboundConnection connection(1, std::move(options), std::make_unique<Client>(), &clock_, &keeper_);
    connection.start();
    for (const std::string& line :
         {std::string("EHLO c.test"), "MAIL FROM:<" + sender + ">", std::string("RCPT TO:<ann@far.test>"),
          std::string("RCPT TO:<bob@far.test>"), std::string("DATA")})
      connection.on_bytes(line + "\r\n");
    connection.on_bytes(header + "Subject: x\r\n\r\nx\r\n.\r\n");
    EXPECT_EQ(keeper_.record.id, keeper_.id);
    const std::string name = "\r\nMessage-ID: <";
    const size_t at = keeper_.body.find(name);
    if (at == std::string::npos) return "none";
    EXPECT_EQ(keeper_.body.find(name, at + 1), std::string::npos) << "twice";
    const size_t begin = at + name.size();
    return keeper_.body.substr(begin, keeper_.body.find(">\r\n", begin) - begin);
  }

  static std::string bounce_of(const std::string& message_id, const std::string& to = "news@shop.test") {
    return "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.far.test\r\nTo: " + to +
           "\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n"
           "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
           "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.far.test\r\n\r\n"
           "Final-Recipient: rfc822; ann@far.test\r\nAction: failed\r\nStatus: 5.1.1\r\n"
           "Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n"
           "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <" +
           message_id + ">\r\nFrom: news@shop.test\r\nSubject: x\r\n\r\n--b--\r\n";
  }
  static std::string complaint_of(const std::string& message_id) {
    return "Return-Path: <fbl@provider.test>\r\nFrom: fbl@provider.test\r\nTo: fbl@return.example\r\n"
           "Subject: complaint\r\nMIME-Version: 1.0\r\n"
           "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
           "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n"
           "User-Agent: x\r\nOriginal-Message-ID: <" +
           message_id + ">\r\n\r\n--b--\r\n";
  }
  conf::DeliveryEvent read(const std::string& mail, conf::Duration later = 1h) const {
    const auto events = read_returned(mail, tools_, clock_.wall() + later);
    EXPECT_EQ(events.size(), 1U);
    return events.at(0);
  }
  void expect_unbelieved(const std::string& mail, const std::string& why, conf::Duration later = 1h) const {
    const conf::DeliveryEvent event = read(mail, later);
    EXPECT_EQ(event.kind, EventKind::kUnmatched) << mail;
    EXPECT_EQ(event.reply, why) << mail;
    EXPECT_EQ(event.forged, why == "its token is not one of ours");
    EXPECT_EQ(event.id, 0U);
  }

  ManualClock clock_;
  std::shared_ptr<conf::Config> config_ = std::make_shared<conf::Config>();
  SignedReturnPaths paths_{&clock_};
  Namer namer_{&paths_};
  Keeper keeper_;
  ReadingTools tools_;
};

TEST_F(TokenInMessageId, MatchesWhatBringsTheMessageBackAndConfirmsNobody) {
  const std::string id = accepted("");
  ASSERT_EQ(id.size(), bounce::ReturnKeys::kTokenLength + std::string("@return.example").size()) << id;
  EXPECT_EQ(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567@."), std::string::npos)
      << "RFC 5322 dot-atom";
  ASSERT_NE(keeper_.record.header, nullptr);
  EXPECT_EQ(keeper_.record.header->message_id, id) << "the log and the memory of what was sent know it";

  std::string folded = id;
  for (char& c : folded) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const std::string& back : {id, folded}) {
    const conf::DeliveryEvent bounced = read(bounce_of(back));
    EXPECT_EQ(bounced.kind, EventKind::kBounced) << back;
    EXPECT_EQ(bounced.id, keeper_.id);
    EXPECT_EQ(bounced.matched, conf::MatchedBy::kToken);
    EXPECT_EQ(bounced.recipient, "ann@far.test");
    EXPECT_FALSE(bounced.confirmed);
    const conf::DeliveryEvent complained = read(complaint_of(back));
    EXPECT_EQ(complained.kind, EventKind::kComplained) << back;
    EXPECT_EQ(complained.id, keeper_.id);
    EXPECT_FALSE(complained.confirmed);
  }
}

TEST_F(TokenInMessageId, AFlippedBitAnotherKeyAndAPastDayChangeNothing) {
  const std::string alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  const std::string id = accepted("");
  for (size_t bit = 0; bit < bounce::ReturnKeys::kTokenLength * 5; ++bit) {
    std::string bad = id;
    bad[bit / 5] = alphabet[alphabet.find(bad[bit / 5]) ^ (1U << bit % 5)];
    expect_unbelieved(bounce_of(bad), "its token is not one of ours");
  }
  expect_unbelieved(bounce_of(id), "its token has expired", config_->returns.life + 24h);
  tools_.keys = keys_of("another secret of 16 octets");
  expect_unbelieved(bounce_of(id), "its token is not one of ours");
  expect_unbelieved(complaint_of(id), "its token is not one of ours");
}

// Others choose theirs as they like.
TEST_F(TokenInMessageId, NoOtherMessageIdIsTakenForAToken) {
  std::string forged = accepted("");
  forged[30] = forged[30] == 'a' ? 'b' : 'a';
  const std::string token = forged.substr(0, bounce::ReturnKeys::kTokenLength);
  for (const std::string& id : {token + "@other.example", token.substr(1) + "@return.example",
                                token + "a@return.example", "1" + token.substr(1) + "@return.example", token,
                                std::string("a.b@return.example"), std::string("@return.example")})
    expect_unbelieved(bounce_of(id), "it brings no token of ours back");
}

TEST_F(TokenInMessageId, TheAddressThatAReportCameToIsAskedFirst) {
  const std::string id = accepted("");
  bounce::ReturnToken token;
  token.message = 7;
  token.whom = tools_.keys->check_of(token, *conf::Mailbox::parse("ann@far.test"));
  token.expires = clock_.wall() + 24h;
  std::string to = tools_.keys->local_part("bounces", token) + "@return.example";
  EXPECT_EQ(read(bounce_of(id, to)).id, 7U);
  EXPECT_TRUE(read(bounce_of(id, to)).confirmed);
  to[10] = to[10] == 'a' ? 'b' : 'a';
  expect_unbelieved(bounce_of(id, to), "its token is not one of ours");
}

TEST_F(TokenInMessageId, StandsWhereTheRelayAddsOneToSignedMailIfAsked) {
  const auto plain = [](const std::string& id) { return id.ends_with("@relay.test"); };
  EXPECT_EQ(accepted("Message-ID: <own@shop.test>\r\n"), "own@shop.test") << "its author's";
  EXPECT_TRUE(plain(accepted("", "news@other.test"))) << "no return path of ours";
  auto off = std::make_shared<conf::Config>(*config_);
  off->returns.message_id = false;
  paths_.use(off, tools_.keys);
  EXPECT_TRUE(plain(accepted("")));
  paths_.use(config_, nullptr);
  EXPECT_TRUE(plain(accepted("")));
  paths_.use(config_, tools_.keys);
  EXPECT_TRUE(accepted("").ends_with("@return.example"));
  config_->listeners.front().add_missing_headers = false;
  EXPECT_EQ(accepted(""), "none");
}

}  // namespace
}  // namespace relay::returns
