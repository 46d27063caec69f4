// Which certificate is good for which reference identity, over memory: a client and a server session, no
// sockets.
#include "relay/tls/session.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "relay/tls/context.h"
#include "relay/tls/context_state.h"
#include "relay/tls/reference_identity.h"
#include "tests/temporary_folder.h"

namespace relay::tls {
namespace {

using Kind = ReferenceIdentity::Kind;

TEST(ReferenceIdentity, IsDecidedByParsing) {
  struct Row {
    const char* text;
    Kind kind;
    const char* name = "";
    size_t octets = 0;
  };
  const Row rows[] = {
      {"cafe.abc.de", Kind::kName, "cafe.abc.de"},
      {"bad.cc", Kind::kName, "bad.cc"},
      {"a1.bad.cafe", Kind::kName, "a1.bad.cafe"},
      {"CAFE.DE.", Kind::kName, "cafe.de"},
      {"dead", Kind::kName, "dead"},
      {"1.2.3.4.de", Kind::kName, "1.2.3.4.de"},
      {"mx_1.example.com", Kind::kName, "mx_1.example.com"},
      {"192.0.2.1", Kind::kAddress, "", 4},
      {"[192.0.2.1]", Kind::kAddress, "", 4},
      {"2001:db8::1", Kind::kAddress, "", 16},
      {"[IPv6:2001:db8::1]", Kind::kAddress, "", 16},
      {"[2001:db8::1]", Kind::kAddress, "", 16},
      {"::ffff:192.0.2.1", Kind::kAddress, "", 4},
      {"dead::beef", Kind::kAddress, "", 16},
      {"", Kind::kNone},
      {".", Kind::kNone},
      {"mx.example.com..", Kind::kNone},
      {"mx..example.com", Kind::kNone},
      {"-a.example.com", Kind::kNone},
      {"*.example.com", Kind::kNone},
      {"127.1", Kind::kNone},
      {"192.0.2.1.", Kind::kNone},
      {"192.0.2.256", Kind::kNone},
      {"abc:de", Kind::kNone},
      {"fe80::1%lo", Kind::kNone},
      {"[cafe.de]", Kind::kNone},
  };
  for (const Row& row : rows) {
    const ReferenceIdentity got = parse_reference(row.text);
    EXPECT_EQ(got.kind, row.kind) << row.text;
    EXPECT_EQ(got.name, row.name) << row.text;
    EXPECT_EQ(got.address_octets, row.octets) << row.text;
  }
  EXPECT_EQ(parse_reference(std::string("a.de\0.evil.com", 14)).kind, Kind::kNone);
}

class TlsSessionTest : public testing::Test {
 protected:
  // A certificate with this common name and these names ("" : none), which is its own authority.
  void serve(const std::string& common, const std::string& san) {
    const std::string stem = folder_ / std::to_string(++made_);
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + common +
        (san.empty() ? "" : " -addext subjectAltName=" + san) + " -keyout " + stem + ".key -out " + stem +
        ".crt >/dev/null 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << "openssl is needed for this test";
    auto server = Context::server(stem + ".crt", stem + ".key", nullptr);
    ASSERT_TRUE(server.ok()) << server.error().detail;
    server_ = *server;
    auto client = Context::client(stem + ".crt");
    ASSERT_TRUE(client.ok()) << client.error().detail;
    client_ = *client;
  }

  // "" when the handshake succeeds and is verified; else why not.
  std::string shake(const std::string& name, bool verify = true, const std::string& key = "") {
    Transport::TlsRequest request;
    request.server_name = name;
    request.verify = verify;
    request.session_key = key;
    request.only_13 = only_13_;
    request.identity = identity_;
    const auto client = Session::connect(client_, request);
    const auto server = Session::accept(server_);
    std::string plain;
    for (int i = 0; i < 10; ++i) {
      std::string flight(server->pending());
      server->consume(flight.size());
      const conf::Status heard = client->receive(flight, &plain);
      if (!heard.ok()) return heard.error().detail;
      flight = std::string(client->pending());
      client->consume(flight.size());
      server_heard_ = server->receive(flight, &plain).ok();
      if (!server_heard_) break;
    }
    if (!client->established()) return "not established";
    cipher_ = client->info().cipher;
    resumed_ = client->info().resumed;
    client->close();  // else its TLS session cannot be resumed
    if (verify && !client->info().verified) return "not verified";
    return "";
  }

