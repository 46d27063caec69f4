// The spool: what we have promised to deliver. Asynchronous: requests are made on the loop's thread, carried
// out on the spool's own threads, and their completions run on the loop's thread inside drain_completions().
//
// Order: requests for one message take effect in the order they were made. Durability: a store() completes
// after the sync (Durability::kSync); update() and remove() take part in the same batches and are durable
// with the next sync, so a crash may bring back an older state of a message, never lose one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/vocab/bytes.h"
#include "conf/vocab/envelope.h"
#include "conf/vocab/logged_header.h"
#include "conf/vocab/result.h"
#include "conf/vocab/time.h"
#include "relay/spool/receipt.h"

namespace relay::spool {

enum class RecipientState : uint8_t { kPending = 0, kDelivered = 1, kFailed = 2, kExpired = 3, kDropped = 4 };

struct RecipientRecord {
  conf::Recipient recipient;
  RecipientState state = RecipientState::kPending;
  uint16_t attempts = 0;
  uint16_t reply_code = 0;      // of the last attempt; 0 none
  std::string enhanced_status;  // of the last attempt
  std::string last_reply;       // text or local reason, bounded to 512 bytes
  std::string mx_host;          // that gave it
  std::string greylisted_from;  // name of our source; empty: it was no greylisting
  conf::WallTime due;           // next attempt, while pending; of the RelayClock
  bool delay_told = false;      // its sender was told of the delay
  bool held = false;            // a reply rule put it on hold
  bool blamed = false;          // it failed by a refusal that was Hard and about the address
};

// Recipients, as indices into a record.
using RecipientSpan = std::span<const uint32_t>;

// Everything about a message but its bytes.
struct MessageRecord {
  conf::MessageId id = 0;
  conf::WallTime accepted_at;  // of the RelayClock: its calendar() is for people
  conf::Envelope envelope;     // envelope.recipients is empty: they are in `recipients`
  std::vector<RecipientRecord> recipients;
  uint64_t size_bytes = 0;
  conf::LoggedHeaderPtr header;      // what the log says of it
  std::string stream;                // name of its conf::Stream; empty: none
  bool on_hold = false;              // all of it, by an operator
  conf::MessageId report_about = 0;  // this is a report of ours about that message
};

// The recipients of each domain, in the order of the domains' first ones: the deliveries of a message.
std::vector<std::vector<uint32_t>> deliveries_of(const MessageRecord& record);

struct LoadedMessage {
  MessageRecord record;
  conf::Bytes body;
};

struct SpoolHealth {
  bool accepting = true;  // false: disk below the reserve, read-only, or writes fail
  bool recording = true;  // see Spool::recording()
  std::string why;        // one line for the 452 reply and the log
  uint64_t free_bytes = 0;
  std::optional<uint64_t> free_inodes = {};  // nothing: the file system makes them as they are needed
};

struct SpoolCounters {
  uint64_t stored = 0, updated = 0, removed = 0, batches = 0, syncs = 0, bytes_written = 0, set_aside = 0,
           kept = 0;
};

class Spool : protected ReceiptPrinter {
 public:
  virtual ~Spool() = default;

  // A new id; rises, also over restarts. `now` is of the RelayClock. Loop thread.
  virtual conf::MessageId next_id(conf::WallTime now) = 0;

  using StoreDone = std::function<void(conf::Result<Receipt>)>;
  // On failure (kNoSpace, kReadOnly, kIo) nothing of the message remains.
  virtual void store(MessageRecord record, conf::Bytes body, StoreDone done) = 0;
  // What became of some recipients of a stored message, by their index, the lowest first: all those of one
  // delivery, always the same ones. Only they are written; the rest of the message never changes.
  virtual void update(const MessageRecord& record, RecipientSpan recipients) = 0;
  virtual void hold(conf::MessageId id, bool on_hold) = 0;
  // All recipients, one delivery after the other, and the hold.
  void update(const MessageRecord& record);
  virtual void remove(conf::MessageId id) = 0;

  using LoadDone = std::function<void(conf::Result<LoadedMessage>)>;
  // kNotFound, or kCorrupt: the record was set aside (see docs/spool.md) and the rest goes on.
  virtual void load(conf::MessageId id, bool with_body, LoadDone done) = 0;

  // At start, before anything else, on the calling thread: every message once, in id order. Corrupt records
  // are set aside, counted and reported through `set_aside(key, why)`.
  virtual conf::Status recover(const std::function<void(MessageRecord)>& each,
                               const std::function<void(std::string, std::string)>& set_aside) = 0;

  // Every message that is on disk now, in id order, until `each` says false. Any thread, beside everything
  // else; a request not yet carried out is not seen. Corrupt records are skipped.
  virtual conf::Status scan(const std::function<bool(const MessageRecord&)>& each) = 0;

  // Small values beside the messages, for what must survive a crash: quotas used, blocks. All of `values` are
  // written or none, durable as a store() is; an empty value removes its key. When writes fail `done`
  // (may be empty) gets the error, and the values may or may not be there: keep them again.
  using KeptValues = std::vector<std::pair<std::string, std::string>>;  // key, value
  using KeepDone = std::function<void(conf::Status)>;
  virtual void keep_all(KeptValues values, KeepDone done) = 0;
  void keep(std::string key, std::string value, KeepDone done) {
    KeptValues one;
    one.emplace_back(std::move(key), std::move(value));
    keep_all(std::move(one), std::move(done));
  }
  // At start, on the calling thread: every value that is kept, in the order of the bytes of the keys. One
  // that cannot be read is skipped and reported through `damaged(key, why)`; it stays until its key is kept
  // again.
  virtual conf::Status kept(const std::function<void(std::string_view, std::string_view)>& each,
                            const std::function<void(std::string, std::string)>& damaged) = 0;
  // At start, on the calling thread: one of them. kNotFound, kCorrupt, kIo.
  virtual conf::Result<std::string> kept_value(std::string_view key) = 0;

  // Runs the completions that are ready, in one call no more than cost as much as kDrained recipients (one
  // message may have more), and wakes for the others; returns how many. Loop thread.
  static constexpr size_t kDrained = 1000;
  virtual size_t drain_completions() = 0;
  // Called from any thread when completions become ready (the daemon sends a uv_async).
  virtual void on_completions_ready(std::function<void()> wake) = 0;

  virtual SpoolHealth health() const = 0;  // any thread
  // False while what becomes of mail cannot be written down, or that takes seconds: what is delivered now is
  // delivered again if the process ends. Cheap; any thread.
  virtual bool recording() const = 0;
  virtual SpoolCounters counters() const = 0;  // any thread
  // Waits until everything asked for is on disk. Not for the loop while serving: for shutdown and tests.
  virtual void flush() = 0;
};

}  // namespace relay::spool
