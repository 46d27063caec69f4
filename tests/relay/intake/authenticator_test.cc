// Logins: who is hashed, who is known, who is refused unseen, and who waits for whom.
#include "relay/intake/authenticator.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "relay/intake/login_history.h"

namespace relay {
namespace {

using namespace std::chrono_literals;
using smtp::AuthOutcome;
using Look = LoginHistory::Look;

struct Still final : conf::Clock {
  conf::Instant now() const override { return time; }
  conf::WallTime wall() const override { return conf::WallTime{}; }
  conf::Instant time{1h};
};

// The loop's thread is the test's.
struct Loop {
  std::mutex mutex;
  std::condition_variable came;
  std::vector<std::function<void()>> work;
  std::function<void(std::function<void()>)> post() {
    return [this](std::function<void()> each) {
      const std::lock_guard lock(mutex);
      work.push_back(std::move(each));
      came.notify_one();
    };
  }
  void run_one() {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(came.wait_for(lock, 30s, [this] { return !work.empty(); }));
    const auto each = std::move(work.front());
    work.erase(work.begin());
    lock.unlock();
    each();
  }
};

class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() {
    auto made = std::make_shared<conf::Config>();
    made->users.push_back({"shop", hash_secret("right")});
    made->users.push_back({"desk", hash_secret("other")});
    config = made;
  }
  void ask(const std::string& client, const std::string& user, const std::string& secret) {
    logins.check(config, client, user, conf::Secret(secret), [this, user](AuthOutcome outcome) {
      answers.push_back(outcome);
      users.push_back(user);
    });
  }
  AuthOutcome answer(const std::string& client, const std::string& user, const std::string& secret) {
    const size_t before = answers.size();
    ask(client, user, secret);
    while (answers.size() == before) loop.run_one();
    return answers.back();
  }

