#include "relay/signing.h"

#include <utility>

#include "conf/vocab/check.h"

namespace relay {

Signing::Signing(conf::ConfigPtr config, dkim::SignQueue* queue, queue::MessageCache* messages, Report report)
    : config_(std::move(config)), queue_(queue), messages_(messages), report_(std::move(report)) {}

void Signing::begin(queue::Message* message) {
  if (queue_ == nullptr || !queue_->enabled() || message->prepared) return;
  const conf::MessageId id = message->record.id;
  if (jobs_.count(id) != 0) return;
  CHECK(message->body.has_value());
  messages_->pin(id, true, [this, id](conf::Result<queue::Message*> pinned) {
    CHECK(pinned.ok());  // it is in memory
    Job& job = jobs_[id];
    job.message = *pinned;
    job.mail = job.message->body;
    if (!waiting_.empty() || !submit(id, job)) waiting_.push_back(id);
  });
}

void Signing::begin_early(queue::Message* message) {
  if (waiting_.empty()) begin(message);
}

bool Signing::submit(conf::MessageId id, const Job& job) {
  return queue_->submit(job.mail,
                        [this, id](dkim::SignOutcome outcome) { finished(id, std::move(outcome)); });
}

bool Signing::ready(queue::Message* message, Then then) {
  begin(message);
  const auto job = jobs_.find(message->record.id);
  if (job == jobs_.end()) return true;
  job->second.thens.push_back(std::move(then));
  return false;
}

void Signing::finished(conf::MessageId id, dkim::SignOutcome outcome) {
  const auto found = jobs_.find(id);
  CHECK(found != jobs_.end());
  Job job = std::move(found->second);
  jobs_.erase(found);
  const conf::Status status = verdict(*job.message, outcome);
  if (status.ok()) {
    job.message->signature = std::move(outcome.fields);
    job.message->prepared = true;
  }
  for (const Then& then : job.thens) then(status);
  messages_->unpin(job.message);
}

// Mail without a signature goes out only where the operator says so, and mail whose signing failed never.
conf::Status Signing::verdict(const queue::Message& message, const dkim::SignOutcome& outcome) {
  if (outcome.kind == dkim::SignOutcome::Kind::kSigned) return conf::success();
  report_(message, outcome);
  const bool failed = outcome.kind == dkim::SignOutcome::Kind::kFailed;
  if (!failed && config_->dkim.without_signature == conf::WithoutSignature::kSend) return conf::success();
  return conf::Error{conf::ErrorCode::kUnavailable, outcome.detail};
}

void Signing::step() {
  if (queue_ == nullptr) return;
  queue_->drain_completions();
  while (!waiting_.empty()) {
    if (!submit(waiting_.front(), jobs_.at(waiting_.front()))) return;
    waiting_.pop_front();
  }
}

}  // namespace relay
