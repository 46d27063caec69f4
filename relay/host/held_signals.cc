#include "relay/host/held_signals.h"

#include <csignal>

namespace relay {

namespace {

void mask(int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(how, &set, nullptr);
}

}  // namespace

HeldSignals::HeldSignals() { mask(SIG_BLOCK); }

void HeldSignals::let_go() { mask(SIG_UNBLOCK); }

}  // namespace relay
