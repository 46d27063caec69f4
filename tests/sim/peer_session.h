// One connection of a receiving mail server of the simulation.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "relay/net/transport.h"
#include "tests/sim/peer.h"
#include "tests/sim/speech.h"

namespace sim {

class Peer::Session final : public relay::TransportUser, public std::enable_shared_from_this<Peer::Session> {
 public:
  Session(Peer* peer, std::unique_ptr<relay::Transport> stream);
  void start();
  void leave(PeerWatch::End how = PeerWatch::End::kOurs);
  uint64_t number = 0;  // of the watch
  std::string source;   // address that the relay came from

  void on_connected() override {}
  void on_tls(conf::Result<relay::TlsInfo> outcome) override;
  void on_drained() override {}
  void on_deadline() override {}
  void on_closed(const conf::Error&) override { leave(PeerWatch::End::kBroken); }
  void on_bytes(std::string_view bytes) override;

 private:
  bool take();
  bool take_command();
  bool take_data();
  bool take_chunk();
  void command(const std::string& line);
  void ehlo();
  void starttls();
  void mail(const std::string& line);
  void rcpt(const std::string& line);
  void data();
  void rset();
  bool refuses_parameter(const std::string& line);
  bool is_in_disorder();
  void finish_message(const std::string& body);
  void answer_dot(const std::string& text);
  void tell(const std::string& text, size_t recipients);
  bool reply(const std::string& text);
  void refused(const std::string& recipient);
  void played(Fault what) { ++peer_->played[static_cast<size_t>(what)]; }
  bool chance(double probability) { return peer_->world_->random.chance(probability); }
  // Nothing is drawn where there is none.
  bool fault(double probability) { return probability > 0 && chance(probability); }

  Peer* peer_;
  const PeerRules& rules_;
  std::unique_ptr<relay::Transport> stream_;
  Speech speech_;
  std::string input_, reverse_path_, body_;
  std::vector<std::string> recipients_;
  size_t chunk_ = 0;
  bool last_chunk_ = false, in_data_ = false, in_mail_ = false, encrypted_ = false, smtputf8_ = false;
  uint32_t messages_ = 0;
  std::shared_ptr<bool> heard_ = std::make_shared<bool>(false);  // our reply to the latest final dot
};

}  // namespace sim
