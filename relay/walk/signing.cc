#include "relay/walk/signing.h"

#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"

namespace relay {

namespace {

// Of the memory for bodies: a signature takes some 700 bytes.
constexpr uint64_t kShareOfBodies = 8;

size_t room_for_signatures(const conf::Config& config) {
  return static_cast<size_t>(config.spool.body_memory_bytes / kShareOfBodies);
}

// With half of the x= left (RFC 6376 §3.5), whichever key signs: the receiver may look at it late.
conf::Duration life_of_signatures(const conf::DkimSettings& settings) {
  conf::Duration life = settings.signature_age;
  for (const conf::DkimKey& key : settings.keys) {
    if (key.options.expire.count() > 0) life = std::min<conf::Duration>(life, key.options.expire / 2);
  }
  return life;
}

}  // namespace

Signing::Signing(conf::ConfigPtr config, dkim::SignQueue* queue, queue::MessageCache* messages,
                 const conf::Clock* clock, Report report)
    : config_(std::move(config)),
      queue_(queue),
      messages_(messages),
      clock_(clock),
      report_(std::move(report)),
      life_(life_of_signatures(config_->dkim)),
      kept_(room_for_signatures(*config_)) {}

void Signing::reload(conf::ConfigPtr config) {
  config_ = std::move(config);
  life_ = life_of_signatures(config_->dkim);
  kept_.set_most(room_for_signatures(*config_));
}

void Signing::begin(conf::MessageId id, const conf::Bytes& mail) {
  if (queue_ != nullptr && queue_->enabled() && waiting_.empty()) start(id, mail);
}

void Signing::start(conf::MessageId id, const conf::Bytes& mail) {
  Job& job = jobs_[id];
  job.mail = mail;
  job.began = clock_->now();
  job.edition = queue_->edition();
  if (!waiting_.empty() || !submit(id, mail)) waiting_.push_back(id);
}

bool Signing::submit(conf::MessageId id, const conf::Bytes& mail) {
  return queue_->submit(mail, [this, id](dkim::SignOutcome outcome) { finished(id, std::move(outcome)); });
}

void Signing::pin(conf::MessageId id) {
  messages_->pin(id, true, [this, id](conf::Result<queue::Message*> pinned) {
    CHECK(pinned.ok());  // it is in memory
    jobs_.at(id).message = *pinned;
  });
}

void Signing::stored(queue::Message* message) {
  const conf::MessageId id = message->record.id;
  const auto job = jobs_.find(id);
  if (job == jobs_.end()) return;
  pin(id);
  if (job->second.outcome) finished(id, std::move(*job->second.outcome));
}

void Signing::forget(conf::MessageId id) { jobs_.erase(id); }

bool Signing::is_done(queue::Message* message) const {
  if (queue_ == nullptr || !queue_->enabled() || message->prepared) return true;
  const SignatureMemory::Kept* kept = kept_.find(message->record.id, queue_->edition(), clock_->now());
  if (kept == nullptr || jobs_.count(message->record.id) > 0) return false;
  message->signature = kept->fields;
  message->signed_at = kept->signed_at;
  message->signed_by = kept->edition;
  message->prepared = true;
  return true;
}

bool Signing::ready(queue::Message* message, Then then) {
  if (is_done(message)) return true;
  const conf::MessageId id = message->record.id;
  if (jobs_.count(id) == 0) {
    CHECK(message->body.has_value());
    start(id, message->body);
    pin(id);
  }
  jobs_.at(id).thens.push_back(std::move(then));
  return false;
}

void Signing::keep(const queue::Message& message) {
  const conf::Instant until = message.signed_at + life_;
  if (!message.prepared || message.signature.empty() || until <= clock_->now()) return;
  if (message.signed_by != queue_->edition()) return;
  kept_.keep(message.record.id, {message.signature, message.signed_at, until, message.signed_by},
             clock_->now());
}

void Signing::finished(conf::MessageId id, dkim::SignOutcome outcome) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return;  // forgotten
  if (found->second.message == nullptr) {
    found->second.outcome = std::move(outcome);
    return;
  }
  Job job = std::move(found->second);
  jobs_.erase(found);
  const conf::Status status = verdict(*job.message, outcome);
  if (status.ok()) {
    job.message->signature = std::move(outcome.fields);
    job.message->signed_at = job.began;
    job.message->signed_by = job.edition;
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

void Signing::sign_copy(const queue::Message& message, conf::Bytes mail,
                        std::function<void(conf::Result<std::string>)> then) {
  const queue::Message* kept = &message;
  copies_.push_back({std::move(mail), [this, kept, then = std::move(then)](dkim::SignOutcome outcome) {
                       const conf::Status status = verdict(*kept, outcome);
                       if (status.ok()) {
                         then(std::move(outcome.fields));
                       } else {
                         then(status.error());
                       }
                     }});
  submit_copies();
}

void Signing::submit_copies() {
  while (!copies_.empty()) {
    if (!queue_->submit(copies_.front().mail, copies_.front().done)) return;
    copies_.pop_front();
  }
}

void Signing::step() {
  if (queue_ == nullptr) return;
  queue_->drain_completions();
  submit_copies();
  while (!waiting_.empty()) {
    const auto job = jobs_.find(waiting_.front());
    if (job != jobs_.end() && !submit(job->first, job->second.mail)) return;
    waiting_.pop_front();
  }
}

}  // namespace relay
