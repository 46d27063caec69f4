// A relay in memory for the tests of this folder: a loop thread, a spool that only remembers, a backend that
// notes what it was asked.
#pragma once

#include <algorithm>
#include <chrono>
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
  std::map<conf::MessageId, std::string> bodies;
  spool::SpoolHealth current_health;

  conf::MessageId next_id(conf::WallTime) override { return records.size() + 1; }
  void store(spool::MessageRecord record, conf::Bytes, StoreDone done) override {
    const conf::MessageId id = record.id;
    records[id] = std::move(record);
    done(print_receipt(id));
  }
  using Spool::update;
  void update(const spool::MessageRecord& record, spool::RecipientSpan) override {
    records[record.id] = record;
  }
  void hold(conf::MessageId id, bool on_hold) override { records[id].on_hold = on_hold; }
  void remove(conf::MessageId id) override { records.erase(id); }
  void load(conf::MessageId id, bool, LoadDone done) override {
    const auto found = records.find(id);
    if (found == records.end()) {
      done(conf::Error{conf::ErrorCode::kNotFound, "no message " + conf::to_text(id)});
    } else {
      done(spool::LoadedMessage{found->second, conf::Bytes(bodies[id])});
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
  bool recording() const override { return current_health.recording; }
  conf::Result<std::string> kept_value(std::string_view) override {
    return conf::Error{conf::ErrorCode::kNotFound, "no such value"};
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

// A path of a rule with an hourly quota that is used up, and with a threshold that saw many errors.
inline PathView busy_path(const std::string& site, const std::string& source) {
  PathView path;
  path.site = site;
  path.source = source;
  path.source_id = 1;
  path.rule = "gmail";
  path.rule_where = "penstock.toml:41";
  path.scope = conf::RuleScope::kSource;
  path.limits = {{"messages_per_hour", "10000", "penstock.toml:43 (rule gmail)"},
                 {"max_connections", "20", "[defaults] or [[destination]]"}};
  path.messages_per_hour = 10'000;
  TrafficView traffic;
  traffic.address = "*";
  traffic.connections = 5;
  traffic.window = 8;
  traffic.used_in_hour = 10'000;
  traffic.used_in_slice = 834;
  traffic.slice_limit = 834;
  path.traffic = {traffic};
  path.thresholds = {{0.9, 300, 3600, 10'800, 300, 271, false, "penstock.toml:45"}};
  path.state = mx::Standing::State::kOpen;
  path.adaptive = conf::AdaptiveMode::kOff;
  path.ready = 120;
  path.in_flight = 3;
  path.connections = 5;
  path.binds = mx::Bind::kQuota;
  path.frees_seconds = 191.5;
  path.replies = {"421 4.7.28 Our system has detected an unusual rate\x1b[2J"};
  auto decision = std::make_shared<conf::SiteDecision>();
  decision->action = conf::DecisionAction::kBlock;
  decision->by = "threshold 1";
  decision->where = "penstock.toml:45";
  decision->messages = 300;
  decision->errors = 271;
  decision->share = 271.0 / 300;
  decision->until = conf::from_unix_micros(2'000'000'000'000'000);
  decision->samples = {"550 5.7.1 blocked", "421 4.7.0 later"};
  decision->text = "blocked for 3 h: 271 of 300 were errors (90.3 %)";
  path.decisions = {{conf::from_unix_micros(1'999'990'000'000'000), decision}};
  return path;
}

inline Explanation busy_explanation(const std::string& site, const std::vector<std::string>& sources) {
  Explanation told;
  told.route.site = site;
  told.route.by = "MX";
  told.route.ttl_seconds = 300;
  told.route.hosts = {{site, 10, {"192.0.2.1:25"}}};
  for (const std::string& source : sources) told.paths.push_back(busy_path(site, source));
  return told;
}

class FakeBackend final : public Backend {
 public:
  explicit FakeBackend(FakeSpool* spool) : spool_(spool) {}
  QueueSummary current;
  std::vector<std::pair<QueueAction, std::vector<conf::MessageId>>> applied;
  std::chrono::milliseconds each_takes{0};  // of `applied`, of the loop's time
  std::string ordered_by;                   // the last of `applied`
  std::vector<std::string> told_orders;
  std::map<std::string, std::string> sites;
  std::map<std::string, Explanation> explanations;  // by domain; of others: no route
  std::vector<PathView> all_paths;
  std::vector<MxOrder> given, asked;  // asked: dry runs
  std::vector<OrderView> in_force;
  std::map<conf::MessageId, std::string> paused;  // the stream of each
  ReloadDone reload_done;
  MxOrderDone order_done;
  std::shared_ptr<Census> counted = std::make_shared<Census>();
  std::map<conf::MessageId, std::vector<DeliveryView>> stand;
  std::string asked_stream;    // by the latest explain()
  bool dns_is_silent = false;  // explain() never answers
  std::map<std::string, std::string> barred_addresses;

  QueueSummary summary() override { return current; }
  QueueSummary last_known() const override { return current; }
  const spool::RelayClock& clock() const override { return clock_; }
  bool apply(QueueAction action, conf::MessageId id, const std::string& who) override {
    std::this_thread::sleep_for(each_takes);
    ordered_by = who;
    if (applied.empty() || applied.back().first != action) applied.push_back({action, {}});
    applied.back().second.push_back(id);
    return spool_->records.contains(id) && (action != QueueAction::kRelease || paused[id].empty());
  }
  void ordered(conf::QueueOrder order) override {
    told_orders.push_back(
        std::string(to_text(order.action)) + ' ' + std::to_string(order.messages) + " by " + order.by + ": " +
        order.what +
        (order.detail.empty() ? "" : "; not " + std::to_string(order.not_done) + ": " + order.detail));
  }
  std::string paused_stream(conf::MessageId id) override { return paused[id]; }
  bool is_queued(conf::MessageId id) override { return spool_->records.contains(id); }
  std::string barred(const std::string& address) override { return barred_addresses[address]; }
  std::string site_of(const std::string& domain) override {
    const auto found = sites.find(domain);
    return found == sites.end() ? "" : found->second;
  }
  void explain(const std::string& domain, const std::string& source, const std::string& stream,
               std::function<void(Explanation)> done) override {
    asked_stream = stream;
    if (dns_is_silent) return;
    Explanation told = explanations[domain];
    told.route.domain = domain;
    if (told.route.site.empty()) {
      told.problem = told.route.detail = "no such domain";
    } else if (!source.empty()) {
      std::erase_if(told.paths, [&](const PathView& path) { return path.source != source; });
      told.unknown_source = told.paths.empty();
      if (told.unknown_source) told.problem = "no source is named " + source;
    }
    done(std::move(told));
  }
  void census(const std::string& /*domain*/,
              std::function<void(std::shared_ptr<const Census>)> done) override {
    done(counted);
  }
  std::vector<DeliveryView> deliveries_of(conf::MessageId id) override { return stand[id]; }
  void paths(size_t limit, std::function<void(std::vector<PathView>)> done) override {
    std::vector<PathView> some = all_paths;
    some.resize(std::min(limit, some.size()));
    done(std::move(some));
  }
  void order(const MxOrder& order, std::function<void(MxOrderDone)> done) override {
    (order.dry_run ? asked : given).push_back(order);
    done(order_done);
  }
  std::vector<OrderView> orders() override { return in_force; }
  void reload(std::function<void(const ReloadDone&)> done) override { done(reload_done); }

 private:
  conf::SystemClock system_;
  spool::RelayClock clock_{&system_, {}};
  FakeSpool* spool_;
};

}  // namespace relay::admin
