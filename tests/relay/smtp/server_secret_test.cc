// What a client sent as a secret is in no memory that the session gives back, on whatever way it went through
// the input. Every operator delete of this program looks at what is freed.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <string_view>

#include "tests/relay/smtp/server_rig.h"

namespace {

std::atomic<bool> looking = false;
std::atomic<int> found = 0;
// The secret is "the secret of the shop". These are in no memory that is freed.
constexpr std::string_view kLogin = "AUTH PLAIN AHNob3AAdGhlIHNlY3JldCBvZiB0aGUgc2hvcA==\r\n";
constexpr std::string_view kBehindOthers =
    "NOOP\r\nNOOP\r\nNOOP\r\nAUTH PLAIN AHNob3AAdGhlIHNlY3JldCBvZiB0aGUgc2hvcA==\r\n";
constexpr std::string_view kNoCommand =
    "XAUTH PLAIN AHNob3AAdGhlIHNlY3JldCBvZiB0aGUgc2hvcA==\r\nAHNob3AAdGhlIHNlY3JldCBvZiB0aGUgc2hvcA==\r\n";
constexpr std::string_view kPart = "dGhlIHNlY3JldCBv", kPlainPart = "the secret of";

bool holds(const void* memory, size_t octets) {
  const std::string_view text(static_cast<const char*>(memory), octets);
  return text.find(kPart) != std::string_view::npos || text.find(kPlainPart) != std::string_view::npos;
}

[[maybe_unused]] void look_and_free(void* memory) noexcept {
  if (memory != nullptr && looking && holds(memory, malloc_usable_size(memory))) ++found;
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
}

}  // namespace

// The sanitizers have operators of their own, and libraries that mix both are an error to them.
#ifdef PENSTOCK_SANITIZED
constexpr bool kLooks = false;
#else
constexpr bool kLooks = true;
void* operator new(size_t size) {
  void* memory = std::calloc(1, size);  // NOLINT(cppcoreguidelines-no-malloc): whole blocks are looked at
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept { look_and_free(memory); }
void operator delete(void* memory, size_t) noexcept { look_and_free(memory); }
#endif

namespace relay::smtp {
namespace {

conf::Config with_auth(bool without_tls) {
  conf::Config config = test_config();
  config.listeners.front().auth = true;
  config.listeners.front().auth_without_tls = without_tls;
  return config;
}

class ServerSecret : public testing::Test {
 protected:
  explicit ServerSecret(bool without_tls = true) : rig_(with_auth(without_tls), kStranger) {
    rig_.start();
    rig_.say("EHLO client.example.com");
    looking = true;
    found = 0;
  }
  void SetUp() override {
    if (!kLooks) GTEST_SKIP() << "not under a sanitizer";
  }
  ~ServerSecret() override {
    rig_.session.reset();
    looking = false;
    EXPECT_EQ(found, 0) << "copies of the secret in memory that was given back";
  }
  // As from a buffer that the reader wipes.
  void feed(std::string_view bytes) {
    rig_.session->receive(bytes, rig_.now);
    ServerEvent event;
    while (rig_.session->next_event(&event, rig_.now)) {
    }
  }
  ServerRig rig_;
};

class ServerSecretInClear : public ServerSecret {
 protected:
  ServerSecretInClear() : ServerSecret(false) {}
};

TEST_F(ServerSecret, OfALoginThatIsAskedAbout) { feed(kLogin); }

// 538: nobody looks at what came with the command.
TEST_F(ServerSecretInClear, OfALoginThatIsRefusedBeforeItIsRead) { feed(kLogin); }

TEST_F(ServerSecret, OfALineThatNeverEnds) { feed(kLogin.substr(0, kLogin.size() - 2)); }

TEST_F(ServerSecret, OfALineThatComesInPieces) {
  for (size_t at = 0; at < kLogin.size(); ++at) feed(kLogin.substr(at, 1));
}

TEST_F(ServerSecret, OfALineBehindWhatWaitsForTheNextTurn) {
  std::string more;
  for (int i = 0; i < 3'000; ++i) more += "NOOP\r\n";
  rig_.session->begin_turn(1);
  feed(kBehindOthers);
  feed(more);
  rig_.session->begin_turn(1'000'000);
  feed("");
}

TEST_F(ServerSecret, OfALineThatIsNoLogin) {
  for (size_t at = 0; at < kNoCommand.size(); at += 7) feed(kNoCommand.substr(at, 7));
  feed("QUIT\r\n");
}

}  // namespace
}  // namespace relay::smtp
