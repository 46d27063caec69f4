// What the sub-commands share. Each adds itself to the parser; the one that was named puts its work into
// Invocation::run, which is called after the whole line was understood.
#pragma once

#include <functional>
#include <string>

#include "conf/config.h"

namespace CLI {
class App;
}

namespace relay::cli {

struct Invocation {
  std::string config_path = "/etc/penstock/penstock.toml";
  std::function<int()> run;
};

// `invocation` outlives the parser.
void add_serve_command(CLI::App* parser, Invocation* invocation);
void add_check_command(CLI::App* parser, Invocation* invocation);
void add_reload_command(CLI::App* parser, Invocation* invocation);
void add_config_command(CLI::App* parser, Invocation* invocation);
void add_queue_command(CLI::App* parser, Invocation* invocation);
void add_explain_command(CLI::App* parser, Invocation* invocation);
void add_log_command(CLI::App* parser, Invocation* invocation);
void add_mx_command(CLI::App* parser, Invocation* invocation);
void add_classify_command(CLI::App* parser, Invocation* invocation);
void add_qualify_command(CLI::App* parser, Invocation* invocation);
void add_quarantine_command(CLI::App* parser, Invocation* invocation);
void add_spool_command(CLI::App* parser, Invocation* invocation);
void add_report_command(CLI::App* parser, Invocation* invocation);
void add_hash_password_command(CLI::App* parser, Invocation* invocation);
void add_dkim_command(CLI::App* parser, Invocation* invocation);
void add_dkim_key_commands(CLI::App* dkim, Invocation* invocation);  // keygen and check
void add_parse_bounce_command(CLI::App* parser, Invocation* invocation);
void add_version_command(CLI::App* parser, Invocation* invocation);

// Says on stderr what is wrong; gives `code` back.
int complain(const std::string& what, int code);

// Reads the configuration and prints its problems on stderr; null when it has errors.
conf::ConfigPtr read_config(const std::string& path);

// Only to find the relay that runs and its files: errors of the file are told on stderr and do not matter;
// null when there is no file.
conf::ConfigPtr places_of(const Invocation& invocation);

// Whom a command asks for records in DNS: `given` by its option, else the servers of the configuration; none,
// and hence those of the system, when that names none, is wrong, or is not there.
std::vector<std::string> name_servers(const Invocation& invocation, const std::string& given);

}  // namespace relay::cli
