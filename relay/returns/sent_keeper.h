// Remembers what was sent, for reports without a token or with one of a domain: a feed of the journal that
// writes each delivered recipient into a file of its own, on a thread of its own, and answers the desk's
// questions. It holds nobody up: what it cannot write is said and not remembered. A crash loses at most the
// last second.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bounce/ledger/sqlite_sent.h"
#include "bounce/sent_memory.h"
#include "conf/config.h"
#include "conf/vocab/time.h"
#include "relay/journal/feed.h"

namespace relay::returns {

class SentKeeper final : public journal::Feed, public bounce::SentMemory {
 public:
  struct Options {
    conf::ConfigPtr config;  // the file is sent.db in the path of its [returns]
    const conf::Clock* clock = nullptr;
    std::function<void(const std::string&)> say;  // for the operator; from its thread too
  };
  // kIo: the folder or the file cannot be made.
  static conf::Result<std::unique_ptr<SentKeeper>> open(Options options);
  ~SentKeeper() override;  // writes what is left

  // Loop thread.
  journal::FeedClass feed_class() const override { return journal::FeedClass::kBestEffort; }
  void take(uint64_t sequence, const conf::DeliveryEvent& event) override;
  uint64_t through() const override { return through_.load(std::memory_order_relaxed); }
  void reload(conf::ConfigPtr config);

  // Any other thread; they see all that was taken before.
  std::optional<bounce::SentMail> find(uint64_t message, std::string_view recipient) override;
  std::optional<bounce::SentMail> of_message(uint64_t message) override;
  std::optional<bounce::SentMail> fitting(uint64_t message, const Fits& fits) override;
  std::optional<bounce::SentMail> with_id(std::string_view message_id, std::string_view recipient,
                                          conf::WallTime after) override;
  std::optional<bounce::SentMail> with_id(std::string_view message_id, conf::WallTime after,
                                          bool* alone) override;
  std::optional<bounce::SentMail> latest_to(std::string_view recipient, conf::WallTime after) override;

 private:
  SentKeeper(Options options, std::unique_ptr<bounce::SqliteSent> file);
  void run();
  void write();  // with file_mutex_ held
  void upkeep();

  const conf::Clock* clock_;
  const std::function<void(const std::string&)> say_;
  std::atomic<uint64_t> through_{0};

  std::mutex file_mutex_;  // taken before mutex_
  std::unique_ptr<bounce::SqliteSent> file_;
  conf::Instant complained_{};

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  conf::ConfigPtr config_;
  std::vector<bounce::SentMail> waiting_;
  uint64_t lost_ = 0;
  bool ending_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace relay::returns
