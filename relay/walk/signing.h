// The step "sign" of the walk: each message is signed once, off the loop, from the moment its last byte is
// there: while it is being synced to disk, its route is found and its connection is made. Attempts within
// `signature_age` send the same signature. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "conf/config.h"
#include "dkim/sign_queue.h"
#include "relay/queue/message_cache.h"
#include "relay/walk/signature_memory.h"

namespace relay {

class Signing {
 public:
  // Hears of every message that could not be signed and of every bad signature.
  using Report = std::function<void(const queue::Message&, const dkim::SignOutcome&)>;
  // `queue` may be null: nothing is signed.
  Signing(conf::ConfigPtr config, dkim::SignQueue* queue, queue::MessageCache* messages,
          const conf::Clock* clock, Report report);

  // Ahead of time, before the message is on disk: does nothing when the workers are behind, for ready() asks
  // again. Either stored() or forget() follows.
  void begin(conf::MessageId id, const conf::Bytes& mail);
  void stored(queue::Message* message);  // it is on disk and in memory
  void forget(conf::MessageId id);       // it is not on disk, or not in memory

  // For a message in memory with its body. True: it may be sent as it is. False: `then` is called later; an
  // error says why it must not be sent now.
  using Then = std::function<void(conf::Status)>;
  bool ready(queue::Message* message, Then then);
  // It waits for another attempt and may leave memory: that one sends the same signature, unless the
  // signature is too old then, or the keys are others.
  void keep(const queue::Message& message);

  // Nothing is to be waited for; the signature of the attempt before is taken when it is good still.
  bool is_done(queue::Message* message) const;

  bool is_on() const { return queue_ != nullptr && queue_->enabled(); }
  // The signature of `mail`, which stands for the message; "" when it goes out without one. An error says why
  // it must not be sent now. `then` is called later; the message stays pinned until then.
  void sign_copy(const queue::Message& message, conf::Bytes mail,
                 std::function<void(conf::Result<std::string>)> then);

  void step();  // completions, and what waited for room in the queue
  size_t under_way() const { return jobs_.size(); }
  void reload(conf::ConfigPtr config);

 private:
  struct Job {
    queue::Message* message = nullptr;  // pinned; null: not on disk yet
    conf::Bytes mail;
    std::vector<Then> thens;
    conf::Instant began{};
    uint64_t edition = 0;                      // of the keys
    std::optional<dkim::SignOutcome> outcome;  // came before the message was on disk
  };
  struct Copy {
    conf::Bytes mail;
    dkim::SignQueue::Done done;
  };
  void submit_copies();
  void start(conf::MessageId id, const conf::Bytes& mail);
  bool submit(conf::MessageId id, const conf::Bytes& mail);
  void pin(conf::MessageId id);
  void finished(conf::MessageId id, dkim::SignOutcome outcome);
  conf::Status verdict(const queue::Message& message, const dkim::SignOutcome& outcome);

  conf::ConfigPtr config_;
  dkim::SignQueue* queue_;
  queue::MessageCache* messages_;
  const conf::Clock* clock_;
  Report report_;
  std::unordered_map<conf::MessageId, Job> jobs_;
  conf::Duration life_;  // of a signature, for retries
  SignatureMemory kept_;
  std::deque<Copy> copies_;              // for room in the queue
  std::deque<conf::MessageId> waiting_;  // for room in the queue; not more than there are connections
};

}  // namespace relay
