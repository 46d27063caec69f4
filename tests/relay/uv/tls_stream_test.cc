// Streams with TLS: the handshake, what waits in clear, the end that is said, turns of the loop.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "relay/tls/session.h"
#include "relay/uv/loop_state.h"
#include "tests/relay/uv/stream_rig.h"
#include "tests/temporary_folder.h"

namespace relay::uv {
namespace {

class TlsTest : public NetworkTest {
 protected:
  void SetUp() override {
    certificate_ = folder_ / "cert.pem";
    key_ = folder_ / "key.pem";
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=mx.test "
        "-addext subjectAltName=DNS:mx.test,IP:127.0.0.1 -keyout " +
        key_ + " -out " + certificate_ + " >/dev/null 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << "openssl is needed for this test";
  }
  std::shared_ptr<tls::Context> server_context() {
    auto context = tls::Context::server(certificate_, key_, nullptr);
    EXPECT_TRUE(context.ok()) << context.error().detail;
    return *context;
  }
  void use_client(const std::string& ca_file) { client_tls = *tls::Context::client(ca_file); }
  // A handshake with the given name, then one word each way.
  void shake_hands(const std::string& name, bool verify) {
    server = Ear();
    client = Ear();
    when_accepted = [this] { server.transport->start_tls({}); };
    client.when_connected = [this, name, verify] {
      client.transport->start_tls({name, verify, "key " + name});
    };
    client.when_tls = [this] { client.tls_good ? client.say("secret") : loop.stop(); };
    server.when_bytes = [this] { server.say("answer"); };
    client.when_bytes = [this] {
      client.transport->finish();
      loop.stop();
    };
    connect();
    run();
  }
  TemporaryFolder folder_;
  std::string certificate_, key_;
};

TEST_F(TlsTest, VerifiedAndResumed) {
  listen("127.0.0.1", server_context());
  use_client(certificate_);
  shake_hands("mx.test", true);
  EXPECT_TRUE(client.tls_good) << client.tls_error;
  EXPECT_TRUE(client.info.verified);
  EXPECT_FALSE(client.info.resumed);
  EXPECT_EQ(client.info.version, "TLSv1.3");
  EXPECT_EQ(client.got, "answer");
  EXPECT_EQ(server.got, "secret");
  shake_hands("mx.test", true);
  EXPECT_TRUE(client.info.resumed);
}

TEST_F(TlsTest, WrongNameAndUnknownIssuerAreRefusedWhenVerified) {
  listen("127.0.0.1", server_context());
  use_client(certificate_);
  shake_hands("other.test", true);
  EXPECT_FALSE(client.tls_good);
  EXPECT_NE(client.tls_error.find("certificate verify failed"), std::string::npos) << client.tls_error;
  shake_hands("other.test", false);  // opportunistic: nobody asks
  EXPECT_TRUE(client.tls_good);
  EXPECT_FALSE(client.info.verified);
}

TEST_F(TlsTest, APeerThatDoesNotSpeakTls) {
  listen();
  use_client("");
  client.when_connected = [this] { client.transport->start_tls({"mx.test", false, ""}); };
  server.when_bytes = [this] {
    server.say("500 what?\r\n");
    server.when_bytes = nullptr;
  };
  client.when_tls = [this] { loop.stop(); };
  connect();
  run();
  EXPECT_FALSE(client.tls_good);
  EXPECT_NE(client.tls_error, "");
}

TEST_F(TlsTest, APeerThatNeverReadsIsHeardNoMoreAndLeft) {
  listen("127.0.0.1", server_context());
  use_client(certificate_);
  size_t most = 0;
  when_accepted = [this] { server.transport->start_tls({}); };
  client.when_connected = [this] { client.transport->start_tls({"mx.test", false, ""}); };
  client.when_tls = [&, this] { ask_and_never_read(&most); };
  connect();
  run();
  EXPECT_EQ(server.closed, "the peer does not read what it is sent");
  EXPECT_LT(most, 256U * 1024);
}

// What this process has from malloc (0 where a sanitizer took its place).
size_t octets_in_use() {
  const struct mallinfo2 use = mallinfo2();
  return use.uordblks + use.hblkhd;
}

// Encrypted at once it would be a copy of the message for each receiver that does not read.
TEST_F(TlsTest, ALongMessageWaitsInClearForAPeerThatDoesNotRead) {
  listen("127.0.0.1", server_context());
  use_client(certificate_);
  const conf::Bytes body(std::string(12'000'000, 'x'));
  size_t unsent = 0, grown = 0;
  when_accepted = [this] { server.transport->start_tls({}); };
  server.when_tls = [this] { server.transport->pause_reading(); };
  client.when_connected = [this] { client.transport->start_tls({"mx.test", false, ""}); };
  client.when_tls = [&, this] {
    const size_t had = octets_in_use();
    OutQueue out;
    out.append_shared(body, 0, body.size());
    client.transport->write(&out);
    client.say("end");
    unsent = client.transport->unsent_bytes();
    grown = octets_in_use() - had;
    client.transport->set_deadline(loop.now() + 50ms);
  };
  client.when_deadline = [this] { server.transport->resume_reading(); };
  server.when_bytes = [&, this] {
    if (server.got.size() == body.size() + 3) loop.stop();
  };
  connect();
  run();
  EXPECT_GT(unsent, body.size() - (1U << 20)) << "one turn of the loop was used for one peer";
  EXPECT_LT(grown, 2U << 20);
  EXPECT_EQ(server.got.substr(body.size()), "end");
  EXPECT_GT(client.drained, 0);
}

// finish() comes while most of it is not yet encrypted; close_notify has to come after it.
TEST_F(TlsTest, WhatWaitsInClearStillGoesOutBeforeTheEnd) {
  listen("127.0.0.1", server_context());
  use_client(certificate_);
  const std::string much(4'000'000, 'x');
  loop.state()->finish_time = 1h;
  when_accepted = [this] { server.transport->start_tls({}); };
  server.when_tls = [&, this] {
    server.say(much);
    EXPECT_GT(server.transport->unsent_bytes(), 1'000'000U);
    server.transport->finish();
    server.transport.reset();
  };
  client.when_connected = [this] { client.transport->start_tls({"mx.test", false, ""}); };
  client.when_closed = [this] { loop.stop(); };
  connect();
  run();
  EXPECT_EQ(client.got.size(), much.size());
  EXPECT_EQ(client.closed, "the peer closed the connection");
}

// Without it the peer could not tell our end from that of whoever cut the connection (RFC 8446 section 6.1).
TEST_F(TlsTest, TheEndIsSaidInTlsBeforeItIsSaidInTcp) {
  listen("127.0.0.1", server_context());
  const auto peer = tls::Session::connect(*tls::Context::client(""), {"mx.test", false, ""});
  const auto answer = [&] {
    client.say(peer->pending());
    peer->consume(peer->pending().size());
  };
  std::string plain;
  when_accepted = [this] { server.transport->start_tls({}); };
  server.when_tls = [this] {
    server.say("bye");
    server.transport->finish();
    server.transport.reset();
  };
  client.when_connected = [&] {
    ASSERT_TRUE(peer->receive({}, &plain).ok());
    answer();
  };
  client.when_bytes = [&] {
    ASSERT_TRUE(peer->receive(std::exchange(client.got, {}), &plain).ok());
    answer();
  };
  client.when_closed = [this] { loop.stop(); };
  connect();
  run();
  EXPECT_EQ(plain, "bye");
  EXPECT_TRUE(peer->peer_closed());
}

// One step a round: the others wait for their turns, and all get through, those with long messages too.
TEST_F(TlsTest, HandshakesBeyondTheWorkOfARoundWaitForTheirTurns) {
  loop.state()->round_work = 1;
  use_client(certificate_);
  constexpr size_t kClients = 8, kOctets = 300'000;
  std::vector<std::unique_ptr<Ear>> servers, clients;
  size_t most_waiting = 0, whole = 0;
  loop.on_round([&, this] { most_waiting = std::max(most_waiting, loop.state()->turns.size()); });
  auto opened = TcpListener::open(&loop, {"127.0.0.1", 0}, server_context(), [&, this](Accepted accepted) {
    Ear* ear = servers.emplace_back(std::make_unique<Ear>()).get();
    ear->transport = std::move(accepted.transport);
    ear->transport->set_user(ear);
    ear->transport->start_tls({});
    ear->when_bytes = [&, ear, this] {
      if (ear->got.size() == kOctets && ++whole == kClients) loop.stop();
    };
  });
  ASSERT_TRUE(opened.ok());
  loop.post([&, this] {
    for (size_t i = 0; i < kClients; ++i) {
      Ear* ear = clients.emplace_back(std::make_unique<Ear>()).get();
      ear->when_connected = [ear] { ear->transport->start_tls({"mx.test", false, ""}); };
      ear->when_tls = [ear] { ear->say(std::string(kOctets, 'x')); };
      ear->transport = network().connect({"127.0.0.1", (*opened)->port(), ""}, ear);
    }
  });
  run();
  EXPECT_EQ(whole, kClients);
  EXPECT_GT(most_waiting, 0U);
  for (const auto& ear : clients) EXPECT_TRUE(ear->tls_good) << ear->tls_error;
}

// Who waits for a turn may go at any time.
TEST_F(TlsTest, AStreamThatIsDroppedWhileItWaitsLosesItsTurn) {
  loop.state()->round_work = 1;
  use_client(certificate_);
  listen("127.0.0.1", server_context());
  std::vector<std::unique_ptr<Ear>> clients;
  size_t connected = 0;
  for (size_t i = 0; i < 4; ++i) {
    Ear* ear = clients.emplace_back(std::make_unique<Ear>()).get();
    ear->when_connected = [&, ear, this] {
      ear->transport->start_tls({"mx.test", false, ""});
      if (++connected % 2 == 0) ear->transport->finish();
      ear->transport.reset();
      if (connected == 4) loop.stop();
    };
    ear->transport = network().connect({"127.0.0.1", listener->port(), ""}, ear);
  }
  run();
  EXPECT_TRUE(loop.state()->turns.empty());
}

TEST_F(TlsTest, BadFilesAreNamed) {
  EXPECT_NE(tls::Context::server("/nonexistent.pem", key_, nullptr).error().detail.find("/nonexistent.pem"),
            std::string::npos);
  EXPECT_NE(tls::Context::server(key_, key_, nullptr).error().detail.find("is not a PEM certificate chain"),
            std::string::npos);
  EXPECT_NE(tls::Context::server(certificate_, certificate_, nullptr)
                .error()
                .detail.find("is not a PEM private key"),
            std::string::npos);
  EXPECT_FALSE(tls::Context::client("/nonexistent.pem").ok());
}

}  // namespace
}  // namespace relay::uv
