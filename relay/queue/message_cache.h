// The messages in memory, within the memory budget. The one place that loads from the spool, so that there is
// never more than one copy of a record. One thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "conf/vocab/parted_map.h"
#include "relay/queue/body_room.h"
#include "relay/queue/body_size.h"
#include "relay/queue/message.h"

namespace relay::queue {

class MessageCache {
 public:
  MessageCache(spool::Spool* spool, uint64_t budget_bytes) : spool_(spool), room_(budget_bytes) {}

  // Keeps a fresh message with `pins` pins. Null when the budget is used up: it then rests in the spool only.
  Message* insert(spool::MessageRecord record, conf::Bytes body, uint32_t pins);
  // Calls `use` with the message, pinned once more: now when it is in memory, else after loading. On failure
  // (kNotFound, kCorrupt, kIo) nothing is pinned. Bodies of a size that is not told, for reports about their
  // messages, are read a few at a time.
  using Use = std::function<void(conf::Result<Message*>)>;
  void pin(conf::MessageId id, bool with_body, Use use) { pin(id, with_body, std::nullopt, std::move(use)); }
  // The body is to be sent, and there is room for it.
  void pin_to_send(conf::MessageId id, BodySize size, Use use) { pin(id, true, size, std::move(use)); }
  // Whether it is in memory, or may be read back now; see BodyRoom.
  bool has_room_for(conf::MessageId id, BodySize size, conf::Instant now);
  // The message with its body, pinned once more, when it is in memory; else null.
  Message* pin_now(conf::MessageId id);
  void unpin(Message* message);           // with the last pin it leaves memory
  void let_go_of_body(Message* message);  // nobody needs it any more

  void set_budget(uint64_t bytes) { room_.set_budget(bytes); }
  uint64_t used_bytes() const { return used_bytes_; }
  uint64_t body_octets() const { return body_octets_; }  // of that
  size_t loading() const { return loading_.size(); }
  size_t size() const { return messages_.size(); }

 private:
  struct Waiting {
    bool with_body = false;
    bool under_way = false;
    bool counted = false;     // its size was told: `room` is for it until it is there
    bool queued = false;      // its size was not told, and as many are being read as may be
    bool one_of_few = false;  // being read so
    BodyRoom::Share room;
    std::vector<Use> uses;
  };
  void pin(conf::MessageId id, bool with_body, std::optional<BodySize> size, Use use);
  void load(conf::MessageId id, Waiting* waiting);
  void load_queued();
  void loaded(conf::MessageId id, bool with_body, conf::Result<spool::LoadedMessage> result);
  void count(Message* message);
  void uncount(const Message& message);
  void erase(Message* message);

  spool::Spool* spool_;
  BodyRoom room_;
  uint64_t used_bytes_ = 0, body_octets_ = 0;
  conf::PartedMap<conf::MessageId, std::unique_ptr<Message>> messages_;
  conf::PartedMap<conf::MessageId, Waiting> loading_;
  std::deque<conf::MessageId> queued_;  // may be read by now, for somebody else
  size_t few_ = 0;
};

}  // namespace relay::queue