  // Whether the server is content with the certificate that this login shows.
  bool shake_as(const std::string& identity) {
    identity_ = identity;
    const std::string why = shake("cafe.abc.de");
    return why.empty() && server_heard_;
  }

  // A TLS 1.3 client in the hands of OpenSSL that makes `updates` new keys and then says `words`, in each of
  // some rounds; what the server made of it.
  struct Stubborn {
    conf::Status status = conf::success();
    std::string plain;
  };
  Stubborn ask_for_keys(int updates, const std::string& words, int rounds = 1) {
    const auto server = Session::accept(server_);
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                    SSL_CTX_free);
    const std::unique_ptr<SSL, decltype(&SSL_free)> client(SSL_new(context.get()), SSL_free);
    BIO* in = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(BIO_s_mem());
    SSL_set_bio(client.get(), in, out);
    SSL_set_connect_state(client.get());
    Stubborn seen;
    const auto exchange = [&] {
      char* data = nullptr;
      const long octets = BIO_get_mem_data(out, &data);
      const std::string flight(data, static_cast<size_t>(octets));
      BIO_reset(out);
      seen.status = server->receive(flight, &seen.plain);
      BIO_write(in, server->pending().data(), static_cast<int>(server->pending().size()));
      server->consume(server->pending().size());
    };
    for (int i = 0; i < 4; ++i) {
      SSL_do_handshake(client.get());
      exchange();
    }
    EXPECT_TRUE(server->established());
    for (int round = 0; round < rounds && seen.status.ok(); ++round) {
      for (int i = 0; i < updates; ++i) {
        SSL_key_update(client.get(), SSL_KEY_UPDATE_NOT_REQUESTED);
        SSL_do_handshake(client.get());
      }
      SSL_write(client.get(), words.data(), static_cast<int>(words.size()));
      exchange();
    }
    return seen;
  }

  std::shared_ptr<Context> server_, client_;
  bool only_13_ = false, server_heard_ = false;
  std::string identity_;
  TemporaryFolder folder_;
  bool resumed_ = false;
  std::string cipher_;

