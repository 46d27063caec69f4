#include "relay/host/sd_notify.h"

#include <systemd/sd-daemon.h>
#include <time.h>

#include <algorithm>

namespace relay {
namespace {

void send(std::string state, std::string status) {
  // A newline would begin another assignment of the protocol.
  std::replace_if(
      status.begin(), status.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  if (!status.empty()) state += (state.empty() ? "STATUS=" : "\nSTATUS=") + status;
  if (!state.empty()) sd_notify(0, state.c_str());
}

}  // namespace

void notify_ready(const std::string& status) { send("READY=1", status); }

void notify_reloading() {
  // sd_notify(3): Type=notify-reload (systemd 253) wants the time of the monotonic clock with it; others
  // ignore it.
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto micros = static_cast<unsigned long long>(now.tv_sec) * 1'000'000ULL +
                      static_cast<unsigned long long>(now.tv_nsec) / 1'000ULL;
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(micros), "");
}

void notify_stopping(const std::string& status) { send("STOPPING=1", status); }

}  // namespace relay
