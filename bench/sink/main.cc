// penstock-sink: an SMTP receiver that takes everything, counts it and throws it away.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>

#include "bench/personality/zone.h"
#include "bench/sink/server.h"
#include "bench/sink/summary.h"

namespace {

volatile std::sig_atomic_t stop_requested = 0;
extern "C" void request_stop(int) { stop_requested = 1; }

void add_options(CLI::App* app, bench::SinkOptions* options) {
  app->add_option("--listen", options->listen, "HOST:PORT to listen on; may be given many times");
  app->add_option("--scenario", options->scenario_path,
                  "play the receivers of FILE; with --listen its first group there");
  app->add_option("--zone", options->zone_path, "write the name-server zone of the scenario to FILE and end");
  app->add_option("--shares", options->shares_path,
                  "write the recipient domains of the scenario and their shares of the mail to FILE and end");
  app->add_option("--time-scale", options->time_scale, "let an hour of the scenario last 1/N hour")
      ->check(CLI::Range(1, 3600));
  app->add_option("--reports-to", options->reports_to,
                  "HOST:PORT that late bounces and complaints are sent to");
  app->add_flag("--reports-anywhere", options->reports_anywhere,
                "also when that is not on the loopback network");
  app->add_option("--report", options->report_path, "write the summary as JSON to FILE at the end");
  app->add_option("--fail-on", options->fail_on,
                  "exit status 3 when any of these happened: broken, lost, duplicated, reordered, protocol")
      ->delimiter(',')
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(bench::kFailOn), std::end(bench::kFailOn))));
  app->add_option("--expect", options->expect, "how many messages should come; less is counted as lost");
  app->add_option("--hostname", options->hostname, "name in the greeting");
  app->add_option("--ids", options->ids_path, "append the X-Load-Id of each message taken, before its 250");
  app->add_flag("--id-times", options->id_times, "with the time of arrival behind each id, in us since 1970");
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

int tell(const std::vector<conf::Problem>& problems) {
  for (const conf::Problem& problem : problems) std::fprintf(stderr, "%s\n", problem.text().c_str());
  return 2;
}

// 0, or the exit status when it cannot be written.
int write_file(const std::string& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  const bool whole = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if ((file == nullptr || std::fclose(file) == 0) && whole) return 0;
  std::fprintf(stderr, "penstock-sink: %s: %s\n", path.c_str(), std::strerror(errno));
  return 1;
}

// Reads what is to be played; 0 or the exit status.
int read_scenario(const bench::SinkOptions& options, bench::Scenario* scenario) {
  if (!options.scenario_path.empty()) {
    bench::ParsedScenario parsed = bench::load_scenario(options.scenario_path);
    if (!parsed.problems.empty()) return tell(parsed.problems);
    *scenario = std::move(parsed.scenario);
    return 0;
  }
  if (!options.listen.empty() && options.zone_path.empty() && options.shares_path.empty()) return 0;
  std::fputs("penstock-sink: --listen or --scenario is needed, and --zone and --shares go with a scenario\n",
             stderr);
  return 2;
}

int serve(const bench::SinkOptions& options, bench::Scenario scenario) {
  bench::Server server(options, std::move(scenario));
  const conf::Status started = server.start();
  if (!started.ok()) {
    std::fprintf(stderr, "penstock-sink: %s\n", started.error().detail.c_str());
    return 1;
  }
  if (!options.quiet && !options.json) {
    fmt::print("penstock-sink: listening on {} address(es)\n", server.addresses());
    std::fflush(stdout);
  }
  const conf::Status served = server.run(&stop_requested);
  if (options.json) {
    std::fputs(bench::json_summary(options, server).c_str(), stdout);
  } else if (!options.quiet) {
    std::fputs(bench::text_summary(options, server).c_str(), stdout);
  }
  std::fflush(stdout);  // before what follows on stderr: both may go to one file
  if (!served.ok()) std::fprintf(stderr, "penstock-sink: %s\n", served.error().detail.c_str());
  int status = served.ok() ? 0 : 1;
  if (!options.report_path.empty() &&
      write_file(options.report_path, bench::json_summary(options, server)) != 0)
    status = 1;
  for (const std::string& failure : bench::failures(options, server)) {
    std::fprintf(stderr, "penstock-sink: --fail-on: %s\n", failure.c_str());
    if (status == 0) status = 3;
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"penstock-sink: an SMTP receiver for load tests"};
  app.footer(
      "Ends with a summary at SIGTERM or SIGINT. Exit status: 0, 1 it could not serve, 2 wrong usage or a "
      "wrong "
      "scenario, 3 something of --fail-on happened.");
  bench::SinkOptions options;
  add_options(&app, &options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  bench::Scenario scenario;
  if (const int status = read_scenario(options, &scenario); status != 0) return status;
  if (!options.zone_path.empty() || !options.shares_path.empty()) {
    int status = 0;
    if (!options.zone_path.empty()) status = write_file(options.zone_path, bench::zone_text(scenario));
    if (status == 0 && !options.shares_path.empty())
      status = write_file(options.shares_path, bench::domain_shares(scenario));
    return status;
  }

  struct sigaction action {};
  action.sa_handler = request_stop;  // without SA_RESTART: epoll_wait must return
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return serve(options, std::move(scenario));
}
