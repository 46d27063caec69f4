// The messages in memory, within the memory budget. The one place that loads from the spool, so that there is
// never more than one copy of a record. One thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "relay/queue/message.h"
#include "relay/queue/parted_map.h"

namespace relay::queue {

class MessageCache {
 public:
  MessageCache(spool::Spool* spool, uint64_t budget_bytes) : spool_(spool), budget_bytes_(budget_bytes) {}

  // Keeps a fresh message with `pins` pins. Null when the budget is used up: it then rests in the spool only.
  Message* insert(spool::MessageRecord record, conf::Bytes body, uint32_t pins);
  // Calls `use` with the message, pinned once more: now when it is in memory, else after loading. On failure
  // (kNotFound, kCorrupt, kIo) nothing is pinned.
  using Use = std::function<void(conf::Result<Message*>)>;
  void pin(conf::MessageId id, bool with_body, Use use);
  // The message with its body, pinned once more, when it is in memory; else null.
  Message* pin_now(conf::MessageId id);
  void unpin(Message* message);  // with the last pin it leaves memory

  void set_budget(uint64_t bytes) { budget_bytes_ = bytes; }
  uint64_t used_bytes() const { return used_bytes_; }
  size_t loading() const { return loading_.size(); }
  size_t size() const { return messages_.size(); }

 private:
  struct Waiting {
    bool with_body = false;
    std::vector<Use> uses;
  };
  void load(conf::MessageId id);
  void loaded(conf::MessageId id, bool with_body, conf::Result<spool::LoadedMessage> result);
  void count(Message* message);

  spool::Spool* spool_;
  uint64_t budget_bytes_;
  uint64_t used_bytes_ = 0;
  PartedMap<std::unique_ptr<Message>> messages_;
  PartedMap<Waiting> loading_;
};

}  // namespace relay::queue