 private:
  int made_ = 0;
};

TEST_F(TlsSessionTest, ACertificateOfAnotherNameIsGoodForNobodyElse) {
  serve("mx.attacker.test", "DNS:mx.attacker.test");
  EXPECT_EQ(shake("mx.attacker.test"), "");
  EXPECT_EQ(shake("MX.attacker.test."), "");
  for (const char* name : {"cafe.abc.de", "bad.cc", "a1.bad.cafe", "cafe.abc.de.", "dead", "192.0.2.1",
                           "2001:db8::1", "mx.wrongname.test", "", ".", "127.1", "abc:de", "*.attacker.test"})
    EXPECT_NE(shake(name), "") << name;
}

TEST_F(TlsSessionTest, NamesAndAddressesOfTheAlternativeNames) {
  serve("x", "DNS:cafe.abc.de,IP:192.0.2.1,IP:2001:db8::1");
  for (const char* name : {"cafe.abc.de", "CAFE.ABC.DE.", "192.0.2.1", "[192.0.2.1]", "::ffff:192.0.2.1",
                           "2001:db8::1", "[IPv6:2001:db8:0::1]"})
    EXPECT_EQ(shake(name), "") << name;
  for (const char* name : {"abc.de", "x.cafe.abc.de", "192.0.2.2", "2001:db8::2"})
    EXPECT_NE(shake(name), "") << name;
}

TEST_F(TlsSessionTest, AnAddressIsNoNameOfACertificate) {
  serve("192.0.2.1", "DNS:192.0.2.1");
  EXPECT_NE(shake("192.0.2.1"), "");
}

TEST_F(TlsSessionTest, TheCommonNameIsNotAsked) {
  serve("mx.cnonly.test", "");
  EXPECT_NE(shake("mx.cnonly.test"), "");
}

TEST_F(TlsSessionTest, TheCommonNameIsNotAskedBesideAnAddressEither) {
  serve("mx.cnonly.test", "IP:192.0.2.1");
  EXPECT_NE(shake("mx.cnonly.test"), "");
  EXPECT_EQ(shake("192.0.2.1"), "");
}

TEST_F(TlsSessionTest, AWildcardIsOneWholeLabel) {
  serve("x", "DNS:*.abc.de,DNS:m*.partial.test");
  EXPECT_EQ(shake("cafe.abc.de"), "");
  EXPECT_EQ(shake("cafe.abc.de."), "");
  for (const char* name : {"abc.de", "a.cafe.abc.de", "mx.partial.test"}) EXPECT_NE(shake(name), "") << name;
}

TEST_F(TlsSessionTest, ASessionMadeWithoutALookAtTheNameIsNotResumedWhereItCounts) {
  serve("mx.attacker.test", "DNS:mx.attacker.test");
  EXPECT_EQ(shake("cafe.abc.de", false, "key"), "");
  EXPECT_EQ(shake("cafe.abc.de", false, "key"), "");
  EXPECT_TRUE(resumed_);
  EXPECT_NE(shake("cafe.abc.de", true, "key"), "");
}

TEST_F(TlsSessionTest, ACertificateOfOursIsShownToWhoAsksAndOnlyAsTheLoginThatHasIt) {
  serve("x", "DNS:cafe.abc.de");
  const std::string stem = folder_ / "1";
  SSL_CTX* server = server_->state()->ctx.get();
  ASSERT_EQ(SSL_CTX_load_verify_locations(server, (stem + ".crt").c_str(), nullptr), 1);
  SSL_CTX_set_verify(server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  ASSERT_TRUE(client_->add_identity("main", stem + ".crt", stem + ".key").ok());
  EXPECT_FALSE(shake_as("")) << "the server demands one";
  EXPECT_TRUE(shake_as("main"));
  EXPECT_FALSE(shake_as("other"));
  EXPECT_FALSE(client_->add_identity("bad", stem + ".key", stem + ".key").ok());
}

TEST_F(TlsSessionTest, TheLeastVersionIsHeld) {
  serve("x", "DNS:cafe.abc.de");
  only_13_ = true;
  EXPECT_EQ(shake("cafe.abc.de"), "");
  SSL_CTX_set_max_proto_version(server_->state()->ctx.get(), TLS1_2_VERSION);
  EXPECT_NE(shake("cafe.abc.de"), "");
  only_13_ = false;
  EXPECT_EQ(shake("cafe.abc.de"), "");
}

TEST_F(TlsSessionTest, SuitesWithoutForwardSecrecyAreNotSpokenAndOursComeFirst) {
  serve("x", "DNS:cafe.abc.de");
  SSL_CTX* client = client_->state()->ctx.get();
  SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION);
  ASSERT_EQ(SSL_CTX_set_cipher_list(client, "ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"), 1);
  EXPECT_NE(shake("cafe.abc.de"), "") << "no AEAD";
  ASSERT_EQ(SSL_CTX_set_cipher_list(client, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"),
            1);
  EXPECT_EQ(shake("cafe.abc.de"), "");
  EXPECT_EQ(cipher_, "ECDHE-ECDSA-AES256-GCM-SHA384") << "the order is the server's";
}

TEST_F(TlsSessionTest, AnEncryptedKeyIsNamedAndNobodyIsAsked) {
  serve("x", "DNS:cafe.abc.de");
  const std::string stem = folder_ / "1", locked = folder_ / "locked.key";
  const std::string command =
      "openssl pkey -in " + stem + ".key -aes128 -passout pass:x -out " + locked + " >/dev/null 2>&1";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const auto server = Context::server(stem + ".crt", locked, nullptr);
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.error().detail.find("without a passphrase"), std::string::npos) << server.error().detail;
}

// Whoever opened one would wait for its writer: a start, a check, and the end of a relay that reloads.
TEST_F(TlsSessionTest, ANamedPipeIsNoCertificate) {
  serve("x", "DNS:cafe.abc.de");
  const std::string stem = folder_ / "1", pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int both = ::open(pipe.c_str(), O_RDWR | O_NONBLOCK);  // lets nobody wait for ever
  ::alarm(20);
  const auto server = Context::server(pipe, stem + ".key", nullptr);
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.error().detail, "[tls] certificate: cannot read " + pipe + ": it is no regular file");
  EXPECT_FALSE(Context::client(pipe).ok());
  ::alarm(0);
  ::close(both);
}

