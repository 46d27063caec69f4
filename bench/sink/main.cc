// penstock-sink: an SMTP receiver that takes everything, counts it and throws it away.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <map>

#include "bench/sink/server.h"

namespace {

volatile std::sig_atomic_t stop_requested = 0;
extern "C" void request_stop(int) { stop_requested = 1; }

void add_options(CLI::App* app, bench::SinkOptions* options) {
  app->add_option("--listen", options->listen, "HOST:PORT to listen on; may be given many times")->required();
  app->add_option("--hostname", options->hostname, "name in the greeting");
  app->add_option("--ids", options->ids_path, "append the X-Load-Id of each message taken, before its 250");
  app->add_option("--count-file", options->count_path, "file that holds the number of messages taken so far");
  app->add_option("--fail-rate", options->fail_rate, "share to refuse, 0 to 1")->check(CLI::Range(0.0, 1.0));
  app->add_option("--fail-code", options->fail_code, "reply code of a refusal")->check(CLI::Range(400, 599));
  const std::map<std::string, bench::FailAt> stages = {
      {"mail", bench::FailAt::kMail}, {"rcpt", bench::FailAt::kRcpt}, {"dot", bench::FailAt::kDot}};
  app->add_option("--fail-at", options->fail_at, "what is refused: mail, rcpt (default) or dot")
      ->transform(CLI::CheckedTransformer(stages));
  app->add_option("--delay-ms", options->delay_ms, "delay of the 250 of a message");
  app->add_option("--max-connections", options->max_connections, "421 beyond this many");
  app->add_option("--max-size", options->max_size_bytes, "SIZE limit in bytes; 552 beyond");
  app->add_option("--seed", options->seed, "seed of the refusals");
  app->add_flag("!--no-pipelining", options->pipelining, "do not offer PIPELINING");
  app->add_flag("!--no-chunking", options->chunking, "do not offer CHUNKING");
  app->add_flag("--json", options->json, "print the summary as one line of JSON");
  app->add_flag("--quiet", options->quiet, "print nothing");
}

void print_summary(const bench::SinkOptions& options, const bench::Tally& tally) {
  if (options.json) {
    fmt::print(
        R"({{"messages":{},"recipients":{},"bytes":{},"refused":{},"connections":{},"max_concurrent":{},)"
        R"("turned_away":{},"protocol_errors":{}}})"
        "\n",
        tally.messages, tally.recipients, tally.bytes, tally.refused, tally.connections, tally.max_open,
        tally.turned_away, tally.protocol_errors);
  } else if (!options.quiet) {
    fmt::print(
        "penstock-sink: {} messages, {} recipients, {} bytes, {} refused, {} connections, at most {} at "
        "once, "
        "{} turned away, {} protocol errors\n",
        tally.messages, tally.recipients, tally.bytes, tally.refused, tally.connections, tally.max_open,
        tally.turned_away, tally.protocol_errors);
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"penstock-sink: an SMTP receiver for load tests"};
  app.footer("Ends with a summary at SIGTERM or SIGINT.");
  bench::SinkOptions options;
  add_options(&app, &options);
  CLI11_PARSE(app, argc, argv);

  struct sigaction action {};
  action.sa_handler = request_stop;  // without SA_RESTART: epoll_wait must return
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);

  bench::Server server(options);
  const conf::Status started = server.start();
  if (!started) {
    std::fprintf(stderr, "penstock-sink: %s\n", started.error().detail.c_str());
    return 1;
  }
  if (!options.quiet && !options.json) {
    fmt::print("penstock-sink: listening on {} address(es)\n", options.listen.size());
    std::fflush(stdout);
  }
  server.run(&stop_requested);
  print_summary(options, server.tally());
  return 0;
}
