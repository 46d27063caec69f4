// Lines are made on the caller's thread, straight into the waiting block: 0.2 us a line (measured, 520
// bytes). Copying the event with its dozen strings for the writer to format would cost a quarter of that
// here, and all of it again there, with the strings freed on the other thread. The writer takes whole blocks.
#include "relay/log/delivery_log.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "conf/standard_error.h"
#include "relay/log/event_json.h"
#include "relay/log/gap_mark.h"
#include "relay/log/log_file.h"

namespace relay::log {
namespace {

using std::chrono::steady_clock;

constexpr size_t kBlockBytes = 256 * 1024;         // one write, and the grain in which events are lost
constexpr size_t kBufferBytes = 64 * 1024 * 1024;  // the bound that delivery_log.h promises
constexpr auto kGather =
    std::chrono::milliseconds(2);  // after a write: what comes meanwhile goes in one batch
constexpr auto kPauseAfterError = std::chrono::seconds(1);
constexpr auto kStopLimit = std::chrono::seconds(5);
constexpr auto kNoteEvery = std::chrono::minutes(1);

struct Block {
  std::string lines;
  uint64_t events = 0;
};

using Lock = std::unique_lock<std::mutex>;

// Shared by the log and its thread: a thread that hangs in a write at the end is left behind and must not
// touch freed memory.
struct State {
  explicit State(const conf::LogSettings& settings) : file(settings) {}
  void run();
  bool write_what_waits(Lock* lock);
  bool write_gap(Lock* lock);
  bool write_front(Lock* lock);
  void count_failure(const conf::Error& why);
  void give_up_front();
  uint64_t through() const;
  void tell();

  mutable std::mutex mutex;
  std::condition_variable work;      // to the writer
  std::condition_variable finished;  // from the writer, at its end
  // Under `mutex`:
  std::deque<Block> blocks;     // oldest first, without the one that is being written
  size_t buffered_bytes = 0;    // with the one that is being written
  uint64_t waiting_events = 0;  // in `blocks`: the youngest ones, without a hole
  uint64_t next_sequence = 1;
  uint64_t unsaid_lost = 0;    // begins with what a kill made an earlier run forget
  uint64_t being_written = 0;  // sequence of the first event of the block that is being written; 0: none
  bool asleep = false, stopping = false, done = false, reopen = false;
  LogCounters counters;
  steady_clock::time_point stop_by{};
  // The writer's own:
  LogFile file;
  std::optional<GapMark> mark;  // there once the log could be opened
  steady_clock::time_point last_note{};

  std::mutex wake_mutex;  // held while `wake` runs: it never runs after the log is gone
  std::function<void()> wake;
};

uint64_t State::through() const {
  return being_written != 0 ? being_written - 1 : next_sequence - 1 - waiting_events;
}

void State::give_up_front() {
  const Block& oldest = blocks.front();
  buffered_bytes -= oldest.lines.size();
  waiting_events -= oldest.events;
  unsaid_lost += oldest.events;
  counters.lost += oldest.events;
  blocks.pop_front();
}

void State::count_failure(const conf::Error& why) {
  ++counters.write_errors;
  const auto now = steady_clock::now();
  if (last_note != steady_clock::time_point{} && now - last_note < kNoteEvery) return;
  last_note = now;
  conf::say(why.detail + "; " + std::to_string(waiting_events) + " events wait, " +
            std::to_string(counters.lost) + " are lost so far");
}

bool State::write_gap(Lock* lock) {
  const uint64_t lost = unsaid_lost;
  std::string line = "{\"event\":\"log_gap\",\"lost\":";
  append_json_number(lost, &line);
  line += "}\n";
  conf::Error why;
  lock->unlock();
  const size_t written = file.append(line, &why);
  lock->lock();
  if (written != line.size()) {
    count_failure(why);
    return false;
  }
  counters.bytes += written;
  unsaid_lost -= lost;
  return true;
}

bool State::write_front(Lock* lock) {
  being_written = next_sequence - waiting_events;
  Block block = std::move(blocks.front());
  blocks.pop_front();
  waiting_events -= block.events;
  const uint64_t lost_before = counters.lost;
  conf::Error why;
  lock->unlock();
  const size_t written = file.append(block.lines, &why);
  const bool whole = written == block.lines.size();
  if (!whole) {
    block.lines.erase(0, written);
    block.events = static_cast<uint64_t>(std::count(block.lines.begin(), block.lines.end(), '\n'));
  }
  lock->lock();
  being_written = 0;
  buffered_bytes -= written;
  counters.bytes += written;
  counters.rotations = file.rotations();
  if (whole) return true;
  waiting_events += block.events;
  blocks.push_front(std::move(block));
  // Younger ones were given up meanwhile: what is left of this block goes too, so that there is one gap, at
  // one place.
  if (counters.lost != lost_before) give_up_front();
  count_failure(why);
  return false;
}

// False: the system refuses; try again after a pause.
bool State::write_what_waits(Lock* lock) {
  while (!blocks.empty() || unsaid_lost != 0) {
    const bool good = unsaid_lost != 0 ? write_gap(lock) : write_front(lock);
    lock->unlock();
    tell();
    lock->lock();
    if (!good) return false;
    if (reopen) return true;
  }
  return true;
}

void State::tell() {
  const std::lock_guard<std::mutex> guard(wake_mutex);
  if (wake) wake();
}

void State::run() {
  Lock lock(mutex);
  while (true) {
    if (reopen) {
      reopen = false;
      lock.unlock();
      conf::Status opened = file.open();
      lock.lock();
      if (!opened.ok()) count_failure(opened.error());
    }
    const bool good = write_what_waits(&lock);
    if (!good || (blocks.empty() && unsaid_lost == 0)) {
      const uint64_t missing = good ? 0 : waiting_events + unsaid_lost;
      lock.unlock();  // the disk may hang
      mark->put(missing);
      lock.lock();
    }
    const bool empty = blocks.empty() && unsaid_lost == 0;
    if (stopping && (empty || steady_clock::now() >= stop_by)) break;
    if (!good) {
      const auto pause = stopping ? std::chrono::milliseconds(100) : kPauseAfterError;
      work.wait_for(lock, pause, [this, was = stopping] { return reopen || stopping != was; });
      continue;
    }
    work.wait_for(lock, kGather, [this] { return reopen || stopping; });
    if (!blocks.empty() || unsaid_lost != 0) continue;
    asleep = true;
    work.wait(lock, [this] { return reopen || stopping || !blocks.empty(); });
    asleep = false;
  }
  done = true;
  finished.notify_all();
}

}  // namespace

class DeliveryLog::Writer {
 public:
  explicit Writer(const conf::LogSettings& settings)
      : path_(settings.path), state_(std::make_shared<State>(settings)) {}
  ~Writer();
  conf::Status start();
  uint64_t append(const conf::DeliveryEvent& event);
  State& state() { return *state_; }

