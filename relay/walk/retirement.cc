#include "relay/walk/retirement.h"

#include <utility>

namespace relay {

namespace {

constexpr conf::Duration kPatience = std::chrono::seconds(1);  // with the feeds
constexpr size_t kWritesPerStep = 1024, kRemovalsPerStep = 4096;

}  // namespace

void Retirement::add(queue::Message* message, conf::Instant now) {
  messages_->let_go_of_body(message);
  waiting_.push_back({journal_->last(), message->record.id, message, now});
}

void Retirement::write_down(Finished* finished) {
  spool_->update(finished->message->record);
  messages_->unpin(std::exchange(finished->message, nullptr));
}

void Retirement::remove_first() {
  Finished& first = waiting_.front();
  spool_->remove(first.id);
  if (first.message != nullptr) messages_->unpin(first.message);
  waiting_.pop_front();
  if (written_down_ > 0) --written_down_;
}

void Retirement::step(conf::Instant now) {
  const uint64_t through = waiting_.empty() ? 0 : journal_->through();
  size_t removed = 0;
  for (; removed < kRemovalsPerStep && !waiting_.empty() && waiting_.front().sequence <= through; ++removed)
    remove_first();
  more_ = removed == kRemovalsPerStep;
  for (size_t i = 0; i < kWritesPerStep && written_down_ < waiting_.size(); ++i) {
    Finished& next = waiting_[written_down_];
    if (next.since + kPatience > now) break;
    write_down(&next);
    ++written_down_;
  }
}

conf::Instant Retirement::next_wake() const {
  if (more_) return {};
  return written_down_ < waiting_.size() ? waiting_[written_down_].since + kPatience : conf::kNever;
}

void Retirement::close() {
  const uint64_t through = waiting_.empty() ? 0 : journal_->through();
  while (!waiting_.empty() && waiting_.front().sequence <= through) remove_first();
  for (; written_down_ < waiting_.size(); ++written_down_) write_down(&waiting_[written_down_]);
}

}  // namespace relay
