// The event loop (libuv) as the rest of the relay sees it: run, stop, work posted from other threads, one
// timer, signals. This folder adapts and decides nothing; <uv.h> is included only here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "conf/vocab/time.h"

namespace relay::uv {

class Loop {
 public:
  Loop();
  ~Loop();  // closes what is left and runs the close callbacks
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();   // until stop(); the calling thread is the loop's thread
  void stop();  // any thread

  // Runs `work` on the loop's thread, soon, in order. Any thread; also from the loop's own thread (then in
  // the next round). One wake-up serves all work that waits.
  void post(std::function<void()> work);

  // Called on the loop's thread at `when` (once; asking again replaces it; kNever clears it).
  void set_timer(conf::Instant when);
  void on_timer(std::function<void(conf::Instant now)> handler);

  // Called once at the end of each round in which anything happened: the place to hand out work collected
  // meanwhile.
  void on_round(std::function<void()> handler);

  // SIGTERM, SIGHUP... on the loop's thread.
  void on_signal(int number, std::function<void()> handler);

  // Keeps so many file descriptors of the limit (RLIMIT_NOFILE) from clients: for the spool, the log, DNS and
  // deliveries. At first an eighth of the limit is kept.
  void keep_descriptors(uint32_t count);

  conf::Instant now() const;  // SystemClock's

  struct State;
  State* state() { return state_.get(); }  // for this folder

 private:
  std::unique_ptr<State> state_;
};

}  // namespace relay::uv