 private:
  const std::string path_;
  std::shared_ptr<State> state_;
  std::thread thread_;
};

conf::Status DeliveryLog::Writer::start() {
  if (conf::Status opened = state_->file.open(); !opened.ok()) return opened;
  state_->mark.emplace(path_);
  state_->unsaid_lost = state_->mark->left();
  thread_ = std::thread([state = state_] { state->run(); });
  return conf::success();
}

DeliveryLog::Writer::~Writer() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> guard(state_->wake_mutex);
    state_->wake = nullptr;
  }
  Lock lock(state_->mutex);
  state_->stopping = true;
  state_->stop_by = steady_clock::now() + kStopLimit;
  state_->work.notify_one();
  const bool done =
      state_->finished.wait_until(lock, state_->stop_by + kPauseAfterError, [this] { return state_->done; });
  const uint64_t left = state_->next_sequence - 1 - state_->through();
  lock.unlock();
  if (left != 0) {
    conf::say("delivery log: " + std::to_string(left) + " events could not be written before the end");
  }
  if (done) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

uint64_t DeliveryLog::Writer::append(const conf::DeliveryEvent& event) {
  State& state = *state_;
  Lock lock(state.mutex);
  if (state.blocks.empty() || state.blocks.back().lines.size() >= kBlockBytes) state.blocks.emplace_back();
  Block& block = state.blocks.back();
  const size_t before = block.lines.size();
  append_json(event, &block.lines);
  block.lines.push_back('\n');
  ++block.events;
  ++state.waiting_events;
  ++state.counters.events;
  state.buffered_bytes += block.lines.size() - before;
  const uint64_t sequence = state.next_sequence++;
  while (state.buffered_bytes > kBufferBytes && state.blocks.size() > 1) state.give_up_front();
  const bool wake = std::exchange(state.asleep, false);
  lock.unlock();
  if (wake) state.work.notify_one();
  return sequence;
}

conf::Result<std::unique_ptr<DeliveryLog>> DeliveryLog::open(const conf::LogSettings& settings) {
  auto writer = std::make_unique<Writer>(settings);
  if (conf::Status started = writer->start(); !started.ok()) return started.error();
  return std::unique_ptr<DeliveryLog>(new DeliveryLog(std::move(writer)));
}

DeliveryLog::DeliveryLog(std::unique_ptr<Writer> writer) : writer_(std::move(writer)) {}
DeliveryLog::~DeliveryLog() = default;

uint64_t DeliveryLog::append(const conf::DeliveryEvent& event) { return writer_->append(event); }

void DeliveryLog::take(uint64_t sequence, const conf::DeliveryEvent& event) {
  const uint64_t own = append(event);
  offset_.store(sequence - own, std::memory_order_relaxed);
}

uint64_t DeliveryLog::written_through() const {
  const Lock lock(writer_->state().mutex);
  return writer_->state().through();
}

void DeliveryLog::on_written(std::function<void()> wake) {
  const std::lock_guard<std::mutex> guard(writer_->state().wake_mutex);
  writer_->state().wake = std::move(wake);
}

void DeliveryLog::reopen() {
  {
    const Lock lock(writer_->state().mutex);
    writer_->state().reopen = true;
  }
  writer_->state().work.notify_one();
}

LogCounters DeliveryLog::counters() const {
  const Lock lock(writer_->state().mutex);
  return writer_->state().counters;
}

}  // namespace relay::log
