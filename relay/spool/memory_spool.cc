#include "relay/spool/memory_spool.h"

#include <utility>

#include "relay/spool/record.h"

namespace relay::spool {

namespace {
constexpr uint64_t kFreeBytes = 1ULL << 40;
}  // namespace

void MemorySpool::store(MessageRecord record, conf::Bytes body, StoreDone done) {
  const BodyHeader header = body_header(record.id, body.view());
  Stored stored{encode_record(record), std::move(body), std::string(header.data(), header.size()), {}};
  waiting_.emplace_back(
      StoreRequest{record.id, std::move(stored), std::move(done), record.recipients.size()});
}

void MemorySpool::update(const MessageRecord& record, RecipientSpan recipients) {
  std::string key = state_key(record.id, recipients.front());
  std::string state = encode_state(key, record, recipients);
  waiting_.emplace_back(UpdateRequest{record.id, std::move(key), std::move(state)});
}

void MemorySpool::hold(conf::MessageId id, bool on_hold) {
  std::string key = state_key(id, kHoldPart);
  std::string state = encode_hold(key, on_hold);
  waiting_.emplace_back(UpdateRequest{id, std::move(key), std::move(state)});
}

void MemorySpool::remove(conf::MessageId id) { waiting_.emplace_back(RemoveRequest{id}); }

void MemorySpool::load(conf::MessageId id, bool with_body, LoadDone done) {
  waiting_.emplace_back(LoadRequest{id, with_body, std::move(done)});
}

void MemorySpool::keep_all(KeptValues values, KeepDone done) {
  waiting_.emplace_back(KeepRequest{std::move(values), std::move(done)});
}

size_t MemorySpool::run_batch() {
  std::vector<Request> batch;
  batch.swap(waiting_);
  size_t count = 0;
  for (Request& request : batch) {
    if (std::visit([this](auto& r) { return run(&r); }, request)) {
      ++count;
    } else {
      waiting_.push_back(std::move(request));
    }
  }
  if (count > 0) {
    ++counters_.batches;
    ++counters_.syncs;
  }
  return count;
}

bool MemorySpool::run(StoreRequest* request) {
  std::optional<conf::Error> error = failing_;
  if (!error && fail_count_ > 0) {
    --fail_count_;
    error = conf::Error{fail_code_, "the simulated disk refused a write"};
  }
  if (error) {
    completions_.push([done = std::move(request->done), error = *error] { done(error); });
    return true;
  }
  ids_.observe(request->id);
  ++counters_.stored;
  counters_.bytes_written += request->stored.record.size() + request->stored.body.size();
  messages_[request->id] = std::move(request->stored);
  completions_.push(
      Completion([done = std::move(request->done), receipt = print_receipt(request->id)] { done(receipt); },
                 request->recipients));
  return true;
}

bool MemorySpool::run(UpdateRequest* request) {
  if (failing_) return false;
  const auto found = messages_.find(request->id);
  if (found == messages_.end()) return true;  // its store failed, or it is gone
  ++counters_.updated;
  counters_.bytes_written += request->key.size() + request->state.size();
  found->second.states[request->key] = std::move(request->state);
  return true;
}

bool MemorySpool::run(RemoveRequest* request) {
  if (failing_) return false;
  counters_.removed += messages_.erase(request->id);
  return true;
}

bool MemorySpool::run(LoadRequest* request) {
  conf::Result<LoadedMessage> loaded = conf::Error{conf::ErrorCode::kIo, "the disk cannot read (simulated)"};
  if (fail_loads_ == 0) {
    loaded = read(request->id, request->with_body);
  } else {
    --fail_loads_;
  }
  if (!loaded.ok() && loaded.error().code == conf::ErrorCode::kCorrupt) put_aside(request->id);
  completions_.push([done = std::move(request->done), loaded = std::move(loaded)] { done(loaded); });
  return true;
}

bool MemorySpool::run(KeepRequest* request) {
  if (!failing_) {
    counters_.kept += request->values.size();
    for (auto& [key, value] : request->values) {
      if (value.empty()) {
        values_.erase(key);
      } else {
        values_[key] = encode_value(key, value);
        counters_.bytes_written += value.size();
      }
    }
  }
  if (request->done) {
    conf::Status status = failing_ ? conf::Status(*failing_) : conf::success();
    completions_.push([done = std::move(request->done), status = std::move(status)] { done(status); });
  }
  return true;
}

conf::Result<MessageRecord> MemorySpool::record_of(const Stored& stored) {
  conf::Result<MessageRecord> record = decode_record(stored.record);
  if (!record.ok()) return record;
  for (const auto& [key, state] : stored.states) {
    const conf::Status applied = apply_state(key, state, &record.value());
    if (!applied.ok()) return applied.error();
  }
  return record;
}

conf::Result<LoadedMessage> MemorySpool::read(conf::MessageId id, bool with_body) const {
  const auto found = messages_.find(id);
  if (found == messages_.end())
    return conf::Error{conf::ErrorCode::kNotFound, "no such message in the spool"};
  conf::Result<MessageRecord> record = record_of(found->second);
  if (!record.ok()) return record.error();
  LoadedMessage loaded;
  loaded.record = std::move(*record);
  if (with_body) {
    const std::string stored = found->second.body_header + std::string(found->second.body.view());
    const conf::Result<std::string_view> body = decode_body(id, stored);
    if (!body.ok()) return body.error();
    loaded.body = found->second.body;
  }
  return loaded;
}

void MemorySpool::put_aside(conf::MessageId id) {
  ++counters_.set_aside;
  set_aside_.insert(messages_.extract(id));
}

conf::Status MemorySpool::recover(const std::function<void(MessageRecord)>& each,
                                  const std::function<void(std::string, std::string)>& set_aside) {
  std::vector<std::pair<conf::MessageId, std::string>> corrupt;
  for (const auto& [id, stored] : messages_) {
    ids_.observe(id);
    conf::Result<MessageRecord> record = record_of(stored);
    if (record.ok()) {
      each(std::move(*record));
    } else {
      corrupt.emplace_back(id, record.error().detail);
    }
  }
  for (const auto& [id, why] : corrupt) {
    put_aside(id);
    set_aside(conf::to_text(id), why);
  }
  return conf::success();
}

conf::Status MemorySpool::scan(const std::function<bool(const MessageRecord&)>& each) {
  for (const auto& [id, stored] : messages_) {
    const conf::Result<MessageRecord> record = record_of(stored);
    if (record.ok() && !each(record.value())) break;
  }
  return conf::success();
}

conf::Status MemorySpool::kept(const std::function<void(std::string_view, std::string_view)>& each,
                               const std::function<void(std::string, std::string)>& damaged) {
  for (const auto& [key, stored] : values_) {
    const conf::Result<std::string_view> value = decode_value(key, stored);
    value.ok() ? each(key, value.value()) : damaged(key, value.error().detail);
  }
  return conf::success();
}

conf::Result<std::string> MemorySpool::kept_value(std::string_view key) {
  const auto found = values_.find(std::string(key));
  if (found == values_.end()) return conf::Error{conf::ErrorCode::kNotFound, "no such value"};
  const conf::Result<std::string_view> value = decode_value(key, found->second);
  if (!value.ok()) return value.error();
  return std::string(value.value());
}

SpoolHealth MemorySpool::health() const {
  SpoolHealth health{true, true, {}, kFreeBytes};
  if (failing_) {
    health.accepting = health.recording = false;
    health.why = failing_->detail;
  }
  return health;
}

void MemorySpool::crash() {
  waiting_.clear();
  completions_.clear();
}

void MemorySpool::fail_next_stores(size_t count, conf::ErrorCode code) {
  fail_count_ = count;
  fail_code_ = code;
}

bool MemorySpool::corrupt_record(conf::MessageId id) {
  const auto found = messages_.find(id);
  if (found == messages_.end()) return false;
  found->second.record.back() = static_cast<char>(found->second.record.back() ^ 1);
  return true;
}

bool MemorySpool::corrupt_value(const std::string& key) {
  const auto found = values_.find(key);
  if (found == values_.end()) return false;
  found->second.back() = static_cast<char>(found->second.back() ^ 1);
  return true;
}

}  // namespace relay::spool
