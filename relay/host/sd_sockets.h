// Listening sockets that the service manager opened for us (sd_listen_fds(3), systemd.socket(5)): ports below
// 1024 without a capability, and clients that wait instead of being refused while the relay starts again.
// Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace relay {

class SdSockets {
 public:
  // Takes what LISTEN_FDS names, once: programs that the relay starts do not inherit it. Sockets that are no
  // listening TCP sockets are left alone.
  SdSockets();
  SdSockets(const SdSockets&) = delete;
  SdSockets& operator=(const SdSockets&) = delete;
  ~SdSockets();

  // A descriptor of its own for the socket at this address, which the caller closes; -1: there is none.
  int take(const std::string& address, uint16_t port);
  // Places ("127.0.0.1:25") that were never taken: clients who connect there wait for nobody.
  std::vector<std::string> never_taken() const;

 private:
  struct Socket {
    int descriptor = -1;
    bool taken = false;
  };
  std::map<std::string, Socket> sockets_;  // by place, as place_text() writes it
};

}  // namespace relay
