#include "bench/load/generator.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <thread>

#include "conf/vocab/calendar.h"

namespace bench::load {

bool LoadResult::complete(const LoadOptions& options) const {
  const uint64_t expected = options.duration_s > 0 ? handed_out : options.planned();
  return gave_up.empty() && tally.accepted == expected && (options.duration_s > 0 || !stopped);
}

Generator::Generator(LoadOptions options) : options_(std::move(options)) {}

conf::Status Generator::start() {
  conf::Result<SocketAddress> address = parse_socket_address(options_.to);
  if (!address) return conf::Error{address.error().code, "--to: " + address.error().detail};
  address_ = address.value();
  if (options_.prefix.empty()) options_.prefix = fmt::format("{:x}-{:x}", std::time(nullptr), getpid());
  options_.connections =
      static_cast<uint32_t>(std::clamp<uint64_t>(options_.connections, 1, options_.planned()));
  options_.threads = std::clamp<uint32_t>(options_.threads, 1, options_.connections);
  const conf::Status descriptors = want_descriptors(options_.connections + options_.threads * 2 + 16);
  if (!descriptors) return descriptors;
  conf::Result<std::unique_ptr<Content>> content =
      Content::make(options_, conf::mail_date(conf::SystemClock().wall()));
  if (!content) return content.error();
  content_ = std::move(content).value();
  plan_ = std::make_unique<Plan>(options_);
  for (uint32_t i = 0; i < options_.threads; ++i) {
    const uint32_t share =
        options_.connections / options_.threads + (i < options_.connections % options_.threads ? 1 : 0);
    workers_.push_back(std::make_unique<Worker>(options_, *content_, address_, plan_.get(), share));
    const conf::Status prepared = workers_.back()->prepare();
    if (!prepared) return prepared;
  }
  return conf::success();
}

void Generator::run(const volatile std::sig_atomic_t* stop) {
  std::mutex mutex;
  std::condition_variable changed;
  size_t running = workers_.size();
  const int64_t start = read_clock();
  plan_->begin(start);
  std::vector<std::thread> threads;
  for (const auto& worker : workers_) {
    threads.emplace_back([&, own = worker.get()] {
      own->run(start, stop);
      const std::lock_guard<std::mutex> lock(mutex);
      --running;
      changed.notify_one();
    });
  }
  uint64_t shown = 0;
  int64_t shown_us = start;
  std::unique_lock<std::mutex> lock(mutex);
  while (!changed.wait_for(lock, std::chrono::seconds(1), [&] { return running == 0; })) {
    if (!options_.progress) continue;
    uint64_t accepted = 0;
    uint64_t refused = 0;
    for (const auto& worker : workers_) accepted += worker->accepted_now(), refused += worker->refused_now();
    const int64_t now = read_clock();
    show_progress(accepted, refused,
                  static_cast<double>(accepted - shown) * 1e6 / static_cast<double>(now - shown_us));
    shown = accepted;
    shown_us = now;
  }
  lock.unlock();
  for (std::thread& thread : threads) thread.join();
  int64_t end = start;
  result_.tally.timeline.start(start);
  for (const auto& worker : workers_) {
    result_.tally.merge(worker->tally());
    result_.unanswered += worker->unanswered();
    if (!worker->gave_up().empty()) result_.gave_up = worker->gave_up();
    end = std::max(end, worker->ended_us());
  }
  result_.unanswered += plan_->give_up_due(end);
  result_.handed_out = plan_->handed_out();
  result_.stopped = *stop != 0;
  result_.seconds = static_cast<double>(end - start) / 1e6;
}

void Generator::show_progress(uint64_t accepted, uint64_t refused, double rate) const {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const std::string of = options_.planned() == UINT64_MAX ? "" : fmt::format(" of {}", options_.planned());
  fmt::print(stderr, "{}accepted {}{}, refused {}, {:.0f}/s{}", terminal ? "\r" : "", accepted, of, refused,
             rate, terminal ? "   " : "\n");
}

}  // namespace bench::load
