#include "relay/spool/committer.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace relay::spool {
namespace {

Completion answer(WriteRequest* request, conf::Status status) {
  return {[done = std::move(request->done), status = std::move(status)] { done(status); }, request->work};
}

size_t weight(const WriteRequest& request) {
  size_t bytes = request.record.size() + request.body.size();
  for (const auto& [key, value] : request.values) bytes += key.size() + value.size();
  return bytes;
}

// Refused when writes fail, rather than retained: somebody waits for the answer.
bool wants_answer(const WriteRequest& request) {
  return request.kind == WriteKind::kStore || request.kind == WriteKind::kKeep;
}

}  // namespace

Committer::Committer(BatchWriter* writer, Completions* completions, Options options)
    : writer_(writer), completions_(completions), options_(options), thread_([this] { run(); }) {}

Committer::~Committer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  thread_.join();
}

void Committer::submit(WriteRequest request) {
  std::optional<conf::Error> refusal;
  Lock lock(mutex_);
  const size_t bytes = weight(request);
  if (wants_answer(request)) {
    if (trouble_) {
      refusal = trouble_;
    } else if (request.kind == WriteKind::kStore && !waiting_.empty() &&
               waiting_bytes_ + bytes > options_.queue_bytes) {
      refusal =
          conf::Error{conf::ErrorCode::kUnavailable, "too much mail is waiting to be written to the spool"};
    }
  }
  if (refusal) {
    lock.unlock();
    if (request.done) completions_->push(answer(&request, *refusal));
    return;
  }
  const bool idle = waiting_.empty();
  waiting_bytes_ += bytes;
  ++submitted_;
  waiting_.push_back(std::move(request));
  lock.unlock();
  if (idle) work_.notify_one();
}

uint64_t Committer::newest() const {
  const std::lock_guard lock(mutex_);
  return submitted_;
}

void Committer::wait_for(uint64_t number) {
  Lock lock(mutex_);
  carried_.wait(lock, [&] { return carried_out_ >= number; });
}

std::vector<WriteRequest> Committer::retained(conf::MessageId id) const {
  const std::lock_guard lock(mutex_);
  std::vector<WriteRequest> requests;
  const auto found = retained_.find(id);
  if (found == retained_.end()) return requests;
  for (const auto& [part, request] : found->second) requests.push_back(request);
  return requests;
}

// Nothing comes after a remove.
void Committer::retain(WriteRequest request) {
  std::map<uint32_t, WriteRequest>& parts = retained_[request.id];
  if (!parts.empty() && parts.begin()->second.kind == WriteKind::kRemove) return;
  if (request.kind == WriteKind::kRemove) parts.clear();
  const uint32_t part = request.part;
  parts.insert_or_assign(part, std::move(request));
}

void Committer::flush() {
  Lock lock(mutex_);
  const uint64_t until = submitted_;
  carried_.wait(lock, [&] { return carried_out_ >= until; });
  if (!trouble_) return;
  hurry_ = true;
  const uint64_t attempts = attempts_;
  work_.notify_one();
  carried_.wait(lock, [&] { return attempts_ != attempts; });
}

std::optional<conf::Error> Committer::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void Committer::run() {
  Lock lock(mutex_);
  while (true) {
    if (!trouble_) {
      work_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      commit(&lock);
      continue;
    }
    const bool due =
        !work_.wait_until(lock, next_retry_, [&] { return stopping_ || hurry_ || !waiting_.empty(); });
    absorb_waiting(&lock);
    if (!due && !stopping_ && !hurry_) continue;
    retry(&lock);
    if (trouble_ && stopping_) return;
  }
}

