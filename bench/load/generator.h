// The load as a whole: checks what was asked for, runs the workers, shows how far they are, adds up.
#pragma once

#include <csignal>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/load/content.h"
#include "bench/load/options.h"
#include "bench/load/tally.h"
#include "bench/load/worker.h"
#include "bench/net/socket.h"
#include "conf/vocab/result.h"

namespace bench::load {

struct LoadResult {
  Tally tally;
  uint64_t handed_out = 0;  // messages that were begun, or in an open loop were due
  uint64_t unanswered = 0;  // of these, without an answer at the end
  double seconds = 0;
  std::string gave_up;  // why; empty: it did not
  bool stopped = false;

  double rate() const { return seconds > 0 ? static_cast<double>(tally.accepted) / seconds : 0; }
  // Every message that was asked for has its 250.
  bool complete(const LoadOptions& options) const;
};

class Generator {
 public:
  explicit Generator(LoadOptions options);

  // The error is for people, a line for each thing that is wrong.
  conf::Status start();
  // Until every message has an answer, patience is over, or *stop is not 0.
  void run(const volatile std::sig_atomic_t* stop);
  const LoadResult& result() const { return result_; }
  const LoadOptions& options() const { return options_; }

 private:
  void show_progress(uint64_t accepted, uint64_t refused, double rate) const;

  LoadOptions options_;
  SocketAddress address_;
  std::unique_ptr<Content> content_;
  std::unique_ptr<Plan> plan_;
  std::vector<std::unique_ptr<Worker>> workers_;
  LoadResult result_;
};

}  // namespace bench::load
