// LoopCall: a question from an admin thread to the loop's thread, with a limit on the wait. A question that
// was given up is not carried out later; after close() none is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "conf/vocab/result.h"

namespace relay::admin {

class LoopCall {
 public:
  using Post = std::function<void(std::function<void()>)>;
  static constexpr std::chrono::seconds kLimit{10};
  explicit LoopCall(Post post, std::chrono::milliseconds limit = kLimit)
      : post_(std::move(post)), limit_(limit), gate_(std::make_shared<Gate>()) {}
  ~LoopCall() { close(); }

  // Runs `work` on the loop's thread and waits for its answer. `done` may be called later, on the loop's
  // thread. kTimeout: no answer in time. kClosed: the relay is stopping. Any thread but the loop's.
  template <typename T>
  conf::Result<T> ask(std::function<void(std::function<void(T)> done)> work) {
    return ask<T>(std::move(work), limit_);
  }
  // The same with a limit of its own.
  template <typename T>
  conf::Result<T> ask(std::function<void(std::function<void(T)> done)> work,
                      std::chrono::milliseconds limit) {
    struct Question {
      bool given_up = false, started = false;
      std::optional<T> answer;
    };
    auto question = std::make_shared<Question>();
    post_([gate = gate_, question, work = std::move(work)] {
      {
        const std::lock_guard<std::mutex> lock(gate->mutex);
        if (gate->closed || question->given_up) return;
        question->started = true;
      }
      work([gate, question](T value) {
        const std::lock_guard<std::mutex> lock(gate->mutex);
        question->answer = std::move(value);
        gate->changed.notify_all();
      });
    });
    std::unique_lock<std::mutex> lock(gate_->mutex);
    gate_->changed.wait_for(lock, limit, [&] { return question->answer || gate_->closed; });
    if (question->answer) return std::move(*question->answer);
    question->given_up = true;
    if (gate_->closed) return conf::Error{conf::ErrorCode::kClosed, "the relay is stopping"};
    return conf::Error{conf::ErrorCode::kTimeout, question->started
                                                      ? "no answer in time; it may still be carried out"
                                                      : "the mail loop does not answer; nothing was done"};
  }

  // Has `work` run on the loop's thread, however late, unless that is closed before. Any thread; does not
  // wait.
  void tell(std::function<void()> work) {
    post_([gate = gate_, work = std::move(work)] {
      {
        const std::lock_guard<std::mutex> lock(gate->mutex);
        if (gate->closed) return;
      }
      work();
    });
  }

  // On the loop's thread: lets everyone go who waits.
  void close() {
    const std::lock_guard<std::mutex> lock(gate_->mutex);
    gate_->closed = true;
    gate_->changed.notify_all();
  }

 private:
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool closed = false;
  };
  Post post_;
  std::chrono::milliseconds limit_;
  std::shared_ptr<Gate> gate_;
};

}  // namespace relay::admin
