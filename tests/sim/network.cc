#include "tests/sim/network.h"

#include <utility>

namespace sim {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

// What both ends share. An end that went has no user; its `open` is false.
struct Pipe : std::enable_shared_from_this<Pipe> {
  struct End {
    relay::TransportUser* user = nullptr;
    bool open = true;
    bool paused = false;
    bool closing = false;  // the other end has said it is done, after the bytes under way
    bool told = false;     // on_closed was called
    bool tls = false;      // it has begun its side of a handshake
    std::string waiting;   // arrived, not yet given to the user
    conf::Instant last_arrival{};
    uint64_t deadline_number = 0;
  };
  explicit Pipe(World* w) : world(w) {}
  World* world;
  End ends[2];
  double tls_fails = 0;  // the chance

  void later(conf::Duration delay, std::function<void(Pipe*)> work) {
    world->after(delay, [self = shared_from_this(), work = std::move(work)] { work(self.get()); });
  }
  // Bytes keep their order, whatever the delays.
  void send(int to, std::string bytes) {
    End& end = ends[to];
    size_t at = 0;
    while (at < bytes.size()) {
      const size_t piece = world->random.chance(0.3) ? 1 + world->random.below(200) : bytes.size() - at;
      const conf::Instant arrival = std::max(world->now() + world->between(1us, 20ms), end.last_arrival);
      end.last_arrival = arrival;
      later(arrival - world->now(), [to, part = bytes.substr(at, piece)](Pipe* pipe) {
        pipe->ends[to].waiting += part;
        pipe->deliver(to);
      });
      at += piece;
    }
  }
  void close_after_bytes(int to) {
    const conf::Instant arrival = std::max(world->now() + world->between(1us, 5ms), ends[to].last_arrival);
    ends[to].last_arrival = arrival;
    later(arrival - world->now(), [to](Pipe* pipe) {
      pipe->ends[to].closing = true;
      pipe->deliver(to);
    });
  }
  void deliver(int to) {
    End& end = ends[to];
    if (!end.open || end.user == nullptr || end.paused || end.told) return;
    if (!end.waiting.empty()) {
      const std::string bytes = std::move(end.waiting);
      end.waiting.clear();
      end.user->on_bytes(bytes);
    }
    if (end.open && end.user != nullptr && end.closing && end.waiting.empty() && !end.paused && !end.told) {
      end.told = true;
      end.user->on_closed({conf::ErrorCode::kClosed, "the peer closed the connection"});
    }
  }
  // Both sides have begun: it succeeds, fails at both, or the connection breaks in the middle.
  void shake_hands() {
    if (!ends[0].tls || !ends[1].tls) return;
    ends[0].tls = ends[1].tls = false;
    const bool fails = world->random.chance(tls_fails), breaks = fails && world->random.chance(0.3);
    later(world->between(100us, 40ms), [fails, breaks](Pipe* pipe) {
      if (breaks) return pipe->break_now();
      for (End& end : pipe->ends) {
        if (!end.open || end.user == nullptr || end.told) continue;
        if (fails) {
          end.user->on_tls(conf::Error{conf::ErrorCode::kIo, "no cipher in common"});
        } else {
          end.user->on_tls(relay::TlsInfo{"TLSv1.3", "TLS_AES_128_GCM_SHA256", false, false});
        }
      }
    });
  }
  void break_now() {
    for (End& end : ends) {
      if (!end.open || end.told) continue;
      end.told = true;
      end.waiting.clear();
      if (end.user != nullptr) end.user->on_closed({conf::ErrorCode::kClosed, "connection reset by peer"});
    }
  }
};

Stream::Stream(World* world, std::shared_ptr<Pipe> pipe, int side, relay::TransportUser* user)
    : world_(world), pipe_(std::move(pipe)), side_(side) {
  pipe_->ends[side_].user = user;
}

Stream::~Stream() {
  Pipe::End& mine = pipe_->ends[side_];
  mine.user = nullptr;
  if (!mine.open) return;
  mine.open = false;
  pipe_->close_after_bytes(1 - side_);
}

void Stream::set_user(relay::TransportUser* user) {
  pipe_->ends[side_].user = user;
  pipe_->later(0us, [side = side_](Pipe* pipe) { pipe->deliver(side); });
}

void Stream::write(relay::OutQueue* out) {
  std::string bytes = out->flatten();
  out->clear();
  Pipe::End& mine = pipe_->ends[side_];
  if (!mine.open || mine.told) return;
  pipe_->send(1 - side_, std::move(bytes));
  pipe_->later(0us, [side = side_](Pipe* pipe) {
    Pipe::End& end = pipe->ends[side];
    if (end.open && end.user != nullptr && !end.told) end.user->on_drained();
  });
}

void Stream::start_tls(const TlsRequest&) {
  pipe_->ends[side_].waiting.clear();  // what came in clear before is dropped
  pipe_->ends[side_].tls = true;
  pipe_->shake_hands();
}

void Stream::pause_reading() { pipe_->ends[side_].paused = true; }

void Stream::resume_reading() {
  pipe_->ends[side_].paused = false;
  pipe_->later(0us, [side = side_](Pipe* pipe) { pipe->deliver(side); });
}

void Stream::set_deadline(conf::Instant when) {
  const uint64_t number = ++pipe_->ends[side_].deadline_number;
  if (when == conf::kNever) return;
  pipe_->later(std::max(when - world_->now(), conf::Duration(0)), [side = side_, number](Pipe* pipe) {
    Pipe::End& end = pipe->ends[side];
    if (end.open && end.user != nullptr && !end.told && end.deadline_number == number)
      end.user->on_deadline();
  });
}

void Stream::finish() {
  Pipe::End& mine = pipe_->ends[side_];
  mine.user = nullptr;
  token_.reset();
  if (!mine.open) return;
  mine.open = false;
  pipe_->close_after_bytes(1 - side_);
}

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_stream_pair(World* world) {
  auto pipe = std::make_shared<Pipe>(world);
  return {std::make_unique<Stream>(world, pipe, 0, nullptr),
          std::make_unique<Stream>(world, pipe, 1, nullptr)};
}

// Each who holds what comes back is one more.
std::shared_ptr<void> Network::counted(const std::string& address) {
  std::shared_ptr<uint32_t> open = open_[address].lock();
  if (open == nullptr) open_[address] = open = std::make_shared<uint32_t>(0);
  most_ = std::max(most_, ++*open);
  return {open.get(), [open](void*) { --*open; }};
}

std::unique_ptr<relay::Transport> Network::connect(const relay::ConnectTarget& target,
                                                   relay::TransportUser* user) {
  auto pipe = std::make_shared<Pipe>(world_);
  auto mine = std::make_unique<Stream>(world_, pipe, 0, user);
  mine->keep_while_open(counted(target.address));
  pipe->tls_fails = tls_fails;
  const auto listener = listeners_.find(target.address);
  if (world_->random.chance(stall)) return mine;  // no answer, ever: the user's deadline ends it
  const bool refused = listener == listeners_.end() || world_->random.chance(refuse);
  if (refused) {
    pipe->later(world_->between(1us, 30ms), [](Pipe* p) { p->break_now(); });
    return mine;
  }
  pipe->later(world_->between(1us, 30ms),
              [world = world_, accept = listener->second, source = target.source_address](Pipe* p) {
                if (!p->ends[0].open) return;
                accept(std::make_unique<Stream>(world, p->shared_from_this(), 1, nullptr), source);
                if (p->ends[0].user != nullptr) p->ends[0].user->on_connected();
              });
  if (world_->random.chance(breaks)) pipe->later(world_->between(1ms, 2s), [](Pipe* p) { p->break_now(); });
  return mine;
}

}  // namespace sim
