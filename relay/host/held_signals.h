// SIGHUP and SIGUSR1 during a start: they would end the relay before its loop listens to them, and a service
// manager takes the end by SIGHUP for an orderly one.
#pragma once

namespace relay {

// From its making until let_go() these signals wait, for the thread that makes it and for those that it
// starts; after a start that failed they wait for ever, or they would end the process in place of its status.
// A stop (SIGTERM, SIGINT) never waits.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals() = default;
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  void let_go();  // to whoever listens now; the same thread
};

}  // namespace relay
