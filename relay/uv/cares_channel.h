// One c-ares channel on the loop: a few questions over sockets of its own, then it is retired, so that the
// source ports change (RFC 5452 §9.2). Loop thread.
#pragma once

#include <ares.h>
#include <uv.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conf/config.h"
#include "conf/vocab/result.h"
#include "relay/uv/loop.h"

namespace relay::uv {

class CaresChannel {
 public:
  struct Plan {
    conf::DnsSettings settings;
    size_t first_server = 0;  // the servers before it are left out
    bool tcp = false;         // every question by TCP
  };
  // kInvalid names the server that is no address.
  static conf::Result<std::unique_ptr<CaresChannel>> open(Loop* loop, const Plan& plan);
  ~CaresChannel();  // questions under way end without an answer
  CaresChannel(const CaresChannel&) = delete;
  CaresChannel& operator=(const CaresChannel&) = delete;

  // `status`: of c-ares; `raw` empty: no answer arrived. May run inside ask().
  using Done = std::function<void(int status, std::string_view raw)>;
  void ask(const std::string& name, int type, Done done);
  size_t asked() const { return asked_; }
  size_t under_way() const { return under_way_; }
  // As c-ares has them, whether configured or from /etc/resolv.conf: "192.0.2.1:53".
  std::vector<std::string> servers() const;

 private:
  struct Socket;
  struct Question;
  explicit CaresChannel(Loop* loop) : loop_(loop) {}
  void process(ares_socket_t readable, ares_socket_t writable);
  void arm();
  void watch(ares_socket_t fd, bool readable, bool writable);
  static void answered(void* argument, int status, int timeouts, unsigned char* raw, int length);

  Loop* loop_;
  ares_channel ares_ = nullptr;
  uv_timer_t* timer_ = nullptr;
  std::unordered_map<ares_socket_t, Socket*> sockets_;
  size_t asked_ = 0;
  size_t under_way_ = 0;
  bool ending_ = false;
};

}  // namespace relay::uv