// It was said to be no PEM certificate chain.
TEST_F(TlsSessionTest, WithoutADescriptorTheCertificateIsNotBlamed) {
  serve("x", "DNS:cafe.abc.de");
  const std::string stem = folder_ / "1";
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(0);
  ASSERT_GE(next, 0);
  ::close(next);
  const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto server = Context::server(stem + ".crt", stem + ".key", nullptr);
  setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.error().detail.rfind(
                "[tls] certificate: cannot read " + stem + ".crt: Too many open files; ", 0),
            0U)
      << server.error().detail;
}

TEST_F(TlsSessionTest, AKeyThatIsOpenToOthersIsToldOf) {
  serve("x", "DNS:cafe.abc.de");
  const std::string stem = folder_ / "1";
  std::filesystem::permissions(stem + ".key", std::filesystem::perms(0644));
  std::string warning;
  ASSERT_TRUE(Context::server(stem + ".crt", stem + ".key", &warning).ok());
  EXPECT_NE(warning.find("chmod 640"), std::string::npos) << warning;
}

TEST_F(TlsSessionTest, WhoMakesNewKeysAndSaysNothingIsLeft) {
  serve("mx.attacker.test", "DNS:mx.attacker.test");
  const Stubborn some = ask_for_keys(30, "NOOP\r\n");
  EXPECT_TRUE(some.status.ok());
  EXPECT_EQ(some.plain, "NOOP\r\n");
  const Stubborn many = ask_for_keys(1000, "NOOP\r\n");
  ASSERT_FALSE(many.status.ok());
  EXPECT_EQ(many.plain, "") << "nothing behind the last key is worked off";
  EXPECT_NE(many.status.error().detail.find("new TLS keys"), std::string::npos) << many.status.error().detail;
}

TEST_F(TlsSessionTest, AHandshakeWithoutAnEndIsNotKept) {
  serve("mx.attacker.test", "DNS:mx.attacker.test");
  const auto server = Session::accept(server_);
  std::string plain;
  std::string record("\x16\x03\x01\x40\x00\x01\x01\xd4\xc0\x03\x03", 11);  // a ClientHello of 120,000 octets
  record.resize(5 + 16 * 1024, 'x');
  std::string more("\x16\x03\x01\x40\x00", 5);
  more.resize(5 + 16 * 1024, 'x');
  conf::Status status = server->receive(record, &plain);
  for (int i = 0; i < 3 && status.ok(); ++i) status = server->receive(more, &plain);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().detail.find("has no end"), std::string::npos) << status.error().detail;
}

TEST_F(TlsSessionTest, NoDiffieHellmanWhoseGroupTheServerChooses) {
  serve("mx.attacker.test", "DNS:mx.attacker.test");
  SSL_CTX* offered = client_->state()->ctx.get();
  const STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(offered);
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
    const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(ciphers, i);
    EXPECT_NE(SSL_CIPHER_get_kx_nid(cipher), NID_kx_dhe) << SSL_CIPHER_get_name(cipher);
  }
}

TEST_F(TlsSessionTest, WhoSendsMuchMayMakeNewKeys) {
  serve("mx.attacker.test", "DNS:mx.attacker.test");
  const Stubborn busy = ask_for_keys(1, std::string(1 << 20, 'x'), 100);
  EXPECT_TRUE(busy.status.ok());
  EXPECT_EQ(busy.plain.size(), size_t{100} << 20);
}

TEST_F(TlsSessionTest, WithoutVerificationAnyNameIsServed) {
  serve("mx.attacker.test", "DNS:mx.attacker.test");
  for (const char* name : {"cafe.abc.de", "", "127.1", "192.0.2.1"})
    EXPECT_EQ(shake(name, false), "") << name;
}

}  // namespace
}  // namespace relay::tls
