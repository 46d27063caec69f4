// A sender that keeps every limit to the last unit, from several threads at once, is never said to break one.
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/bench/sink_dialog.h"

namespace bench {
namespace {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

constexpr conf::Duration kWindow = 400ms;

// At most `most` things in any window. A thing lasts from take() until its reply has come, and the window is
// counted from then: it was seen by the receiver at some time between.
class Allowance {
 public:
  explicit Allowance(size_t most) : most_(most) {}
  bool take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    while (!seen_.empty() && seen_.front() + kWindow <= conf::SystemClock().now()) seen_.pop_front();
    if (seen_.size() + open_ >= most_) return false;
    ++open_;
    return true;
  }
  void answered() {
    const std::lock_guard<std::mutex> lock(mutex_);
    --open_;
    seen_.push_back(conf::SystemClock().now());
    ++taken_;
  }
  size_t taken() const { return taken_; }

 private:
  const size_t most_;
  std::mutex mutex_;
  std::deque<conf::Instant> seen_;
  size_t open_ = 0, taken_ = 0;
};

void wait_and_take(Allowance* allowance, const std::atomic<bool>& over, bool* taken) {
  while (!(*taken = allowance->take()) && !over) std::this_thread::sleep_for(1ms);
}

// One connection after the other, four messages in each; every other one is closed without QUIT.
void send_all(const RunningSink& sink, Allowance* messages, Allowance* connections,
              const std::atomic<bool>& over) {
  for (int round = 0; !over; ++round) {
    bool may = false;
    wait_and_take(connections, over, &may);
    if (!may) return;
    Sender sender(sink.address());
    const std::string greeting = sender.reply();
    connections->answered();
    ASSERT_EQ(greeting.substr(0, 3), "220") << greeting;
    ASSERT_EQ(sender.say("EHLO x.test").substr(0, 4), "250 ");
    for (int i = 0; i < 4; ++i) {
      wait_and_take(messages, over, &may);
      if (!may) return;
      const std::string answer = sender.say("MAIL FROM:<a@b.test>");
      messages->answered();
      ASSERT_EQ(answer.substr(0, 3), "250") << answer;
      ASSERT_EQ(sender.say("RCPT TO:<c@d.test>").substr(0, 3), "250");
      ASSERT_EQ(sender.say("RSET").substr(0, 3), "250");
    }
    if (round % 2 == 0) (void)sender.say("QUIT");
  }
}

TEST(SinkFairness, WhoKeepsTheLimitsBreaksNone) {
  RunningSink sink(
      "[[group]]\nname = \"g\"\nmax_connections = 3\nmax_messages_per_connection = 4\nmax_recipients = 1\n"
      "max_messages = 100\nmax_new_connections = 30\nwindow = \"400ms\"\n");
  Allowance messages(100), connections(30);
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { send_all(sink, &messages, &connections, over); });
  std::this_thread::sleep_for(2s);
  over = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(messages.taken(), 100U) << "the sender did not come near its limits";
  EXPECT_GT(connections.taken(), 30U);
  const SiteTally& tally = sink.stop().sites()[0]->tally();
  EXPECT_EQ(tally.all_broken(), 0U);
  EXPECT_EQ(tally.max_per_source, 3U);
}

}  // namespace
}  // namespace bench
