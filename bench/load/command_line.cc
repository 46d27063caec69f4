#include "bench/load/command_line.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>

namespace bench::load {
namespace {

struct Raw {
  bool starttls = false;
  bool implicit_tls = false;
  std::string password_path;
};

void add_load_options(CLI::App* app, LoadOptions* options) {
  app->add_option("--to", options->to, "HOST:PORT of the relay; a numeric address or localhost")->required();
  app->add_option("--messages", options->messages, "how many messages; 1000, or without end with --duration")
      ->check(CLI::PositiveNumber);
  app->add_option("--duration", options->duration_s, "seconds; then no new message is begun")
      ->check(CLI::PositiveNumber);
  app->add_option("--rate", options->rate,
                  "open loop: messages a second, due whether the relay keeps up or not; without it a session "
                  "sends when it has its answer (closed loop)")
      ->check(CLI::PositiveNumber);
  app->add_flag("--poisson", options->poisson,
                "with --rate: gaps at random, as independent senders make them");
  app->add_option("--connections", options->connections, "sessions at a time (10)")
      ->check(CLI::Range(1, 1000000));
  app->add_option("--messages-per-connection", options->per_connection,
                  "then QUIT and connect again; 0: no limit");
  app->add_option("--threads", options->threads, "threads that share the sessions (1)")
      ->check(CLI::Range(1, 256));
  app->add_option("--patience", options->patience_s,
                  "seconds without an answer to any message until it gives up (30)");
  app->add_option("--connect-timeout", options->connect_s,
                  "seconds without any connection at the start until it gives up (5)");
}

void add_message_options(CLI::App* app, LoadOptions* options) {
  app->add_option("--size", options->size,
                  "bytes of a message, header included: 10k, a range 2k-100k, a mix 2k:50,10k:40,100k:10, or "
                  "lognormal:MEDIAN:SIGMA[:LARGEST]");
  app->add_option("--template", options->template_path,
                  "FILE with the message; {recipient} {local} {domain} {from} {number} {id} {date} {random} "
                  "{filler} are filled in");
  CLI::Option* domains = app->add_option("--domains", options->domains,
                                         "recipient domains: a comma list, or N for d1.test to dN.test");
  CLI::Option* zipf =
      app->add_option("--zipf", options->zipf,
                      "the k-th domain gets mail with a weight of 1/k^S; without it all alike")
          ->check(CLI::Range(0.0, 10.0));
  app->add_option(
         "--domain-list", options->domain_list_path,
         "recipient domains from FILE, one a line with its weight behind it, as penstock-sink --shares "
         "writes them")
      ->excludes(domains)
      ->excludes(zipf);
  app->add_option("--recipients", options->recipients, "recipients of a message, all in one domain")
      ->check(CLI::Range(1, 100000));
  app->add_option("--from", options->from, "reverse-path");
  app->add_option("--seed", options->seed, "of everything that is drawn (1)");
  app->add_option("--ids", options->ids_path, "append the X-Load-Id of each message that got a 250");
  app->add_flag("--id-times", options->id_times, "with the time of the 250 behind each id, in us since 1970");
  app->add_option("--prefix", options->prefix, "first part of every X-Load-Id");
}

void add_session_options(CLI::App* app, LoadOptions* options, Raw* raw) {
  app->add_option("--hello", options->hello, "name for EHLO (load.test)");
  CLI::Option* starttls =
      app->add_flag("--starttls", raw->starttls, "TLS by STARTTLS; without it no mail is sent");
  app->add_flag("--tls", raw->implicit_tls, "TLS from the first byte (port 465)")->excludes(starttls);
  app->add_option("--tls-ca", options->tls_ca_path,
                  "verify the certificate with the CAs of FILE; without it anything is taken")
      ->check(CLI::ExistingFile);
  app->add_option("--tls-name", options->tls_name, "name for SNI, and to verify; without it the address");
  app->add_option("--user", options->user, "log in by AUTH");
  app->add_option("--password", options->password, "visible to others in the list of processes");
  app->add_option("--password-file", raw->password_path, "the password is the first line of FILE");
  const std::map<std::string, AuthMechanism> mechanisms = {{"plain", AuthMechanism::kPlain},
                                                           {"login", AuthMechanism::kLogin}};
  app->add_option("--auth", options->auth, "plain (default) or login")
      ->transform(CLI::CheckedTransformer(mechanisms, CLI::ignore_case));
  app->add_flag("!--no-pipelining", options->pipelining, "one command at a time");
  app->add_flag("--chunking", options->chunking, "BDAT instead of DATA where it is offered");
}

void add_report_options(CLI::App* app, LoadOptions* options) {
  app->add_flag("--progress", options->progress, "a line a second on standard error");
  app->add_flag("--json", options->json, "the result as one line of JSON on standard output");
  app->add_option("--json-file", options->json_path, "the result as JSON to FILE");
  app->add_option("--html", options->html_path, "the result as a page with plots to FILE");
}

// What one option alone does not show; empty: all is well.
std::string finish(const Raw& raw, LoadOptions* options) {
  if (raw.starttls) options->tls = TlsMode::kStarttls;
  if (raw.implicit_tls) options->tls = TlsMode::kImplicit;
  if (options->tls == TlsMode::kNone && (!options->tls_ca_path.empty() || !options->tls_name.empty()))
    return "--tls-ca and --tls-name go with --starttls or --tls";
  if (options->tls_name.empty()) options->tls_name = options->to.substr(0, options->to.rfind(':'));
  if (options->poisson && options->rate <= 0) return "--poisson goes with --rate";
  if (options->id_times && options->ids_path.empty()) return "--id-times goes with --ids";
  for (const std::string* text : {&options->from, &options->hello, &options->prefix})
    if (text->find_first_of("\r\n<> ") != std::string::npos)
      return "'" + *text + "': no blanks, brackets or line ends in --from, --hello and --prefix";
  if (!raw.password_path.empty()) {
    std::ifstream file(raw.password_path);
    if (!std::getline(file, options->password))
      return raw.password_path + ": cannot be read or is empty: " + std::strerror(errno);
  }
  if (options->user.empty() != options->password.empty()) return "--user and --password go together";
  return {};
}

}  // namespace

std::optional<LoadOptions> read_command_line(int argc, char** argv, int* status) {
  CLI::App app{"penstock-load: an SMTP generator for load tests"};
  app.footer(
      "Sizes may end in k or m (1,024 and 1,048,576 bytes).\n"
      "Exit status: 0 all were accepted, 1 not all, 2 wrong usage.");
  LoadOptions options;
  Raw raw;
  add_load_options(&app, &options);
  add_message_options(&app, &options);
  add_session_options(&app, &options, &raw);
  add_report_options(&app, &options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    *status = app.exit(error) == 0 ? 0 : 2;
    return std::nullopt;
  }
  const std::string wrong = finish(raw, &options);
  if (wrong.empty()) return options;
  std::fprintf(stderr, "penstock-load: %s\n", wrong.c_str());
  *status = 2;
  return std::nullopt;
}

}  // namespace bench::load
