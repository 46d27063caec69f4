// A key that waits for its record: with a name system that the test fills.
#include "relay/host/signing_keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dkim/record.h"
#include "tests/dkim/mails.h"
#include "tests/mx/dns/fake_resolver.h"
#include "tests/temporary_folder.h"

namespace relay {
namespace {

using namespace std::chrono_literals;

constexpr const char* kName = "new._domainkey.example.com";

class SigningKeysTest : public testing::Test {
 protected:
  SigningKeysTest() : keys_([] {}, [this](const std::string& line) { said_.push_back(line); }) {
    std::ofstream(folder_ / "key.pem") << dkim::ed_key()->pem().view();
    chmod((folder_ / "key.pem").c_str(), 0600);
    conf::DkimKey key;
    key.domain = "example.com";
    key.selector = "new";
    key.file = folder_ / "key.pem";
    key.wait_for_record = true;
    config_.dkim.keys.push_back(key);
    config_.dkim.workers = 1;
  }
  std::shared_ptr<const dkim::KeyStore> read() {
    std::vector<conf::Problem> problems;
    auto store = SigningKeys::read(config_, &problems);
    for (const conf::Problem& problem : problems) ADD_FAILURE() << problem.text();
    return store;
  }
  conf::Config config_;
  TemporaryFolder folder_;
  void publish(const std::string& text) {
    mx::DnsAnswer answer;
    answer.status = mx::DnsStatus::kOk;
    answer.texts = {text};
    names_.answers[{kName, mx::RecordType::kTxt}] = answer;
  }
  mx::FakeResolver names_;
  std::vector<std::string> said_;
  SigningKeys keys_;
};

TEST_F(SigningKeysTest, SignsOnceTheRecordIsSeen) {
  const auto store = read();
  ASSERT_NE(store, nullptr);
  conf::Instant now{1h};
  keys_.use(store, config_.dkim, &names_, now);
  EXPECT_EQ(keys_.next_wake(), now);
  keys_.step(now);
  EXPECT_EQ(names_.queries, 1);
  EXPECT_TRUE(store->keys_for("example.com").empty());
  keys_.step(now + 1s);
  EXPECT_EQ(names_.queries, 1) << "once a minute";
  publish("v=DKIM1; k=ed25519; p=AAAA");
  now += 1min;
  keys_.step(now);
  EXPECT_TRUE(store->keys_for("example.com").empty()) << "another key's record";
  publish(dkim::record_text(*dkim::ed_key()));
  now += 1min;
  keys_.step(now);
  EXPECT_EQ(store->keys_for("example.com").size(), 1U);
  ASSERT_EQ(said_.size(), 1U);
  EXPECT_NE(said_[0].find(std::string(kName) + " is there"), std::string::npos);
  now += 1min;
  keys_.step(now);
  EXPECT_EQ(names_.queries, 3);
  EXPECT_EQ(keys_.next_wake(), conf::kNever) << "nothing is waited for any more";
  // A reload of the same key does not begin to wait again.
  const auto again = read();
  keys_.use(again, config_.dkim, &names_, now);
  EXPECT_EQ(again->keys_for("example.com").size(), 1U);
}

}  // namespace
}  // namespace relay