  Still clock;
  Loop loop;
  Authenticator logins{&clock, loop.post()};
  conf::ConfigPtr config;
  std::vector<AuthOutcome> answers;
  std::vector<std::string> users;
};

TEST_F(AuthenticatorTest, RightAndWrongAndUnknown) {
  EXPECT_EQ(answer("c", "shop", "right"), AuthOutcome::kGood);
  EXPECT_EQ(answer("c", "shop", "wrong"), AuthOutcome::kWrong);
  EXPECT_EQ(answer("c", "nobody", "right"), AuthOutcome::kWrong);
  EXPECT_EQ(answer("c", "nobody", "other"), AuthOutcome::kWrong) << "the stand-in hash lets nobody in";
}

TEST_F(AuthenticatorTest, ARightSecretIsHashedOnceInFiveMinutes) {
  EXPECT_EQ(answer("c", "shop", "right"), AuthOutcome::kGood);
  for (int i = 0; i < 1000; ++i) ask("c" + std::to_string(i), "shop", "right");
  EXPECT_EQ(answers.size(), 1001U) << "answered inside the call";
  EXPECT_EQ(answers.back(), AuthOutcome::kGood);
  clock.time += 5min;
  ask("c", "shop", "right");
  EXPECT_EQ(answers.size(), 1001U) << "hashed again";
  loop.run_one();
  EXPECT_EQ(answers.size(), 1002U);
}

TEST_F(AuthenticatorTest, AChangedHashMakesAnOldSecretWorthless) {
  EXPECT_EQ(answer("c", "shop", "right"), AuthOutcome::kGood);
  auto changed = std::make_shared<conf::Config>(*config);
  changed->users[0].secret_hash = hash_secret("new");
  config = changed;
  EXPECT_EQ(answer("c", "shop", "right"), AuthOutcome::kWrong);
}

TEST_F(AuthenticatorTest, ManyConnectionsWithOneSecretAreHashedOnce) {
  for (int i = 0; i < 300; ++i) ask("c", "shop", "right");
  loop.run_one();
  EXPECT_EQ(answers, std::vector<AuthOutcome>(300, AuthOutcome::kGood));
}

TEST_F(AuthenticatorTest, AGuesserIsNotLookedAtAnyMoreAndNobodyElseIsConcerned) {
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(answer("guesser", "shop", "g" + std::to_string(i)), AuthOutcome::kWrong);
  EXPECT_EQ(answer("guesser", "shop", "right"), AuthOutcome::kLimited);
  EXPECT_EQ(answer("elsewhere", "shop", "right"), AuthOutcome::kGood);
  clock.time += 10min;
  EXPECT_EQ(answer("guesser", "shop", "g"), AuthOutcome::kWrong);
}

TEST_F(AuthenticatorTest, GuessersDoNotLockTheOwnerOfTheNameOut) {
  auto changed = std::make_shared<conf::Config>(*config);
  changed->intake.auth_failures_per_user = 6;
  config = changed;
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(answer("g" + std::to_string(i / 2), "shop", "g" + std::to_string(i)), AuthOutcome::kWrong);
  EXPECT_EQ(answer("g0", "shop", "right"), AuthOutcome::kLimited);
  for (int i = 0; i < 100; ++i) ask("g" + std::to_string(i % 3), "shop", "more" + std::to_string(i));
  EXPECT_EQ(answer("owner", "shop", "right"), AuthOutcome::kGood);
  EXPECT_EQ(answer("owner", "shop", "mistyped"), AuthOutcome::kWrong) << "it is known now";
  EXPECT_EQ(answer("owner", "shop", "right"), AuthOutcome::kGood);
  EXPECT_EQ(answer("stranger", "shop", "wrong"), AuthOutcome::kWrong);
  EXPECT_EQ(answer("stranger", "shop", "other"), AuthOutcome::kLimited);
}

TEST_F(AuthenticatorTest, AFullQueueIsBusyNeverWrongAndSlowsNobodyElse) {
  size_t busy = 0;
  for (int i = 0; i < 300; ++i) ask("guesser", "name" + std::to_string(i % 100), "g" + std::to_string(i));
  for (const AuthOutcome each : answers) {
    EXPECT_EQ(each, AuthOutcome::kBusy);
    ++busy;
  }
  EXPECT_GE(busy, 300U - 256U - 8U);
  const size_t before = answers.size();
  ask("app", "shop", "right");
  size_t waited = 0;
  while (users.empty() || answers.size() == before || users.back() != "shop") {
    loop.run_one();
    ++waited;
  }
  EXPECT_EQ(answers.back(), AuthOutcome::kGood);
  EXPECT_LT(waited, 30U) << "its turn came among those of the guesser, not after them";
}

TEST(LoginHistory, AKnownClientKeepsItsLoginWhileOthersGuessItsName) {
  LoginHistory history;
  history.set_bounds({3, 5, 20});
  const conf::Instant now{1h};
  history.good({}, "app", "shop", now);
  for (int i = 0; i < 100; ++i) history.wrong("g" + std::to_string(i), "shop", now);
  EXPECT_EQ(history.look("app", "shop", now), Look::kFree);
  EXPECT_EQ(history.look("stranger", "desk", now), Look::kFree);
  for (int i = 0; i < 30; ++i) history.wrong("app", "shop", now);
  EXPECT_EQ(history.look("app", "shop", now), Look::kNone) << "ten times as much, not without end";
}

TEST(LoginHistory, AClientThatTriesManyNamesIsSeen) {
  LoginHistory history;
  history.set_bounds({3, 5, 20});
  const conf::Instant now{1h};
  for (int i = 0; i < 5; ++i) history.wrong("g", "name" + std::to_string(i), now);
  EXPECT_EQ(history.look("g", "fresh", now), Look::kNone);
  EXPECT_EQ(history.look("g", "fresh", now + 10min), Look::kFree);
}

TEST(LoginHistory, AStrangerToANameThatManyGuessIsLookedAtOnce) {
  LoginHistory history;
  history.set_bounds({3, 5, 20});
  const conf::Instant now{1h};
  for (int i = 0; i < 20; ++i) history.wrong("g" + std::to_string(i), "shop", now);
  EXPECT_EQ(history.look("stranger", "shop", now), Look::kOnce);
  EXPECT_EQ(history.look("g0", "shop", now), Look::kNone) << "it was wrong once";
  history.wrong("stranger", "shop", now);
  EXPECT_EQ(history.look("stranger", "shop", now), Look::kNone);
  EXPECT_EQ(history.look("stranger", "shop", now + 10min), Look::kFree);
}

}  // namespace
}  // namespace relay
