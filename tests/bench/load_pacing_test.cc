// The figures of the generator against what can be computed: real plan, sessions and histograms, a clock that
// only this test moves, and a receiver whose delays are known.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <tuple>
#include <vector>

#include "bench/load/client.h"
#include "bench/load/pacer.h"
#include "bench/load/plan.h"
#include "bench/load/tally.h"

namespace bench::load {
namespace {

constexpr int64_t kMs = 1000;
constexpr int64_t kSecond = 1'000'000;

// When the 250 for a content that came at this time is sent.
using Answer = std::function<int64_t(int64_t)>;

class World final : private Supply {
 public:
  World(const LoadOptions& options, Answer answer)
      : options_(options),
        answer_(std::move(answer)),
        content_(Content::make(options_, "today").value()),
        plan_(options_) {
    plan_.begin(0);
    tally_.timeline.start(0);
    for (uint32_t i = 0; i < options_.connections; ++i) {
      clients_.push_back(std::make_unique<Client>(options_, *content_, static_cast<Supply*>(this)));
      servers_.emplace_back();
      say(i, 0, "220 ready\r\n");
    }
  }

  const Tally& run() {
    for (;;) {
      int64_t next = INT64_MAX;
      if (!replies_.empty()) next = std::get<0>(replies_.top());
      const bool waits =
          std::any_of(clients_.begin(), clients_.end(), [](const auto& c) { return c->idle(); });
      const auto due = plan_.next_due();
      if (waits && due) next = std::min(next, std::max(now_, *due));
      if (next == INT64_MAX) return tally_;
      now_ = next;
      while (!replies_.empty() && std::get<0>(replies_.top()) == now_) {
        const auto [at, order, client, text] = replies_.top();
        replies_.pop();
        EXPECT_TRUE(clients_[client]->feed(text, now_));
        take(client);
      }
      for (uint32_t i = 0; i < clients_.size(); ++i) {
        clients_[i]->wake(now_);
        take(i);
      }
    }
  }
  int64_t now() const { return now_; }

 private:
  struct Server {
    std::string input;
    bool data = false;
    int64_t busy_until = 0;
  };

  bool next(bool pipelined, Message* message) override {
    const bool waits = std::any_of(clients_.begin(), clients_.end(), [](const auto& c) { return c->idle(); });
    return !(pipelined && waits) && plan_.take(now_, message);
  }
  void answered(const Message& message, int code, std::string_view text) override {
    tally_.count(message, code, text, now_);
  }
  void say(uint32_t client, int64_t at, const std::string& text) {
    servers_[client].busy_until = std::max(servers_[client].busy_until, at);
    replies_.emplace(servers_[client].busy_until, order_++, client, text);
  }
  void take(uint32_t client) {
    Output& output = clients_[client]->output();
    Server& server = servers_[client];
    iovec part;
    while (output.gather(&part, 1) == 1) {
      server.input.append(static_cast<const char*>(part.iov_base), part.iov_len);
      output.consume(part.iov_len);
    }
    for (;;) {
      const std::string_view end = server.data ? "\r\n.\r\n" : "\r\n";
      const size_t at = server.input.find(end);
      if (at == std::string::npos) return;
      const std::string verb = server.input.substr(0, 4);
      server.input.erase(0, at + end.size());
      const int64_t begins = std::max(now_, server.busy_until);
      if (server.data) {
        say(client, answer_(begins), "250 ok\r\n");
      } else {
        say(client, begins,
            verb == "DATA"   ? "354 go\r\n"
            : verb == "EHLO" ? "250-x\r\n250 PIPELINING\r\n"
                             : "250 ok\r\n");
      }
      server.data = !server.data && verb == "DATA";
    }
  }

