// Worker threads that sign. A bounded queue in front of them: when it is full, messages wait, and nothing is
// ever sent unsigned for lack of time. Completions are handed over in batches, with one wake-up for each.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "conf/dkim_settings.h"
#include "dkim/key_store.h"
#include "dkim/sign_queue.h"
#include "dkim/signer.h"

namespace dkim {

class SignPool final : public SignQueue {
 public:
  // `wake` is called from the workers when completions become ready after there were none.
  explicit SignPool(std::function<void()> wake);
  ~SignPool() override;  // ends the workers; what waits is dropped

  // The keys from now on, with the engine, the number of workers (at the first call with keys), the bound of
  // the queue and the share of the self-check. Messages under way end with the keys they began with.
  void use(std::shared_ptr<const KeyStore> keys, const conf::DkimSettings& settings);

  bool enabled() const override { return enabled_; }
  uint64_t edition() const override { return edition_; }
  bool submit(conf::Bytes mail, Done done) override;
  size_t drain_completions() override;

 private:
  struct Book {  // what a worker signs with
    std::shared_ptr<const KeyStore> keys;
    std::shared_ptr<const Signer> signer;
    double self_check = 0;
  };
  struct Task {
    conf::Bytes mail;
    Done done;
    std::shared_ptr<const Book> book;
  };
  struct Completion {
    SignOutcome outcome;
    Done done;
  };
  void work(uint64_t seed);

  const std::function<void()> wake_;
  bool enabled_ = false;              // loop thread
  uint64_t edition_ = 0;              // loop thread
  size_t bound_ = 0;                  // loop thread
  std::shared_ptr<const Book> book_;  // loop thread
  std::mutex mutex_;
  std::condition_variable work_there_;
  std::deque<Task> tasks_;               // under mutex_
  std::vector<Completion> completions_;  // under mutex_
  bool ending_ = false;                  // under mutex_
  std::vector<std::thread> workers_;
};

// What a worker does with one message. Any thread. `check` asks for a second opinion on the signatures.
SignOutcome sign_mail(std::string_view bytes, const KeyStore& keys, const Signer& signer, conf::WallTime now,
                      bool check);

}  // namespace dkim
