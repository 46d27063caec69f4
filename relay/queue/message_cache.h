// The messages in memory, within the memory budget. The one place that loads from the spool, so that there is
// never more than one copy of a record. What is kept since it came has three quarters of the budget at most;
// what is read back waits for room: an eighth is for small bodies and an eighth for the others, so that
// neither keeps the other out, and each takes what else is free. One body is always read, however big. One
// thread.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "relay/queue/message.h"
#include "relay/queue/parted_map.h"

namespace relay::queue {

class MessageCache {
 public:
  // Octets. A body that has no more is read together with its record; others when their size is known.
  static constexpr uint64_t kSmallBody = 262'144;

  MessageCache(spool::Spool* spool, uint64_t budget_bytes) : spool_(spool), budget_bytes_(budget_bytes) {}

  // Keeps a fresh message with `pins` pins. Null when the budget is used up: it then rests in the spool only.
  Message* insert(spool::MessageRecord record, conf::Bytes body, uint32_t pins);
  // Calls `use` with the message, pinned once more: now when it is in memory, else after loading, for which a
  // body waits until others have left memory. On failure (kNotFound, kCorrupt, kIo) nothing is pinned.
  using Use = std::function<void(conf::Result<Message*>)>;
  void pin(conf::MessageId id, bool with_body, Use use);
  // The message with its body, pinned once more, when it is in memory; else null.
  Message* pin_now(conf::MessageId id);
  void unpin(Message* message);  // with the last pin it leaves memory

  void set_budget(uint64_t bytes);
  uint64_t used_bytes() const { return used_bytes_; }
  size_t loading() const { return loading_.size(); }
  size_t size() const { return messages_.size(); }

 private:
  struct Waiting {
    bool with_body = false;
    uint64_t size = kSmallBody;  // what its body has at most
    std::vector<Use> uses;
  };
  enum Share : uint8_t { kKept, kSmall, kBig };
  static Share share_of(uint64_t size) { return size <= kSmallBody ? kSmall : kBig; }
  static Share share_of(const Message& message) {
    return message.read_back ? share_of(message.body.size()) : kKept;
  }
  void load(conf::MessageId id, Waiting* waiting);
  void read(conf::MessageId id, const Waiting& waiting);
  void loaded(conf::MessageId id, uint64_t most_body, conf::Result<spool::LoadedMessage> result);
  bool has_room(uint64_t size) const;
  void read_waiting();
  void count(Message* message);
  void uncount(const Message& message);
  void leave(Message* message);

  spool::Spool* spool_;
  uint64_t budget_bytes_;
  uint64_t used_bytes_ = 0;
  std::array<uint64_t, 3> bodies_{};  // octets, by Share
  std::array<uint64_t, 3> asked_{};   // of what is being read, at most
  std::array<std::deque<conf::MessageId>, 3> waiting_;
  PartedMap<std::unique_ptr<Message>> messages_;
  PartedMap<Waiting> loading_;
};

}  // namespace relay::queue
