// A spool in memory, for the simulation and for tests: deterministic, one thread. Requests wait until
// run_batch(), which is one synced batch; crash() is the loss of power. Records are kept encoded, so the
// format and its checks are used.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "relay/spool/completions.h"
#include "relay/spool/message_ids.h"
#include "relay/spool/spool.h"

namespace relay::spool {

class MemorySpool final : public Spool {
 public:
  conf::MessageId next_id(conf::WallTime now) override { return ids_.next(now); }
  void store(MessageRecord record, conf::Bytes body, StoreDone done) override;
  using Spool::update;
  void update(const MessageRecord& record, RecipientSpan recipients) override;
  void hold(conf::MessageId id, bool on_hold) override;
  void remove(conf::MessageId id) override;
  void load(conf::MessageId id, bool with_body, LoadDone done) override;
  conf::Status recover(const std::function<void(MessageRecord)>& each,
                       const std::function<void(std::string, std::string)>& set_aside) override;
  conf::Status scan(const std::function<bool(const MessageRecord&)>& each) override;
  void keep_all(KeptValues values, KeepDone done) override;
  conf::Status kept(const std::function<void(std::string_view, std::string_view)>& each,
                    const std::function<void(std::string, std::string)>& damaged) override;
  conf::Result<std::string> kept_value(std::string_view key) override;
  size_t drain_completions() override { return completions_.drain(kDrained); }
  void on_completions_ready(std::function<void()> wake) override { completions_.on_ready(std::move(wake)); }
  SpoolHealth health() const override;
  bool recording() const override { return !failing_; }
  SpoolCounters counters() const override { return counters_; }
  void flush() override { run_batch(); }

  // Carries out all that waits, in order, as one synced batch; returns how many requests. Answers then wait
  // for drain_completions().
  size_t run_batch();
  size_t waiting() const { return waiting_.size(); }
  size_t message_count() const { return messages_.size(); }
  // Forgets the requests since the last run_batch() and every answer not yet drained. Then recover(), as at a
  // start.
  void crash();

  // Faults. The next `count` stores fail with `code` (kNoSpace, kReadOnly, kIo).
  void fail_next_stores(size_t count, conf::ErrorCode code);
  void fail_next_loads(size_t count) { fail_loads_ = count; }  // with kIo; what is stored stays whole
  // Until fail_writes(nullopt): stores and keeps fail, updates and removes stay waiting, health() does not
  // accept.
  void fail_writes(std::optional<conf::Error> error) { failing_ = std::move(error); }
  // Flips one bit of what is stored; false when there is no such message or value.
  bool corrupt_record(conf::MessageId id);
  bool corrupt_value(const std::string& key);

 private:
  struct Stored {
    std::string record;
    conf::Bytes body;
    std::string body_header;
    std::map<std::string, std::string> states;  // by key
  };
  struct StoreRequest {
    conf::MessageId id;
    Stored stored;
    StoreDone done;
    size_t recipients;
  };
  struct UpdateRequest {
    conf::MessageId id;
    std::string key, state;
  };
  struct RemoveRequest {
    conf::MessageId id;
  };
  struct LoadRequest {
    conf::MessageId id;
    bool with_body;
    LoadDone done;
  };
  struct KeepRequest {
    KeptValues values;
    KeepDone done;
  };
  using Request = std::variant<StoreRequest, UpdateRequest, RemoveRequest, LoadRequest, KeepRequest>;

  // False: the request stays waiting.
  bool run(StoreRequest* request);
  bool run(UpdateRequest* request);
  bool run(RemoveRequest* request);
  bool run(LoadRequest* request);
  bool run(KeepRequest* request);
  static conf::Result<MessageRecord> record_of(const Stored& stored);
  conf::Result<LoadedMessage> read(conf::MessageId id, bool with_body) const;
  void put_aside(conf::MessageId id);

  MessageIds ids_;
  Completions completions_;
  std::map<conf::MessageId, Stored> messages_;
  std::map<conf::MessageId, Stored> set_aside_;
  std::map<std::string, std::string> values_;  // encoded
  std::vector<Request> waiting_;
  SpoolCounters counters_;
  size_t fail_count_ = 0, fail_loads_ = 0;
  conf::ErrorCode fail_code_ = conf::ErrorCode::kIo;
  std::optional<conf::Error> failing_;
};

}  // namespace relay::spool