  using Reply = std::tuple<int64_t, uint64_t, uint32_t, std::string>;
  LoadOptions options_;
  Answer answer_;
  std::unique_ptr<Content> content_;
  Plan plan_;
  Tally tally_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<Server> servers_;
  std::priority_queue<Reply, std::vector<Reply>, std::greater<>> replies_;
  uint64_t order_ = 0;
  int64_t now_ = 0;
};

LoadOptions options_for(double rate, uint64_t messages, uint32_t connections) {
  LoadOptions options;
  options.rate = rate;
  options.messages = messages;
  options.connections = connections;
  options.size = "500";
  options.prefix = "t";
  return options;
}

void expect_percentiles(const Latency& told, std::vector<int64_t> exact) {
  std::sort(exact.begin(), exact.end());
  ASSERT_EQ(told.count(), exact.size());
  for (const double share : {0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999, 1.0}) {
    const double rank = std::ceil(share * static_cast<double>(exact.size()) - 1e-6);
    const int64_t value = exact[static_cast<size_t>(std::max(1.0, rank)) - 1];
    EXPECT_GE(told.percentile(share), value) << share;
    EXPECT_LE(static_cast<double>(told.percentile(share)), static_cast<double>(value) * 1.008) << share;
  }
}

TEST(LoadFigures, AKnownDelayIsTold) {
  for (const bool pipelining : {true, false}) {
    LoadOptions options = options_for(100, 1000, 4);
    options.pipelining = pipelining;
    World world(options, [](int64_t at) { return at + 5 * kMs; });
    const Tally& tally = world.run();
    EXPECT_EQ(tally.accepted, 1000U);
    expect_percentiles(tally.response, std::vector<int64_t>(1000, 5 * kMs));
    expect_percentiles(tally.service, std::vector<int64_t>(1000, 5 * kMs));
    EXPECT_EQ(world.now(), 999 * 10 * kMs + 5 * kMs);
  }
}

// One session, a message due each millisecond, 100 us of service, and nothing answered from 2 s to 3 s.
TEST(LoadFigures, AStallIsNotOmitted) {
  const auto answer = [](int64_t at) {
    return (at >= 2 * kSecond && at < 3 * kSecond ? 3 * kSecond : at) + 100;
  };
  World world(options_for(1000, 10'000, 1), answer);
  const Tally& tally = world.run();

  std::vector<int64_t> response;
  std::vector<int64_t> service;
  int64_t free_at = 0;
  for (int64_t i = 0; i < 10'000; ++i) {
    const int64_t begin = std::max(i * kMs, free_at);
    free_at = answer(begin);
    response.push_back(free_at - i * kMs);
    service.push_back(free_at - begin);
  }
  expect_percentiles(tally.response, response);
  expect_percentiles(tally.service, service);
  // In figures: 1,112 messages were late, one session could send only one of them into the stall.
  EXPECT_EQ(tally.service.percentile(0.999), 100);
  EXPECT_NEAR(static_cast<double>(tally.response.percentile(0.99)), 910'000, 9'000);
  EXPECT_NEAR(static_cast<double>(tally.response.max()), 1'000'100, 1);
}

// More is due than the receiver takes: the wait grows without end, and is told.
TEST(LoadFigures, OverloadShowsInTheResponseTime) {
  World world(options_for(1000, 2000, 2), [](int64_t at) { return at + 4 * kMs; });  // takes 500/s
  const Tally& tally = world.run();
  EXPECT_NEAR(static_cast<double>(world.now()), 4.0 * kSecond, 0.01 * kSecond);
  EXPECT_NEAR(static_cast<double>(tally.response.max()), 2.0 * kSecond, 0.02 * kSecond);
  EXPECT_NEAR(static_cast<double>(tally.response.percentile(0.5)), 1.0 * kSecond, 0.02 * kSecond);
  EXPECT_EQ(tally.service.max(), 4 * kMs);
}

TEST(LoadFigures, AClosedLoopCountsFromTheStartOfTheTransaction) {
  World world(options_for(0, 500, 5), [](int64_t at) { return at + 2 * kMs; });
  const Tally& tally = world.run();
  EXPECT_EQ(tally.accepted, 500U);
  EXPECT_EQ(tally.service.percentile(0.5), 2 * kMs);
  EXPECT_EQ(tally.service.max(), 2 * kMs);
  EXPECT_EQ(tally.response.max(), 2 * kMs);
  EXPECT_EQ(world.now(), 100 * 2 * kMs);
}

TEST(LoadFigures, TheTimelineAddsUpAndIsBounded) {
  World world(options_for(100, 100'000, 2), [](int64_t at) { return at + kMs; });  // 1,000 s
  const Tally& tally = world.run();
  uint64_t accepted = 0;
  uint64_t bytes = 0;
  for (const Timeline::Interval& one : tally.timeline.intervals()) {
    accepted += one.accepted;
    bytes += one.bytes;
    EXPECT_EQ(one.response.count(), one.accepted);
  }
  EXPECT_EQ(accepted, 100'000U);
  EXPECT_EQ(bytes, tally.bytes);
  EXPECT_LE(tally.timeline.intervals().size(), 120U);
  EXPECT_GT(tally.timeline.intervals().size(), 50U);
  // Every whole interval has what is due in it.
  const double each = static_cast<double>(tally.timeline.width_us()) / kSecond * 100;
  EXPECT_NEAR(static_cast<double>(tally.timeline.intervals()[10].accepted), each, 1);
}

TEST(Pacer, EvenGapsStayExactAndRandomOnesHaveTheRate) {
  Pacer even(3, false, 1, 50);
  for (int i = 0; i < 3'000'000; ++i) even.advance();
  EXPECT_EQ(even.due_us(), 50 + 1'000'000 * kSecond);
  Pacer random(1000, true, 1, 0);
  int64_t last = 0;
  double squares = 0;
  for (int i = 0; i < 100'000; ++i) {
    random.advance();
    EXPECT_GE(random.due_us(), last);
    const double gap = static_cast<double>(random.due_us() - last);
    squares += gap * gap;
    last = random.due_us();
  }
  EXPECT_NEAR(static_cast<double>(last), 100.0 * kSecond, 1.0 * kSecond);
  EXPECT_NEAR(squares / 100'000, 2e6, 5e4);  // the second moment of an exponential law is 2 / rate^2
}

TEST(Plan, CountsWhatWasDueAndNeverTaken) {
  LoadOptions options;
  options.rate = 10;
  options.duration_s = 2;
  Message message;
  Plan plan(options);
  plan.begin(0);
  ASSERT_TRUE(plan.take(0, &message));
  EXPECT_EQ(plan.give_up_due(kSecond / 2), 5U);  // those of 0.1 s to 0.5 s
  EXPECT_EQ(plan.handed_out(), 6U);
  EXPECT_EQ(plan.give_up_due(9 * kSecond), 14U);  // none beyond the end
  options.rate = 0;
  Plan closed(options);
  closed.begin(0);
  EXPECT_EQ(closed.give_up_due(kSecond), 0U);
}

TEST(Plan, EndsByCountOrByTime) {
  LoadOptions options;
  Message message;
  Plan thousand(options);
  thousand.begin(0);
  for (uint64_t i = 1; i <= 1000; ++i) {
    ASSERT_TRUE(thousand.take(5, &message));
    EXPECT_EQ(message.number, i);
    EXPECT_EQ(message.due_us, 5);
  }
  EXPECT_FALSE(thousand.take(5, &message));
  EXPECT_TRUE(thousand.over(5));

  options.duration_s = 2;
  Plan timed(options);
  timed.begin(100);
  EXPECT_TRUE(timed.take(100 + 2 * kSecond - 1, &message));
  EXPECT_FALSE(timed.take(100 + 2 * kSecond, &message));
  EXPECT_TRUE(timed.over(100 + 2 * kSecond));

  // What was due before the end is handed out, however late.
  options.rate = 10;
  Plan paced(options);
  paced.begin(0);
  int taken = 0;
  while (paced.take(60 * kSecond, &message)) ++taken;
  EXPECT_EQ(taken, 20);
  EXPECT_EQ(message.due_us, 1'900 * kMs);
}

TEST(Tally, RepliesThatDifferByAnIdAreOneKind) {
  EXPECT_EQ(reply_kind("250 2.0.0 Ok: queued as 4F2A1"), "250 2.0.0 Ok: queued as #");
  EXPECT_EQ(reply_kind("550 5.1.1 <user12@d1.test> unknown"), "550 5.1.1 # unknown");
  EXPECT_EQ(reply_kind("250"), "250");
  EXPECT_EQ(reply_kind("550 \x1b[2Jno"), "550 #");
  EXPECT_EQ(reply_kind("550 \x1b[Jno"), "550 ?[Jno");
  Tally tally;
  Message message;
  for (int i = 0; i < 1000; ++i)
    tally.count(
        message, 450,
        "450 4.2.0 word" + std::string(static_cast<size_t>(i) / 26 + 1, static_cast<char>('a' + i % 26)), 0);
  EXPECT_LE(tally.outcomes.size(), 33U);
  uint64_t all = 0;
  for (const auto& [kind, count] : tally.outcomes) all += count;
  EXPECT_EQ(all, 1000U);
}

}  // namespace
}  // namespace bench::load
