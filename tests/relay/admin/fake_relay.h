// A relay in memory for the tests of this folder: a loop thread, a spool that only remembers, a backend that
// notes what it was asked.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "relay/admin/backend.h"
#include "relay/spool/spool.h"

namespace relay::admin {

class FakeLoop {
 public:
  FakeLoop() : thread_([this] { run(); }) {}
  ~FakeLoop() { stop(); }
  void post(std::function<void()> work) {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_.push_back(std::move(work));
    changed_.notify_one();
  }
  void stop() {
    post([this] { stopping_ = true; });
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    while (!stopping_) {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return !waiting_.empty(); });
      const std::function<void()> work = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      work();
    }
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

class FakeSpool final : public spool::Spool {
 public:
  std::map<conf::MessageId, spool::MessageRecord> records;
  spool::SpoolHealth current_health;

  conf::MessageId next_id(conf::WallTime) override { return records.size() + 1; }
  void store(spool::MessageRecord record, conf::Bytes, StoreDone done) override {
    const conf::MessageId id = record.id;
    records[id] = std::move(record);
    done(print_receipt(id));
  }
  void update(const spool::MessageRecord& record) override { records[record.id] = record; }
  void remove(conf::MessageId id) override { records.erase(id); }
  void load(conf::MessageId id, bool, LoadDone done) override {
    const auto found = records.find(id);
    if (found == records.end()) {
      done(conf::Error{conf::ErrorCode::kNotFound, "no message " + conf::to_text(id)});
    } else {
      done(spool::LoadedMessage{found->second, {}});
    }
  }
  conf::Status recover(const std::function<void(spool::MessageRecord)>&,
                       const std::function<void(std::string, std::string)>&) override {
    return conf::success();
  }
  conf::Status scan(const std::function<bool(const spool::MessageRecord&)>& each) override {
    for (const auto& [id, record] : records) {
      if (!each(record)) break;
    }
    return conf::success();
  }
  void keep_all(KeptValues, KeepDone done) override {
    if (done) done(conf::success());
  }
  conf::Status kept(const std::function<void(std::string_view, std::string_view)>&,
                    const std::function<void(std::string, std::string)>&) override {
    return conf::success();
  }
  size_t drain_completions() override { return 0; }
  void on_completions_ready(std::function<void()>) override {}
  spool::SpoolHealth health() const override { return current_health; }
  spool::SpoolCounters counters() const override { return {}; }
  void flush() override {}
};

class FakeBackend final : public Backend {
 public:
  explicit FakeBackend(FakeSpool* spool) : spool_(spool) {}
  QueueSummary current;
  std::vector<std::pair<QueueAction, std::vector<conf::MessageId>>> applied;
  std::map<std::string, std::string> sites;

  QueueSummary summary() override { return current; }
  uint64_t apply(QueueAction action, const std::vector<conf::MessageId>& ids) override {
    applied.emplace_back(action, ids);
    uint64_t count = 0;
    for (const conf::MessageId id : ids) count += spool_->records.count(id);
    return count;
  }
  std::string site_of(const std::string& domain) override {
    const auto found = sites.find(domain);
    return found == sites.end() ? "" : found->second;
  }

 private:
  FakeSpool* spool_;
};

}  // namespace relay::admin
