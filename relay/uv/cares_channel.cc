#include "relay/uv/cares_channel.h"

#include <sys/time.h>

#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/uv/loop_state.h"

namespace relay::uv {

namespace {

constexpr int kClassIn = 1;

std::string csv(const std::vector<std::string>& servers, size_t first) {
  std::string list;
  for (size_t i = first; i < servers.size(); ++i) list += (list.empty() ? "" : ",") + servers[i];
  return list;
}

}  // namespace

struct CaresChannel::Socket {
  uv_poll_t poll{};
  CaresChannel* owner = nullptr;
  ares_socket_t fd = ARES_SOCKET_BAD;
};

struct CaresChannel::Question {
  CaresChannel* owner = nullptr;
  Done done;
};

conf::Result<std::unique_ptr<CaresChannel>> CaresChannel::open(Loop* loop, const Plan& plan) {
  static const int library = ares_library_init(ARES_LIB_INIT_ALL);
  if (library != ARES_SUCCESS)
    return conf::Error{conf::ErrorCode::kIo, std::string("c-ares: ") + ares_strerror(library)};
  std::unique_ptr<CaresChannel> channel(new CaresChannel(loop));
  ares_options options{};
  // An answer with an error code is an answer: without NOCHECKRESP nobody would hear which code it was.
  options.flags =
      ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP | (plan.tcp ? ARES_FLAG_USEVC : 0);
  options.timeout = static_cast<int>(std::max<int64_t>(1, plan.settings.timeout.count() / 1000));
  options.tries = static_cast<int>(plan.settings.tries);
  options.sock_state_cb = [](void* data, ares_socket_t fd, int readable, int writable) {
    static_cast<CaresChannel*>(data)->watch(fd, readable != 0, writable != 0);
  };
  options.sock_state_cb_data = channel.get();
  const int status =
      ares_init_options(&channel->ares_, &options,
                        ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS)
    return conf::Error{conf::ErrorCode::kIo, std::string("c-ares: ") + ares_strerror(status)};
  channel->timer_ = new uv_timer_t;
  uv_timer_init(&loop->state()->uv, channel->timer_);
  channel->timer_->data = channel.get();
  const std::string list = csv(plan.settings.servers, plan.first_server);
  if (list.empty()) return channel;
  const int set = ares_set_servers_ports_csv(channel->ares_, list.c_str());
  if (set == ARES_SUCCESS) return channel;
  return conf::Error{conf::ErrorCode::kInvalid, "[dns] servers: \"" + list + "\": " + ares_strerror(set) +
                                                    "; wanted are IP addresses, with a port if need be"};
}

CaresChannel::~CaresChannel() {
  ending_ = true;
  if (ares_ != nullptr) ares_destroy(ares_);
  if (timer_ == nullptr) return;
  uv_timer_stop(timer_);
  uv_close(reinterpret_cast<uv_handle_t*>(timer_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_timer_t*>(handle); });
}

void CaresChannel::ask(const std::string& name, int type, Done done) {
  ++asked_;
  ++under_way_;
  auto* question = new Question{this, std::move(done)};  // comes back in answered()
  ares_query(ares_, name.c_str(), kClassIn, type, &CaresChannel::answered, question);
  arm();
}

void CaresChannel::answered(void* argument, int status, int, unsigned char* raw, int length) {
  const std::unique_ptr<Question> question(static_cast<Question*>(argument));
  CaresChannel* self = question->owner;
  --self->under_way_;
  if (self->ending_) return;
  const std::string_view bytes =
      raw == nullptr ? std::string_view()
                     : std::string_view(reinterpret_cast<char*>(raw), static_cast<size_t>(length));
  question->done(status, bytes);
}

std::vector<std::string> CaresChannel::servers() const {
  std::vector<std::string> texts;
  ares_addr_port_node* list = nullptr;
  if (ares_get_servers_ports(ares_, &list) != ARES_SUCCESS) return texts;
  for (const ares_addr_port_node* each = list; each != nullptr; each = each->next) {
    char text[INET6_ADDRSTRLEN];
    if (uv_inet_ntop(each->family, &each->addr, text, sizeof text) != 0) continue;
    const int port = each->udp_port == 0 ? 53 : each->udp_port;
    const bool v6 = each->family == AF_INET6;
    texts.push_back((v6 ? '[' + std::string(text) + ']' : std::string(text)) + ':' + std::to_string(port));
  }
  ares_free_data(list);
  return texts;
}

void CaresChannel::process(ares_socket_t readable, ares_socket_t writable) {
  loop_->state()->stirred = true;
  ares_process_fd(ares_, readable, writable);
  arm();
}

void CaresChannel::arm() {
  timeval buffer{};
  const timeval* wait = ares_timeout(ares_, nullptr, &buffer);
  if (wait == nullptr) {
    uv_timer_stop(timer_);
    return;
  }
  const auto millis =
      static_cast<uint64_t>(wait->tv_sec) * 1000 + static_cast<uint64_t>(wait->tv_usec) / 1000 + 1;
  uv_timer_start(
      timer_,
      [](uv_timer_t* handle) {
        static_cast<CaresChannel*>(handle->data)->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      },
      millis, 0);
}

void CaresChannel::watch(ares_socket_t fd, bool readable, bool writable) {
  const auto found = sockets_.find(fd);
  if (!readable && !writable) {
    if (found == sockets_.end()) return;
    uv_close(reinterpret_cast<uv_handle_t*>(&found->second->poll),
             [](uv_handle_t* handle) { delete static_cast<Socket*>(handle->data); });
    sockets_.erase(found);
    return;
  }
  Socket* socket = nullptr;
  if (found == sockets_.end()) {
    socket = new Socket;
    socket->owner = this;
    socket->fd = fd;
    socket->poll.data = socket;
    CHECK(uv_poll_init(&loop_->state()->uv, &socket->poll, fd) == 0);
    sockets_[fd] = socket;
  } else {
    socket = found->second;
  }
  const int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
  uv_poll_start(&socket->poll, events, [](uv_poll_t* handle, int status, int got) {
    auto* ready = static_cast<Socket*>(handle->data);
    const bool failed = status != 0;  // c-ares finds out why when it reads
    ready->owner->process(failed || (got & UV_READABLE) != 0 ? ready->fd : ARES_SOCKET_BAD,
                          failed || (got & UV_WRITABLE) != 0 ? ready->fd : ARES_SOCKET_BAD);
  });
}

}  // namespace relay::uv
