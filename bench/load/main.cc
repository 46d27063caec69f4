// penstock-load: an SMTP generator.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "bench/load/generator.h"
#include "bench/load/report.h"

namespace {

volatile std::sig_atomic_t stop_requested = 0;
extern "C" void request_stop(int) { stop_requested = 1; }

void add_options(CLI::App* app, bench::LoadOptions* options) {
  app->add_option("--to", options->to, "HOST:PORT of the relay")->required();
  app->add_option("--messages", options->messages, "how many messages")->check(CLI::PositiveNumber);
  app->add_option("--connections", options->connections, "sessions at a time")->check(CLI::PositiveNumber);
  app->add_option("--size", options->size_bytes, "bytes of a message, header included");
  app->add_option("--domains", options->domains,
                  "recipient domains: a comma list, or N for d1.test to dN.test");
  app->add_option("--recipients", options->recipients, "recipients of a message, all in one domain")
      ->check(CLI::PositiveNumber);
  app->add_option("--from", options->from, "reverse-path");
  app->add_option("--rate", options->rate, "messages a second; without it as fast as they are taken")
      ->check(CLI::PositiveNumber);
  app->add_option("--ids", options->ids_path, "append the X-Load-Id of each message that got a 250");
  app->add_flag("--id-times", options->id_times, "with the time of the 250 behind each id, in us since 1970");
  app->add_option("--prefix", options->prefix, "first part of every X-Load-Id");
  app->add_option("--patience", options->patience_s, "seconds without any reply until it gives up");
  app->add_flag("!--no-pipelining", options->pipelining, "one command at a time");
  app->add_flag("--progress", options->progress, "a line a second on standard error");
  app->add_flag("--json", options->json, "the result as one line of JSON");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"penstock-load: an SMTP generator for load tests"};
  app.footer("Exit status: 0 all were accepted, 1 not all, 2 wrong usage.");
  bench::LoadOptions options;
  add_options(&app, &options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  struct sigaction action {};
  action.sa_handler = request_stop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);

  bench::Generator generator(options);
  const conf::Status started = generator.start();
  if (!started) {
    std::fprintf(stderr, "penstock-load: %s\n", started.error().detail.c_str());
    return 2;
  }
  generator.run(&stop_requested);
  const bench::LoadResult& result = generator.result();
  if (options.progress) std::fputs("\n", stderr);
  std::fputs((options.json ? json_report(options, result) : text_report(options, result)).c_str(), stdout);
  return result.accepted == options.messages ? 0 : 1;
}
