#include "relay/host/doors.h"

#include <utility>

#include "relay/host/own_addresses.h"

namespace relay {

conf::Status Doors::prepare(const conf::Config& config, const std::shared_ptr<tls::Context>& server_tls) {
  prepared_.clear();
  for (const conf::Listener& listener : config.listeners) {
    const std::string place = place_text(listener.address, listener.port);
    if (open_.count(place) != 0) continue;
    auto opened = uv::TcpListener::open(
        loop_, {listener.address, listener.port, inherited_->take(listener.address, listener.port)},
        server_tls, [this, place](Accepted accepted) { come_(place, std::move(accepted)); });
    if (!opened.ok()) {
      prepared_.clear();
      return opened.error();
    }
    prepared_[place] = std::move(*opened);
  }
  return conf::success();
}

void Doors::adopt(const conf::Config& config, const std::shared_ptr<tls::Context>& server_tls) {
  Open old = std::exchange(open_, std::exchange(prepared_, {}));
  for (const conf::Listener& listener : config.listeners) {
    const std::string place = place_text(listener.address, listener.port);
    const auto found = old.find(place);
    if (found != old.end()) open_[place] = std::move(found->second);
    open_[place]->set_server_tls(server_tls);
  }
}

}  // namespace relay
