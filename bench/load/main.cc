// penstock-load: an SMTP generator.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "bench/load/command_line.h"
#include "bench/load/generator.h"
#include "bench/load/page.h"
#include "bench/load/report.h"

namespace {

volatile std::sig_atomic_t stop_requested = 0;
extern "C" void request_stop(int) { stop_requested = 1; }

// Empty path: nothing to do. False: it failed, and was told.
bool write_file(const std::string& path, const std::string& text) {
  if (path.empty()) return true;
  std::FILE* file = std::fopen(path.c_str(), "w");
  const bool whole = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if ((file == nullptr || std::fclose(file) == 0) && whole) return true;
  std::fprintf(stderr, "penstock-load: %s: %s\n", path.c_str(), std::strerror(errno));
  return false;
}

// A report that cannot be written is better known before the load than after it.
bool can_write(const std::string& path) {
  if (path.empty()) return true;
  std::FILE* file = std::fopen(path.c_str(), "a");
  if (file != nullptr) return std::fclose(file) == 0;
  std::fprintf(stderr, "penstock-load: %s: %s\n", path.c_str(), std::strerror(errno));
  return false;
}

void tell(std::string text) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::fprintf(stderr, "penstock-load: %s\n", text.substr(0, end).c_str());
    text.erase(0, end == std::string::npos ? end : end + 1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  int status = 0;
  const std::optional<bench::load::LoadOptions> asked = bench::load::read_command_line(argc, argv, &status);
  if (!asked) return status;
  if (!can_write(asked->json_path) || !can_write(asked->html_path)) return 2;

  struct sigaction action {};
  action.sa_handler = request_stop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);

  bench::load::Generator generator(*asked);
  const conf::Status started = generator.start();
  if (!started) {
    tell(started.error().detail);
    return 2;
  }
  generator.run(&stop_requested);
  const bench::load::LoadOptions& options = generator.options();
  const bench::load::LoadResult& result = generator.result();
  if (options.progress) std::fputs("\n", stderr);
  const std::string json = json_report(options, result);
  std::fputs((options.json ? json : text_report(options, result)).c_str(), stdout);
  if (!result.gave_up.empty()) tell("gave up: " + result.gave_up);
  const bool written =
      write_file(options.json_path, json) && write_file(options.html_path, html_report(options, result));
  return written && result.complete(options) ? 0 : 1;
}
