#include <algorithm>

#include "tests/relay/net/quiet_transport.h"
#include "tests/relay/walk/fake_server.h"

namespace relay {

class FakeStream final : public QuietTransport {
 public:
  FakeStream(FakeServer* server, TransportUser* user) : server_(server), user_(user) {}
  ~FakeStream() override {
    std::erase_if(server_->waiting_, [this](const auto& each) { return each.first == user_; });
    server_->content_.erase(user_);
  }

 private:
  void hear(const std::string& bytes) override { server_->hear(user_, bytes); }

  FakeServer* server_;
  TransportUser* user_;
};

std::unique_ptr<Transport> FakeServer::connect(const ConnectTarget&, TransportUser* user) {
  waiting_.emplace_back(user, [user] { user->on_connected(); });
  waiting_.emplace_back(user, [user] { user->on_bytes("220 mx.test\r\n"); });
  return std::make_unique<FakeStream>(this, user);
}

void FakeServer::hear(TransportUser* user, const std::string& bytes) {
  waiting_.emplace_back(user, [user] { user->on_drained(); });
  wire += bytes;
  const auto say = [&](const std::string& text) {
    waiting_.emplace_back(user, [user, text] { user->on_bytes(text + "\r\n"); });
  };
  for (size_t at = 0, end = 0; at < bytes.size(); at = end + 2) {
    end = std::min(bytes.find("\r\n", at), bytes.size());
    const std::string line = bytes.substr(at, end - at);
    if (content_[user]) {
      if (line != ".") continue;
      content_[user] = false;
      say("250 2.0.0 taken");
    } else if (line.rfind("RCPT TO:", 0) == 0) {
      const std::string recipient = line.substr(9, line.find('>') - 9);
      const auto own = to_rcpt_of.find(recipient);
      const std::string& reply = own == to_rcpt_of.end() ? to_rcpt : own->second;
      if (reply[0] == '2') recipients.push_back(recipient);
      say(reply);
    } else if (line == "DATA") {
      content_[user] = true;
      say("354 go");
    } else {
      say("250 ok");
    }
  }
}

bool FakeServer::work() {
  if (waiting_.empty()) return false;
  const auto next = std::move(waiting_.front());
  waiting_.pop_front();
  next.second();
  return true;
}

}  // namespace relay
