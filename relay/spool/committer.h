// The committer: one thread that takes whatever is waiting, writes it as one batch with one sync, and answers
// all.
//
// When a write fails, the stores and keeps of that batch (and those asked for until writes work again) are
// answered with the error; updates and removes are retained, the newest of each, and tried again every
// retry_interval until they are on disk. A message whose store failed is removed again with the next good
// write: part of it may have reached the disk.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "conf/vocab/bytes.h"
#include "conf/vocab/envelope.h"
#include "conf/vocab/result.h"
#include "relay/spool/completions.h"

namespace relay::spool {

enum class WriteKind : uint8_t { kStore, kUpdate, kRemove, kKeep };

struct WriteRequest {
  WriteKind kind = WriteKind::kStore;
  conf::MessageId id = 0;
  std::string record;                                            // encoded; empty for kRemove and kKeep
  conf::Bytes body;                                              // kStore
  std::function<void(conf::Status)> done;                        // kStore and, may be empty, kKeep
  std::vector<std::pair<std::string, std::string>> values = {};  // kKeep: encoded; empty: remove
  uint32_t part = 0;                                             // kUpdate: of the state, see record.h
  size_t work = 1;                                               // of the answer, see Completion
};

// What the committer writes to. Called on the committer's thread only.
class BatchWriter {
 public:
  virtual ~BatchWriter() = default;
  // All of the batch or nothing, in order, durable on success. An empty batch probes whether writing works.
  virtual conf::Status write(const std::vector<WriteRequest>& batch) = 0;
  // Makes the store writable again after a failed write, if it can be.
  virtual conf::Status mend() = 0;
  // The stores of these are being refused though they may reach the disk; called before anybody hears of it.
  virtual void refused(const std::vector<conf::MessageId>& ids) { (void)ids; }
  // All that were refused are off the disk again.
  virtual void taken_out() {}
};

class Committer {
 public:
  struct Options {
    size_t queue_bytes = 64 << 20;  // of waiting stores; more are answered kUnavailable
    size_t batch_bytes = 4 << 20;   // enough for one sync to be cheap per message, few enough to answer soon
    size_t batch_requests = 2000;   // as above, for small messages
    std::chrono::milliseconds retry_interval{1000};
  };

  // `writer` and `completions` outlive the committer.
  Committer(BatchWriter* writer, Completions* completions, Options options);
  // Carries out what is waiting (one attempt when writes fail), then ends the thread.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // Any thread. `done` becomes a completion.
  void submit(WriteRequest request);
  // The number of the newest request.
  uint64_t newest() const;
  // Waits until the request of that number was carried out, refused or retained.
  void wait_for(uint64_t number);
  // The updates, or the remove, of that message that could not be written yet.
  std::vector<WriteRequest> retained(conf::MessageId id) const;
  // Waits until all that was asked for is on disk, or one more attempt has failed.
  void flush();
  // The write under way waits for the disk: answers its stores, and those that wait behind it, with the
  // error, so that clients hear of it soon, and lets readers see its updates. The stores are taken out again
  // once the write has gone through. From inside write() only, as often as it waits.
  void stall(const conf::Error& error);
  // Why writes fail; nothing while they work.
  std::optional<conf::Error> trouble() const;
  // Whether what is asked for is written within kSlow. Any thread.
  bool prompt() const;
  static constexpr std::chrono::seconds kSlow{2};

 private:
  using Lock = std::unique_lock<std::mutex>;
  void run();
  std::vector<WriteRequest> take_batch();
  void commit(Lock* lock);
  void retry(Lock* lock);
  // Moves updates and removes into retained_, stores into the returned answers. `written`: they may be on
  // disk in part; it gets the ids of the stores.
  std::vector<Completion> give_up(std::vector<WriteRequest> requests, const conf::Error& error,
                                  std::vector<conf::MessageId>* written);
  void retain(WriteRequest request);
  void set_trouble(std::optional<conf::Error> error);
  conf::Status write(const std::vector<WriteRequest>& batch);
  void absorb_waiting(Lock* lock);

  BatchWriter* const writer_;
  Completions* const completions_;
  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable work_;     // for the thread
  std::condition_variable carried_;  // for those who wait on it
  std::deque<WriteRequest> waiting_;
  size_t waiting_bytes_ = 0;
  uint64_t submitted_ = 0;
  uint64_t carried_out_ = 0;
  uint64_t attempts_ = 0;                           // retries that ended
  std::vector<WriteRequest>* under_way_ = nullptr;  // what write() has
  bool under_way_retained_ = false;                 // it stalls, and readers see it in retained_
  // By message: the newest update of each part, or the remove and nothing else.
  std::map<conf::MessageId, std::map<uint32_t, WriteRequest>> retained_;
  std::optional<conf::Error> trouble_;
  std::atomic<bool> in_trouble_ = false;  // trouble_ has a value
  std::atomic<int64_t> write_began_ = 0;  // of the steady clock, in its ticks; 0: none is under way
  std::chrono::steady_clock::time_point next_retry_;
  bool hurry_ = false;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace relay::spool
