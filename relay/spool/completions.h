// Answers on their way to the loop: any thread pushes, the loop's thread drains and runs them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace relay::spool {

struct Completion {
  template <typename Run>
  Completion(Run what, size_t recipients = 1)  // NOLINT(google-explicit-constructor)
      : run(std::move(what)), work(kOfItsOwn + recipients) {}
  // What follows a message that was read or stored costs some 25 us, and some 3 more for each recipient.
  static constexpr size_t kOfItsOwn = 8;
  std::function<void()> run;
  size_t work;  // in what one recipient costs
};

class Completions {
 public:
  // `wake` is called, on the pushing thread and under no lock of ours, when the queue turns non-empty; at
  // once when it already is not.
  void on_ready(std::function<void()> wake);
  void push(std::vector<Completion> ready);
  void push(Completion ready);
  // Runs what is there; returns how many. What is pushed meanwhile waits for the next call, and wakes for it.
  // So does what is more than `most` work together; one is always run.
  size_t drain(size_t most = SIZE_MAX);
  // Forgets what is there (a simulated crash).
  void clear();

 private:
  std::mutex mutex_;
  std::vector<Completion> ready_;
  std::function<void()> wake_;
};

}  // namespace relay::spool
