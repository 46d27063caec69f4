#include "relay/uv/network.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "conf/standard_error.h"
#include "relay/uv/connection.h"
#include "relay/uv/loop_state.h"
#include "relay/uv/socket_address.h"

namespace relay::uv {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

TcpNetwork::TcpNetwork(Loop* loop, std::shared_ptr<tls::Context> client_tls)
    : loop_(loop), client_tls_(std::move(client_tls)) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    most_connections_ = std::max<size_t>(limit.rlim_cur / 2, 1);
}

TcpNetwork::~TcpNetwork() = default;

std::unique_ptr<Transport> TcpNetwork::connect(const ConnectTarget& target, TransportUser* user) {
  auto* stream = new Stream(loop_, client_tls_, true);  // ends itself once libuv has closed it
  stream->user = user;
  auto connection = std::make_unique<Connection>(stream);
  stream->connect(target);
  return connection;
}

void TcpNetwork::set_client_tls(std::shared_ptr<tls::Context> client_tls) {
  client_tls_ = std::move(client_tls);
}

uint64_t TcpNetwork::open_streams() const { return loop_->state()->streams; }

// Lives until libuv has closed it, like a Stream.
struct TcpListener::State final : Handle, HeldBack {
  uv_tcp_t tcp{};
  Loop* loop = nullptr;
  std::shared_ptr<tls::Context> server_tls;
  OnAccept on_accept;
  conf::Instant last_said{};

  void close() override {
    on_accept = nullptr;
    std::erase(loop->state()->held_back, this);
    auto* handle = reinterpret_cast<uv_handle_t*>(&tcp);
    if (uv_is_closing(handle) != 0) return;
    uv_close(handle,
             [](uv_handle_t* closed) { delete static_cast<State*>(static_cast<Handle*>(closed->data)); });
  }

  static void on_connection(uv_stream_t* server, int status) {
    auto* state = static_cast<State*>(static_cast<Handle*>(server->data));
    state->loop->state()->stirred = true;
    if (status != 0) {
      state->complain(status);
      return;
    }
    state->accept_one();
  }

  void try_again() override {
    if (uv_is_closing(reinterpret_cast<uv_handle_t*>(&tcp)) == 0) accept_one();
  }

  // While descriptors are short the client waits: libuv has taken its connection, and takes no other before
  // uv_accept().
  void accept_one() {
    State* state = this;
    auto* server = reinterpret_cast<uv_stream_t*>(&tcp);
    int descriptor = -1;
    const bool known = uv_fileno(reinterpret_cast<uv_handle_t*>(&tcp), &descriptor) == 0;
    if (known && loop->state()->short_of_descriptors(descriptor)) loop->state()->close_finished("");
    if (known && loop->state()->short_of_descriptors(descriptor)) {
      complain(UV_EMFILE);
      loop->state()->hold_back(this);
      return;
    }
    auto* stream = new Stream(state->loop, state->server_tls, false);
    const int accepted = uv_accept(server, reinterpret_cast<uv_stream_t*>(&stream->tcp));
    Accepted client;
    client.transport = std::make_unique<Connection>(stream);
    if (accepted != 0) return;
    sockaddr_storage address;
    int length = sizeof address;
    if (uv_tcp_getpeername(&stream->tcp, reinterpret_cast<sockaddr*>(&address), &length) != 0) return;
    client.client_address = address_text(address, nullptr);
    stream->turn.party = network_of(address);
    client.close_finished = [all = loop->state(), network = stream->turn.party](bool of_all) {
      all->close_finished(of_all ? std::string() : network);
    };
    uv_tcp_nodelay(&stream->tcp, 1);
    if (state->on_accept) state->on_accept(std::move(client));
  }

  void complain(int status) {
    const conf::Instant now = loop->now();
    if (now - last_said < 1min && last_said != conf::Instant{}) return;
    last_said = now;
    conf::say(std::string("clients wait to be accepted: ") + uv_strerror(status) +
              ", but for those that are kept for the spool and for deliveries; raise the limit of open files "
              "(LimitNOFILE)");
  }
};

namespace {

std::string text_of(const std::string& address, uint16_t port) {
  return (address.find(':') == std::string::npos ? address : '[' + address + ']') + ':' +
         std::to_string(port);
}

const char* hint(int status) {
  switch (status) {
    case UV_EACCES:
      return " (ports below 1024 need root, a line in penstock.socket, or CAP_NET_BIND_SERVICE)";
    case UV_EADDRINUSE:
      return " (another program listens there; `ss -ltnp` shows which)";
    case UV_EADDRNOTAVAIL:
      return " (this machine does not have the address)";
    default:
      return "";
  }
}

int bind(uv_tcp_t* tcp, const TcpListener::Place& place) {
  sockaddr_storage where;
  if (!to_sockaddr(place.address, place.port, &where)) return UV_EINVAL;  // not an IP address
  const unsigned flags = where.ss_family == AF_INET6 ? static_cast<unsigned>(UV_TCP_IPV6ONLY) : 0;
  return uv_tcp_bind(tcp, reinterpret_cast<const sockaddr*>(&where), flags);
}

}  // namespace

conf::Result<std::unique_ptr<TcpListener>> TcpListener::open(Loop* loop, const Place& place,
                                                             std::shared_ptr<tls::Context> server_tls,
                                                             OnAccept on_accept) {
  auto* raw = new State;
  raw->loop = loop;
  raw->server_tls = std::move(server_tls);
  raw->on_accept = std::move(on_accept);
  uv_tcp_init(&loop->state()->uv, &raw->tcp);
  raw->tcp.data = static_cast<Handle*>(raw);
  std::unique_ptr<TcpListener> listener(new TcpListener(std::unique_ptr<State>(raw)));
  int status = place.descriptor < 0 ? bind(&raw->tcp, place) : uv_tcp_open(&raw->tcp, place.descriptor);
  if (status != 0 && place.descriptor >= 0) ::close(place.descriptor);
  if (status == 0) status = uv_listen(reinterpret_cast<uv_stream_t*>(&raw->tcp), 1024, &State::on_connection);
  if (status != 0) {
    return conf::Error{conf::ErrorCode::kIo, "cannot listen on " + text_of(place.address, place.port) + ": " +
                                                 uv_strerror(status) + hint(status)};
  }
  return listener;
}

TcpListener::TcpListener(std::unique_ptr<State> state) : state_(std::move(state)) {}

TcpListener::~TcpListener() { state_.release()->close(); }

uint16_t TcpListener::port() const {
  sockaddr_storage address;
  int length = sizeof address;
  uint16_t port = 0;
  if (uv_tcp_getsockname(&state_->tcp, reinterpret_cast<sockaddr*>(&address), &length) == 0)
    address_text(address, &port);
  return port;
}

void TcpListener::set_server_tls(std::shared_ptr<tls::Context> server_tls) {
  state_->server_tls = std::move(server_tls);
}

}  // namespace relay::uv
