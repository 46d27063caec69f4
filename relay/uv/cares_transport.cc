#include "relay/uv/cares_transport.h"

#include <ares.h>
#include <sys/time.h>
#include <uv.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/uv/loop_state.h"

namespace relay::uv {

namespace {

constexpr int kClassIn = 1;

mx::DnsStatus status_of(int status, const unsigned char* raw) {
  if (raw != nullptr) return mx::DnsStatus::kOk;  // a response arrived, even if it says no
  return status == ARES_ETIMEOUT ? mx::DnsStatus::kTimeout : mx::DnsStatus::kFailed;
}

}  // namespace

struct CaresTransport::State {
  struct Socket {
    uv_poll_t poll{};
    State* owner = nullptr;
    ares_socket_t fd = ARES_SOCKET_BAD;
  };
  struct Question {
    State* owner = nullptr;
    Done done;
  };

  Loop* loop = nullptr;
  ares_channel channel = nullptr;
  uv_timer_t* timer = nullptr;
  std::unordered_map<ares_socket_t, Socket*> sockets;
  bool asking = false;  // inside ask(): answers wait until it has returned
  bool ending = false;

  void process(ares_socket_t readable, ares_socket_t writable) {
    loop->state()->stirred = true;
    ares_process_fd(channel, readable, writable);
    arm();
  }

  void arm() {
    timeval buffer{};
    const timeval* wait = ares_timeout(channel, nullptr, &buffer);
    if (wait == nullptr) {
      uv_timer_stop(timer);
      return;
    }
    const auto millis =
        static_cast<uint64_t>(wait->tv_sec) * 1000 + static_cast<uint64_t>(wait->tv_usec) / 1000 + 1;
    uv_timer_start(
        timer,
        [](uv_timer_t* handle) {
          static_cast<State*>(handle->data)->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        },
        millis, 0);
  }

  void watch(ares_socket_t fd, bool readable, bool writable) {
    const auto found = sockets.find(fd);
    if (!readable && !writable) {
      if (found == sockets.end()) return;
      uv_close(reinterpret_cast<uv_handle_t*>(&found->second->poll),
               [](uv_handle_t* handle) { delete static_cast<Socket*>(handle->data); });
      sockets.erase(found);
      return;
    }
    Socket* socket = nullptr;
    if (found == sockets.end()) {
      socket = new Socket;
      socket->owner = this;
      socket->fd = fd;
      socket->poll.data = socket;
      CHECK(uv_poll_init(&loop->state()->uv, &socket->poll, fd) == 0);
      sockets[fd] = socket;
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

  static void answered(void* argument, int status, int, unsigned char* raw, int length) {
    const std::unique_ptr<Question> question(static_cast<Question*>(argument));
    State* self = question->owner;
    if (self->ending) return;
    const mx::DnsStatus outcome = status_of(status, raw);
    const std::string detail = outcome == mx::DnsStatus::kOk ? "" : ares_strerror(status);
    const std::string_view bytes =
        raw == nullptr ? std::string_view()
                       : std::string_view(reinterpret_cast<char*>(raw), static_cast<size_t>(length));
    if (!self->asking) {
      question->done(outcome, bytes, detail);
      return;
    }
    self->loop->post([done = std::move(question->done), outcome, copy = std::string(bytes), detail] {
      done(outcome, copy, detail);
    });
  }
};

conf::Result<std::unique_ptr<mx::DnsTransport>> CaresTransport::open(Loop* loop,
                                                                     const conf::DnsSettings& settings) {
  static const int library = ares_library_init(ARES_LIB_INIT_ALL);
  if (library != ARES_SUCCESS)
    return conf::Error{conf::ErrorCode::kIo, std::string("c-ares: ") + ares_strerror(library)};
  auto state = std::make_unique<State>();
  state->loop = loop;
  ares_options options{};
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_STAYOPEN;
  options.timeout = static_cast<int>(std::max<int64_t>(1, settings.timeout.count() / 1000));
  options.tries = static_cast<int>(settings.tries);
  options.sock_state_cb = [](void* data, ares_socket_t fd, int readable, int writable) {
    static_cast<State*>(data)->watch(fd, readable != 0, writable != 0);
  };
  options.sock_state_cb_data = state.get();
  const int status =
      ares_init_options(&state->channel, &options,
                        ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS)
    return conf::Error{conf::ErrorCode::kIo, std::string("c-ares: ") + ares_strerror(status)};
  state->timer = new uv_timer_t;
  uv_timer_init(&loop->state()->uv, state->timer);
  state->timer->data = state.get();
  std::unique_ptr<mx::DnsTransport> transport(new CaresTransport(std::move(state)));
  std::string list;
  for (const std::string& server : settings.servers) list += (list.empty() ? "" : ",") + server;
  if (!list.empty()) {
    const int set = ares_set_servers_ports_csv(static_cast<CaresTransport*>(transport.get())->state_->channel,
                                               list.c_str());
    if (set != ARES_SUCCESS) {
      return conf::Error{conf::ErrorCode::kInvalid, "[dns] servers: \"" + list + "\": " + ares_strerror(set) +
                                                        "; wanted are IP addresses, with a port if need be"};
    }
  }
  return transport;
}

CaresTransport::CaresTransport(std::unique_ptr<State> state) : state_(std::move(state)) {}

CaresTransport::~CaresTransport() {
  state_->ending = true;
  if (state_->channel != nullptr) ares_destroy(state_->channel);
  if (state_->timer == nullptr) return;
  uv_close(reinterpret_cast<uv_handle_t*>(state_->timer),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_timer_t*>(handle); });
}

void CaresTransport::ask(const std::string& name, mx::RecordType type, Done done) {
  auto* question = new State::Question{state_.get(), std::move(done)};  // comes back in answered()
  state_->asking = true;
  ares_query(state_->channel, name.c_str(), kClassIn, static_cast<int>(type), &State::answered, question);
  state_->asking = false;
  state_->arm();
}

}  // namespace relay::uv
