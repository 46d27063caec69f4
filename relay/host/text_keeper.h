// A feed of the journal: counts the texts of refusals, and brings the counts to the file of the table of
// texts, on a thread of its own. A text that nobody qualified yet is there as To qualify within a minute.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bounce/qualifier.h"
#include "conf/config.h"
#include "conf/vocab/event.h"
#include "relay/journal/feed.h"

namespace relay {

class TextKeeper final : public journal::Feed {
 public:
  static constexpr conf::Duration kPeriod = std::chrono::minutes(1);
  static constexpr size_t kMostWaiting = 20'000;  // texts between two writes; more are not counted
  static constexpr size_t kMostSites = 5;         // of a text, between two writes

  // `say` gets a line for the operator, on the thread.
  TextKeeper(std::string path, std::shared_ptr<const bounce::Qualifier> qualifier,
             std::function<void(const std::string&)> say);
  // Of the table that the configuration names; null: it keeps none.
  static std::unique_ptr<TextKeeper> make(const conf::Config& config,
                                          std::shared_ptr<const bounce::Qualifier> qualifier,
                                          std::function<void(const std::string&)> say);
  ~TextKeeper() override;  // writes what is left

  journal::FeedClass feed_class() const override { return journal::FeedClass::kBestEffort; }
  void take(uint64_t sequence, const conf::DeliveryEvent& event) override;
  uint64_t through() const override { return through_.load(std::memory_order_relaxed); }
  // What is read from now on is read by these rules. Any thread.
  void use(std::shared_ptr<const bounce::Qualifier> qualifier);
  void flush();  // writes now; returns when it is done. Not for the loop.

 private:
  struct Seen {
    std::string text;  // "550 5.1.1 ..."
    conf::Stage stage = conf::Stage::kUnknown;
    std::string mx_host, domain, source;
    conf::WallTime at;
    std::vector<std::pair<std::string, uint32_t>> sites;
  };
  using Waiting = std::unordered_map<uint64_t, Seen>;  // by row

  void run();
  void write(const Waiting& waiting, const bounce::Qualifier& qualifier);

  const std::string path_;
  const std::function<void(const std::string&)> say_;
  std::atomic<uint64_t> through_{0};
  std::mutex mutex_;  // of what follows
  std::condition_variable wake_, written_;
  Waiting waiting_;
  std::shared_ptr<const bounce::Qualifier> qualifier_;
  uint64_t asked_ = 0, done_ = 0;  // flushes
  bool ending_ = false;
  bool failing_ = false;  // the thread's: told once
  std::thread thread_;
};

}  // namespace relay
