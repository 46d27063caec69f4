// The step "sign" of the walk: each message is signed once, off the loop, from the moment it is accepted or
// read back, while its route and its connection are being made. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>
#include <vector>

#include "conf/config.h"
#include "dkim/sign_queue.h"
#include "relay/queue/message_cache.h"

namespace relay {

class Signing {
 public:
  // Hears of every message that could not be signed and of every bad signature.
  using Report = std::function<void(const queue::Message&, const dkim::SignOutcome&)>;
  // `queue` may be null: nothing is signed.
  Signing(conf::ConfigPtr config, dkim::SignQueue* queue, queue::MessageCache* messages, Report report);

  // Begins to sign a message that is in memory with its body. Ahead of time: does nothing when the workers are
  // behind; ready() asks again when a connection is there.
  void begin_early(queue::Message* message);
  // True: it may be sent as it is. False: `then` is called later; an error says why it must not be sent now.
  using Then = std::function<void(conf::Status)>;
  bool ready(queue::Message* message, Then then);

  void step();  // completions, and what waited for room in the queue
  size_t under_way() const { return jobs_.size(); }
  void reload(conf::ConfigPtr config) { config_ = std::move(config); }

 private:
  struct Job {
    queue::Message* message = nullptr;  // pinned
    conf::Bytes mail;                   // its bytes, should it finish otherwise meanwhile
    std::vector<Then> thens;
  };
  void begin(queue::Message* message);
  bool submit(conf::MessageId id, const Job& job);
  void finished(conf::MessageId id, dkim::SignOutcome outcome);
  conf::Status verdict(const queue::Message& message, const dkim::SignOutcome& outcome);

  conf::ConfigPtr config_;
  dkim::SignQueue* queue_;
  queue::MessageCache* messages_;
  Report report_;
  std::unordered_map<conf::MessageId, Job> jobs_;
  std::deque<conf::MessageId> waiting_;  // for room in the queue; not more than there are connections
};

}  // namespace relay
