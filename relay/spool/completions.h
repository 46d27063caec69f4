// Answers on their way to the loop: any thread pushes, the loop's thread drains and runs them.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

namespace relay::spool {

using Completion = std::function<void()>;

class Completions {
 public:
  // `wake` is called, on the pushing thread and under no lock of ours, when the queue turns non-empty; at
  // once when it already is not.
  void on_ready(std::function<void()> wake);
  void push(std::vector<Completion> ready);
  void push(Completion ready);
  // Runs what is there; returns how many. What is pushed meanwhile waits for the next call, and wakes for it.
  size_t drain();
  // Forgets what is there (a simulated crash).
  void clear();

 private:
  std::mutex mutex_;
  std::vector<Completion> ready_;
  std::function<void()> wake_;
};

}  // namespace relay::spool
