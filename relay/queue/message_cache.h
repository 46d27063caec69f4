// The messages in memory, and the account of their bodies. The one place that loads from the spool for the
// walk, so that there is never more than one copy of a record. One thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "relay/queue/body_room.h"
#include "relay/queue/delivery.h"
#include "relay/queue/message.h"
#include "relay/queue/parted_map.h"

namespace relay::queue {

class MessageCache {
 public:
  MessageCache(spool::Spool* spool, uint64_t budget_bytes) : spool_(spool), room_(budget_bytes) {}

  // Keeps a fresh message with `pins` pins. Null when there is no room: it then rests in the spool only.
  Message* insert(spool::MessageRecord record, conf::Bytes body, uint32_t pins);
  // Calls `use` with the message, pinned once more: now when it is in memory, else after loading. On failure
  // (kNotFound, kCorrupt, kIo) nothing is pinned.
  using Use = std::function<void(conf::Result<Message*>)>;
  void pin(conf::MessageId id, Use use);  // its record
  // The same with its body, which is counted from now on: for one that goes now, and whose room was asked
  // for.
  void pin_with_body(const Delivery& delivery, Use use);
  // The message with its body, pinned once more, when it is in memory; else null.
  Message* pin_now(conf::MessageId id);
  void unpin(Message* message);  // with the last pin it leaves memory

  // Octets that have to be read for the delivery to go: 0 when its body is here, or comes for another one.
  uint64_t to_read(const Delivery& delivery) const {
    if (delivery.message != nullptr && delivery.message->body.has_value()) return 0;
    return to_read_of(delivery);
  }
  // The body of a message for a report about it, after loading. It waits for other reports only, a few of
  // which are read together; big ones alone. Whoever keeps the bytes after the call keeps what nobody counts.
  using UseBody = std::function<void(const conf::Result<conf::Bytes>&)>;
  void read_for_report(conf::MessageId id, uint64_t size, UseBody use);

  // For a copy of a body in memory, which is there: it is counted, and waits for no room.
  BodyRoom::Lease count_copy(uint64_t bytes) { return room_.take(BodyShare::kCopy, bytes); }
  // Of the next part of all messages: bodies that nobody uses leave memory, and are read when they are
  // needed.
  void drop_unused();
  static constexpr size_t parts() { return decltype(messages_)::parts(); }

  BodyRoom& room() { return room_; }
  const BodyRoom& room() const { return room_; }
  void set_budget(uint64_t bytes) { room_.set_budget(bytes); }
  uint64_t used_bytes() const { return room_.held(); }
  size_t loading() const { return loading_.size() + report_bodies_.size() + report_bodies_read_.size(); }
  size_t size() const { return messages_.size(); }

 private:
  struct Waiting {
    std::vector<Use> uses;
    BodyRoom::Lease lease;  // of the body, when that is wanted too
    bool with_body() const { return lease.bytes() > 0; }
  };
  struct ReportBody {
    conf::MessageId id = 0;
    uint64_t size = 0;
    UseBody use;
    BodyRoom::Lease lease;  // while it is being read
  };
  uint64_t to_read_of(const Delivery& delivery) const;
  void wait_for(conf::MessageId id, Use use, BodyRoom::Lease lease);
  void load(conf::MessageId id, bool with_body);
  void loaded(conf::MessageId id, bool with_body, conf::Result<spool::LoadedMessage> result);
  void read_report_bodies();
  bool has_room_for_report(uint64_t size) const;

  spool::Spool* spool_;
  BodyRoom room_;  // outlives what holds a part of it
  PartedMap<std::unique_ptr<Message>> messages_;
  size_t next_part_ = 0;  // for drop_unused()
  PartedMap<Waiting> loading_;
  std::deque<ReportBody> report_bodies_;                         // that are to be read
  std::unordered_map<uint64_t, ReportBody> report_bodies_read_;  // that are being read, numbered
  uint64_t last_report_body_ = 0;
};

}  // namespace relay::queue
