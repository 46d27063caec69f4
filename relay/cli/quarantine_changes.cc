// Changing the ledger: each change is a batch that `undo` takes back.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "relay/cli/cli.h"
#include "relay/cli/daemon_call.h"
#include "relay/cli/quarantine_work.h"
#include "relay/cli/queue_view.h"
#include "relay/cli/time_words.h"

namespace relay::cli {

namespace {

using bounce::AddressStatus;
using bounce::BatchDone;
using nlohmann::json;

constexpr size_t kExamples = 10;
constexpr size_t kReadOctets = 65'536;

unsigned long long number(uint64_t value) { return value; }

int print_done(conf::Result<BatchDone> done, const QuarantineOptions& options, const char* what) {
  if (!done.ok()) return failed(done.error());
  if (options.as_json) {
    print_json({{"batch", done->batch},
                {"changed", done->changed},
                {"left", done->left},
                {"problems", done->problems}});
  } else if (done->decided && done->changed == 0) {
    std::printf(
        "%s: no address was moved, %llu held errors; take it back with: penstock quarantine undo %llu\n",
        what, number(done->left), number(done->batch));
  } else if (done->batch != 0) {
    std::printf("%llu %s %s, %llu left as they were; take it back with: penstock quarantine undo %llu\n",
                number(done->changed), done->changed == 1 ? "address" : "addresses", what, number(done->left),
                number(done->batch));
  } else if (done->problems.empty()) {
    std::printf("nothing was changed, %llu are as wanted already\n", number(done->left));
  }
  for (const std::string& problem : done->problems)
    std::fprintf(stderr, "penstock: %s\n", printable(problem).c_str());
  return done->problems.empty() ? kDone : kFailed;
}

// The count and ten examples. Nothing: the ledger could not be read.
std::optional<uint64_t> print_meant(bounce::LedgerDesk* desk, const bounce::AddressFilter& filter) {
  const conf::Result<uint64_t> count = desk->count(filter);
  if (!count.ok()) {
    failed(count.error());
    return std::nullopt;
  }
  std::printf("%llu addresses are meant%s\n", number(count.value()), count.value() > 0 ? ", such as" : "");
  size_t left = kExamples;
  const conf::Status status = desk->each(filter, [&left](const bounce::AddressRow& row) {
    std::printf("  %s\n", row_line(row).c_str());
    return --left > 0;
  });
  if (!status.ok()) {
    failed(status.error());
    return std::nullopt;
  }
  return count.value();
}

// Not so: a pipe, a terminal.
bool is_at_hand(std::FILE* file) {
  struct stat kind {};
  if (::fstat(fileno(file), &kind) != 0) return true;
  return !S_ISFIFO(kind.st_mode) && !S_ISSOCK(kind.st_mode) && !S_ISCHR(kind.st_mode);
}

// All that a pipe or a terminal brings. The ledger is locked while an import is under way, so that nothing
// else is written: whoever is slow is waited for before that. Closes the pipe. Null: see errno.
std::FILE* kept(std::FILE* pipe) {
  std::FILE* copy = std::tmpfile();
  std::string piece(kReadOctets, '\0');
  size_t count = 0;
  while (copy != nullptr && (count = std::fread(piece.data(), 1, piece.size(), pipe)) != 0) {
    if (std::fwrite(piece.data(), 1, count, copy) == count && std::fflush(copy) == 0) continue;
    std::fclose(copy);
    copy = nullptr;
  }
  if (copy != nullptr && std::ferror(pipe) != 0) {
    std::fclose(copy);
    copy = nullptr;
  }
  const int why = errno;
  if (pipe != stdin) std::fclose(pipe);
  errno = why;
  if (copy != nullptr) std::rewind(copy);
  return copy;
}

int decide_wave(const OpenLedger& open, const QuarantineOptions& options, uint64_t wave, bool was_outage) {
  bounce::LedgerDesk desk = open.desk();
  auto waves = open.ledger->waves();
  if (!waves.ok()) return failed(waves.error());
  if (std::ranges::find(waves.value(), wave, &bounce::Wave::id) == waves->end())
    return failed({conf::ErrorCode::kNotFound,
                   "there is no wave " + std::to_string(wave) + "; see penstock quarantine waves"});
  auto held = desk.held(wave, UINT32_MAX);
  if (!held.ok()) return failed(held.error());
  std::printf("wave %llu holds %zu errors back\n", number(wave), held->size());
  for (size_t i = 0; i < held->size() && i < kExamples; ++i)
    std::printf("  %s  %s  %s\n", moment_text((*held)[i].at).c_str(), printable((*held)[i].address).c_str(),
                printable((*held)[i].text).c_str());
  if (!options.yes) {
    std::printf("%s; do it with --yes\n",
                was_outage ? "--release says that it was an outage: these errors are forgotten"
                           : "--confirm says that they are true: these addresses go into quarantine");
    return kDone;
  }
  return print_done(desk.decide(wave, was_outage), options, was_outage ? "released" : "quarantined");
}

}  // namespace

int quarantine_waves(const Invocation& invocation, const QuarantineOptions& options) {
  int exit_code = kDone;
  const std::optional<OpenLedger> open = open_ledger(invocation, options.ledger, false, &exit_code);
  if (!open) return exit_code;
  if (options.release_wave != 0) return decide_wave(*open, options, options.release_wave, true);
  if (options.confirm_wave != 0) return decide_wave(*open, options, options.confirm_wave, false);
  auto waves = open->ledger->waves();
  if (!waves.ok()) return failed(waves.error());
  json shown = json::array();
  for (const bounce::Wave& wave : waves.value()) {
    if (options.as_json) {
      shown.push_back({{"wave", wave.id},
                       {"site", wave.site},
                       {"state", to_text(wave.state)},
                       {"began", moment_text(wave.began)},
                       {"last", moment_text(wave.last)},
                       {"refusals", wave.refusals},
                       {"why", wave.why}});
      continue;
    }
    std::printf("wave %llu  %s  %s  since %s, last %s, %llu refusals: %s\n", number(wave.id),
                to_text(wave.state), printable(wave.site).c_str(), moment_text(wave.began).c_str(),
                moment_text(wave.last).c_str(), number(wave.refusals), printable(wave.why).c_str());
  }
  if (options.as_json) {
    print_json({{"waves", std::move(shown)}});
  } else if (waves->empty()) {
    std::puts("there was no wave");
  }
  return kDone;
}

int quarantine_add(const Invocation& invocation, const QuarantineOptions& options) {
  std::optional<AddressStatus> status = AddressStatus::kQuarantine;
  std::optional<uint8_t> reason;
  if (!read_status(options.status, &status) || !read_reason(options.reason, &reason)) return kUsage;
  int exit_code = kDone;
  const std::optional<OpenLedger> open = open_ledger(invocation, options.ledger, true, &exit_code);
  if (!open) return exit_code;
  return print_done(open->desk().set(options.addresses, options.list.value_or(""), *status,
                                     reason.value_or(0), options.text),
                    options, to_text(*status));
}

int quarantine_remove(const Invocation& invocation, const QuarantineOptions& options) {
  int exit_code = kDone;
  const std::optional<OpenLedger> open = open_ledger(invocation, options.ledger, false, &exit_code);
  if (!open) return exit_code;
  return print_done(open->desk().remove(options.addresses, options.list), options, "removed");
}

int quarantine_import(const Invocation& invocation, const QuarantineOptions& options) {
  std::optional<AddressStatus> status = AddressStatus::kQuarantine;
  if (!read_status(options.status, &status)) return kUsage;
  std::FILE* file = options.file == "-" ? stdin : std::fopen(options.file.c_str(), "rbe");
  if (file == nullptr) return failed({conf::ErrorCode::kNotFound, "cannot read " + options.file});
  if (!is_at_hand(file)) {
    file = kept(file);
    if (file == nullptr)
      return failed({conf::ErrorCode::kIo, std::string("what ") + options.file +
                                               " brings cannot be kept in a temporary file (" +
                                               std::strerror(errno) + "); make room there, or name a file"});
  }
  int exit_code = kDone;
  const std::optional<OpenLedger> open = open_ledger(invocation, options.ledger, true, &exit_code);
  if (open) {
    const auto read = [file] {
      std::string bytes(kReadOctets, '\0');
      bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
      return bytes;
    };
    exit_code = print_done(open->desk().import(read, *status, options.list.value_or("")), options, "set");
    if (std::ferror(file) != 0)
      exit_code = failed({conf::ErrorCode::kIo, "cannot read all of " + options.file +
                                                    ": it is a folder, or its disk fails; import it again"});
  }
  if (file != stdin) std::fclose(file);
  return exit_code;
}

int quarantine_release(const Invocation& invocation, const QuarantineOptions& options) {
  int exit_code = kDone;
  const std::optional<OpenLedger> open = open_ledger(invocation, options.ledger, false, &exit_code);
  if (!open) return exit_code;
  std::optional<bounce::AddressFilter> filter = filter_of(options, open->now);
  if (!filter) return kUsage;
  if (filter->empty() && !options.all) {
    std::fprintf(stderr,
                 "penstock: say which addresses, by --since, --domain, --site, --reason, --text or "
                 "--rule; or --all\n");
    return kUsage;
  }
  if (!filter->status) filter->status = AddressStatus::kQuarantine;
  if (filter->until == conf::WallTime{}) filter->until = open->now;  // the deed is about what was counted
  bounce::LedgerDesk desk = open->desk();
  if (!options.as_json || !options.yes) {
    const std::optional<uint64_t> count = print_meant(&desk, *filter);
    if (!count) return kFailed;
    if (*count == 0) return kDone;
  }
  if (!options.yes) {
    std::puts("nothing was changed; release them with --yes");
    return kDone;
  }
  return print_done(desk.release(*filter), options, "released");
}

int quarantine_undo(const Invocation& invocation, const QuarantineOptions& options) {
  int exit_code = kDone;
  const std::optional<OpenLedger> open = open_ledger(invocation, options.ledger, false, &exit_code);
  if (!open) return exit_code;
  return print_done(open->desk().undo(options.batch), options, "put back");
}

}  // namespace relay::cli
