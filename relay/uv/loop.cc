#include "relay/uv/loop.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "conf/vocab/check.h"
#include "relay/uv/loop_state.h"
#include "relay/uv/stream.h"

namespace relay::uv {

namespace {

constexpr uint64_t kAcceptAgainMs = 100;
// libuv reads up to 32 of these from one stream before it looks at the next: small, so that nobody waits
// long.
constexpr size_t kReadBufferOctets = 32 * 1024;

Loop::State* state_of(const void* handle) {
  return static_cast<Loop::State*>(static_cast<const uv_handle_t*>(handle)->data);
}

template <typename Handle>
uv_handle_t* as_handle(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

}  // namespace

void Loop::State::run_posted() {
  std::vector<std::function<void()>> work;
  {
    const std::lock_guard lock(mutex);
    work.swap(posted);
    woken = false;
  }
  for (const std::function<void()>& each : work) each();
  stirred = true;
}

void Loop::State::tell_news() {
  while (!news.empty()) {
    std::vector<Stream*> with_news;
    with_news.swap(news);
    for (Stream* stream : with_news) stream->tell_news();
    stirred = true;
  }
}

void Loop::State::fire_deadlines() {
  const conf::Instant now = clock.now();
  while (Deadline* deadline = deadlines.pop(now)) {
    static_cast<Stream*>(deadline->owner)->deadline_came();
    stirred = true;
  }
}

void Loop::State::arm_deadline_timer() {
  const conf::Instant next = deadlines.next();
  if (next == deadline_timer_at) return;
  deadline_timer_at = next;
  if (next == conf::kNever) {
    uv_timer_stop(&deadline_timer);
    return;
  }
  uv_update_time(&uv);
  uv_timer_start(
      &deadline_timer,
      [](uv_timer_t* handle) {
        Loop::State* state = state_of(handle);
        state->deadline_timer_at = conf::kNever;
        state->fire_deadlines();
      },
      millis_until(next, clock.now()), 0);
}

// The kernel gives the lowest free number: what it would give next tells how many are in use.
bool Loop::State::short_of_descriptors(int any_descriptor) const {
  const int next = fcntl(any_descriptor, F_DUPFD_CLOEXEC, 0);
  if (next < 0) return true;
  ::close(next);
  return next >= descriptor_ceiling;
}

void Loop::State::hold_back(HeldBack* listener) {
  held_back.push_back(listener);
  if (held_back.size() > 1) return;
  uv_timer_start(
      &accept_timer,
      [](uv_timer_t* handle) {
        State* state = state_of(handle);
        const std::vector<HeldBack*> waiting = std::exchange(state->held_back, {});
        for (HeldBack* each : waiting) each->try_again();
        state->stirred = true;
      },
      kAcceptAgainMs, 0);
}

bool Loop::State::may_work(size_t work) {
  if (work_left == 0) return false;
  work_left -= std::min(work_left, work);
  return true;
}

void Loop::State::wait_for(Turn* turn) {
  turns.add(turn);
  uv_idle_start(&idle, [](uv_idle_t*) {});
}

void Loop::State::give_turns() {
  work_left = round_work;
  while (work_left > 0) {
    const Turn* turn = turns.next();
    if (turn == nullptr) break;
    static_cast<Stream*>(turn->owner)->turn_came();
    stirred = true;
  }
  if (turns.empty()) uv_idle_stop(&idle);
}

void Loop::State::close_finished(const std::string& network) {
  for (Stream* stream : std::set<Stream*>(finished)) {
    if (network.empty() || stream->turn.party == network) stream->close();
  }
}

void Loop::State::end_of_round() {
  tell_news();
  while (stirred) {
    stirred = false;
    if (round_handler) round_handler();
    tell_news();
  }
  arm_deadline_timer();
}

Loop::Loop() : state_(std::make_unique<State>()) {
  State* state = state_.get();
  CHECK(uv_loop_init(&state->uv) == 0);
  state->read_buffer.resize(kReadBufferOctets);
  uv_async_init(&state->uv, &state->async, [](uv_async_t* handle) { state_of(handle)->run_posted(); });
  uv_timer_init(&state->uv, &state->timer);
  uv_timer_init(&state->uv, &state->deadline_timer);
  uv_timer_init(&state->uv, &state->accept_timer);
  state->accept_timer.data = state;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) keep_descriptors(static_cast<uint32_t>(limit.rlim_cur / 8));
  uv_idle_init(&state->uv, &state->idle);
  uv_prepare_init(&state->uv, &state->prepare);
  uv_check_init(&state->uv, &state->check);
  state->async.data = state->timer.data = state->deadline_timer.data = state->idle.data =
      state->prepare.data = state->check.data = state;
  // Timers run before the poll, streams after it: a round ends at either place when anything happened.
  uv_prepare_start(&state->prepare, [](uv_prepare_t* handle) {
    state_of(handle)->give_turns();
    state_of(handle)->end_of_round();
  });
  uv_check_start(&state->check, [](uv_check_t* handle) {
    state_of(handle)->stirred = true;
    state_of(handle)->end_of_round();
  });
}

Loop::~Loop() {
  uv_walk(
      &state_->uv,
      [](uv_handle_t* handle, void*) {
        if (uv_is_closing(handle) != 0) return;
        if (handle->type == UV_TCP) {
          static_cast<Handle*>(handle->data)->close();
        } else {
          uv_close(handle, nullptr);
        }
      },
      nullptr);
  while (uv_run(&state_->uv, UV_RUN_NOWAIT) != 0) {
  }
  CHECK(uv_loop_close(&state_->uv) == 0);
}

void Loop::run() { uv_run(&state_->uv, UV_RUN_DEFAULT); }

void Loop::stop() {
  post([this] { uv_stop(&state_->uv); });
}

void Loop::post(std::function<void()> work) {
  bool wake = false;
  {
    const std::lock_guard lock(state_->mutex);
    state_->posted.push_back(std::move(work));
    wake = !std::exchange(state_->woken, true);
  }
  if (wake) uv_async_send(&state_->async);
}

void Loop::set_timer(conf::Instant when) {
  if (when == state_->timer_at) return;
  state_->timer_at = when;
  if (when == conf::kNever) {
    uv_timer_stop(&state_->timer);
    return;
  }
  uv_update_time(&state_->uv);
  uv_timer_start(
      &state_->timer,
      [](uv_timer_t* handle) {
        State* state = state_of(handle);
        state->timer_at = conf::kNever;
        state->stirred = true;
        if (state->timer_handler) state->timer_handler(state->clock.now());
      },
      millis_until(when, state_->clock.now()), 0);
}

void Loop::on_timer(std::function<void(conf::Instant)> handler) {
  state_->timer_handler = std::move(handler);
}
void Loop::on_round(std::function<void()> handler) { state_->round_handler = std::move(handler); }

void Loop::on_signal(int number, std::function<void()> handler) {
  std::unique_ptr<uv_signal_t>& signal = state_->signals[number];
  if (signal == nullptr) {
    signal = std::make_unique<uv_signal_t>();
    uv_signal_init(&state_->uv, signal.get());
    signal->data = state_.get();
  }
  state_->signal_handlers[number] = std::move(handler);
  uv_signal_start(
      signal.get(),
      [](uv_signal_t* handle, int which) {
        State* state = state_of(handle);
        state->stirred = true;
        state->signal_handlers.at(which)();
      },
      number);
}

void Loop::keep_descriptors(uint32_t count) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= INT_MAX) return;
  state_->descriptor_ceiling = std::max(static_cast<int>(limit.rlim_cur) - static_cast<int>(count), 0);
}

conf::Instant Loop::now() const { return state_->clock.now(); }

}  // namespace relay::uv