std::vector<WriteRequest> Committer::take_batch() {
  std::vector<WriteRequest> batch;
  batch.reserve(std::min(waiting_.size(), options_.batch_requests));
  size_t bytes = 0;
  while (!waiting_.empty() && bytes < options_.batch_bytes && batch.size() < options_.batch_requests) {
    bytes += weight(waiting_.front());
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  waiting_bytes_ -= bytes;
  return batch;
}

void Committer::commit(Lock* lock) {
  std::vector<WriteRequest> batch = take_batch();
  const size_t count = batch.size();
  lock->unlock();
  under_way_ = &batch;
  const conf::Status status = write(batch);
  under_way_ = nullptr;
  std::vector<Completion> answers;
  if (status.ok()) {
    for (WriteRequest& request : batch) {
      if (request.done) answers.push_back(answer(&request, status));
    }
  } else {
    lock->lock();
    set_trouble(status.error());
    next_retry_ = std::chrono::steady_clock::now() + options_.retry_interval;
    std::vector<conf::MessageId> refused;
    // After a stall all of it is retained already, and what is newer has taken its place since.
    if (!under_way_retained_) answers = give_up(std::move(batch), status.error(), &refused);
    lock->unlock();
    if (!refused.empty()) writer_->refused(refused);
  }
  completions_->push(std::move(answers));
  batch.clear();  // bodies are freed outside the lock
  lock->lock();
  if (!std::exchange(under_way_retained_, false)) carried_out_ += count;
  carried_.notify_all();
}

void Committer::stall(const conf::Error& error) {
  if (std::this_thread::get_id() != thread_.get_id()) return;
  std::vector<Completion> answers;
  std::vector<conf::MessageId> refused;
  Lock lock(mutex_);
  set_trouble(error);
  next_retry_ = std::chrono::steady_clock::now() + options_.retry_interval;
  if (under_way_ != nullptr && !std::exchange(under_way_retained_, true)) {
    for (WriteRequest& request : *under_way_) {
      if (request.kind == WriteKind::kKeep) {
        if (request.done) answers.push_back(answer(&request, error));
        request.done = nullptr;
        continue;
      }
      if (request.kind != WriteKind::kStore) {
        retain(WriteRequest{request.kind, request.id, request.record, {}, {}, {}, request.part});
      } else if (request.done) {
        answers.push_back(answer(&request, error));
        request.done = nullptr;
        refused.push_back(request.id);
        retain(WriteRequest{WriteKind::kRemove, request.id, {}, {}, {}});
      }
    }
    carried_out_ += under_way_->size();  // those who read see it, or its refusal
    carried_.notify_all();
  }
  lock.unlock();
  if (!refused.empty()) writer_->refused(refused);
  completions_->push(std::move(answers));
  lock.lock();
  absorb_waiting(&lock);
}

void Committer::set_trouble(std::optional<conf::Error> error) {
  in_trouble_ = error.has_value();
  trouble_ = std::move(error);
}

conf::Status Committer::write(const std::vector<WriteRequest>& batch) {
  write_began_ = std::chrono::steady_clock::now().time_since_epoch().count();
  conf::Status status = writer_->write(batch);
  write_began_ = 0;
  return status;
}

bool Committer::prompt() const {
  const int64_t began = write_began_;
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return !in_trouble_ && (began == 0 || now - std::chrono::steady_clock::duration(began) < kSlow);
}

std::vector<Completion> Committer::give_up(std::vector<WriteRequest> requests, const conf::Error& error,
                                           std::vector<conf::MessageId>* written) {
  std::vector<Completion> answers;
  for (WriteRequest& request : requests) {
    if (request.kind == WriteKind::kKeep) {
      if (request.done) answers.push_back(answer(&request, error));
      continue;
    }
    if (request.kind != WriteKind::kStore) {
      retain(std::move(request));
      continue;
    }
    if (request.done) answers.push_back(answer(&request, error));  // else a stall has answered it
    if (written == nullptr) continue;
    written->push_back(request.id);
    retain(WriteRequest{WriteKind::kRemove, request.id, {}, {}, {}});
  }
  return answers;
}

void Committer::absorb_waiting(Lock* lock) {
  if (waiting_.empty()) return;
  std::vector<WriteRequest> requests(std::make_move_iterator(waiting_.begin()),
                                     std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  waiting_bytes_ = 0;
  const size_t count = requests.size();
  std::vector<Completion> answers = give_up(std::move(requests), *trouble_, nullptr);
  lock->unlock();
  completions_->push(std::move(answers));
  lock->lock();
  carried_out_ += count;
  carried_.notify_all();
}

void Committer::retry(Lock* lock) {
  hurry_ = false;
  const uint64_t before = carried_out_;
  std::vector<WriteRequest> batch;
  for (const auto& [id, parts] : retained_) {
    for (const auto& [part, request] : parts) batch.push_back(request);
  }
  lock->unlock();
  conf::Status status = writer_->mend();
  if (status.ok()) status = write(batch);
  lock->lock();
  if (status.ok() && carried_out_ != before) {  // it stalled, and took in more: that comes next
    next_retry_ = std::chrono::steady_clock::now();
  } else if (status.ok()) {
    retained_.clear();  // only this thread adds to it
    set_trouble(std::nullopt);
    lock->unlock();
    writer_->taken_out();
    lock->lock();
  } else {
    set_trouble(status.error());
    next_retry_ = std::chrono::steady_clock::now() + options_.retry_interval;
  }
  ++attempts_;
  carried_.notify_all();
}

}  // namespace relay::spool
