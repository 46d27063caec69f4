#include "conf/config_parser.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "conf/read_file.h"
#include "conf/rules_file.h"
#include "conf/sections.h"
#include "conf/table_reader.h"
#include "conf/toml_root.h"
#include "conf/vocab/address.h"

namespace conf {

namespace {

// Puts the parts together; what concerns two sections at once is checked here.
class ConfigReader {
 public:
  // `may_read`: whether files that the configuration names are read.
  ConfigReader(const toml::table& root, std::string_view text, const std::string& file, bool may_read,
               std::vector<Problem>* problems, std::vector<AskedKey>* asked)
      : text_(text),
        file_(file),
        may_read_(may_read),
        problems_(problems),
        asked_(asked),
        root_(&root, "", file, problems, asked),
        config_(std::make_shared<Config>()) {
    config_->file = file;
  }

  std::shared_ptr<Config> read() {
    read_top();
    read_refusals();
    read_all_returns(&root_, &config_->returns);
    read_listeners();
    read_users();
    read_sources();
    read_streams(&root_, config_.get());
    read_logins();
    read_destinations();
    read_signing();
    read_rules_of_all();
    check_together();
    root_.finish();
    return config_;
  }

 private:
  TableReader section(const char* key) {
    return {root_.table(key), std::string("[") + key + "]", file_, problems_, asked_};
  }
  TableReader element(const char* key, const toml::table* table) {
    return {table, std::string("[[") + key + "]]", file_, problems_, asked_};
  }

  void read_top() {
    if (root_.text("hostname", &config_->hostname)) {
      const Result<Domain> name = Domain::parse(config_->hostname);
      if (!name.ok() || name.value().is_literal()) {
        root_.report("hostname", "\"" + config_->hostname + "\" is not a host name: " +
                                     (name.ok() ? "it is an address" : name.error().detail));
      } else {
        config_->hostname = name.value().text();
      }
    } else if (!root_.has("hostname")) {
      root_.report(
          "hostname",
          "is missing; write the name of this relay as the world knows it: hostname = \"relay.example.com\"");
    }
    root_.text("run_as", &config_->run_as);
    if (root_.text("postmaster", &config_->postmaster)) {
      const Result<Mailbox> mailbox = Mailbox::parse(config_->postmaster);
      if (!mailbox.ok()) root_.report("postmaster", mailbox.error().detail);
    }
    root_.number("max_outbound_connections", &config_->max_outbound_connections, 1, 1'000'000);
    root_.duration("shutdown_deadline", &config_->shutdown_deadline);
    TableReader tls = section("tls");
    tls.text("certificate", &config_->tls_certificate);
    tls.text("key", &config_->tls_key);
    tls.text("ca_file", &config_->tls_ca_file);
    if (config_->tls_certificate.empty() != config_->tls_key.empty()) {
      tls.report(config_->tls_key.empty() ? "certificate" : "key",
                 "certificate and key go together: one is missing");
    }
    tls.finish();
    TableReader backoff = section("backoff");
    backoff.duration("first", &config_->path_backoff_first, Duration(1000));
    backoff.duration("max", &config_->path_backoff_max, Duration(1000));
    backoff.duration("ready_limit", &config_->ready_limit);
    if (config_->path_backoff_first > config_->path_backoff_max)
      backoff.report("first", "is longer than max");
    backoff.finish();
    TableReader dns = section("dns");
    read_dns(&dns, &config_->dns);
    TableReader spool = section("spool");
    read_spool(&spool, &config_->spool);
    TableReader log = section("log");
    read_log(&log, &config_->log, &config_->logged_fields);
    TableReader admin = section("admin");
    admin.text("socket", &config_->admin.socket);
    if (config_->admin.socket.size() > 107)
      admin.report("socket", "is longer than 107 characters: the system takes no more");
    if (!config_->admin.socket.starts_with('/'))
      admin.report("socket", "\"" + config_->admin.socket + "\" is no absolute path");
    admin.finish();
  }

  void read_refusals() {
    TableReader quarantine = section("quarantine");
    read_quarantine(&quarantine, &config_->quarantine);
    TableReader replies = section("replies");
    read_replies(&replies, &config_->replies);
    // Their keys are those of a file of reply rules: who reads such files reads these too.
    const bool own_words = !root_.tables("words").empty();
    if (!root_.tables("reply").empty() || own_words) config_->replies.own_rules = text_;
    TableReader guard = section("outage_guard");
    read_outage_guard(&guard, &config_->outage_guard);
  }

  void read_signing() {
    TableReader dkim = section("dkim");
    read_dkim(&dkim, &config_->dkim);
    for (const toml::table* table : root_.tables("dkim_key")) {
      TableReader reader = element("dkim_key", table);
      DkimKey key;
      key.options = config_->dkim.options;
      read_dkim_key(&reader, &key);
      for (const DkimKey& other : config_->dkim.keys) {
        if (other.domain == key.domain && other.selector == key.selector)
          reader.report("selector", "\"" + key.selector + "\" of " + key.domain + " is there twice");
      }
      config_->dkim.keys.push_back(std::move(key));
    }
    const std::string& fallback = config_->dkim.default_domain;
    const auto is_fallback = [&fallback](const DkimKey& key) { return key.domain == fallback; };
    if (!fallback.empty() && std::ranges::none_of(config_->dkim.keys, is_fallback))
      dkim.report("default_domain", "there is no [[dkim_key]] with domain = \"" + fallback + "\"");
  }

  void read_listeners() {
    std::set<std::string> places;
    for (const toml::table* table : root_.tables("listener")) {
      TableReader reader = element("listener", table);
      Listener listener;
      listener.quarantine = config_->quarantine.action;
      read_listener(&reader, &listener);
      const std::string place = listener.address + ' ' + std::to_string(listener.port);
      if (listener.name.empty()) listener.name = listener.address + ':' + std::to_string(listener.port);
      if (!listener.address.empty() && !places.insert(place).second) {
        reader.report("address", "another listener has it already");
      }
      for (const Listener& other : config_->listeners) {
        if (other.name == listener.name)
          reader.report("name", "\"" + listener.name + "\" is the name of another listener");
      }
      if ((listener.implicit_tls || listener.require_tls) && config_->tls_certificate.empty()) {
        reader.report(listener.implicit_tls ? "implicit_tls" : "require_tls",
                      "needs a certificate: set it in [tls]");
      }
      const bool never_tls = config_->tls_certificate.empty() && !listener.auth_without_tls;
      if (listener.auth && never_tls) {
        reader.report(listener.auth_required ? "auth_required" : "auth",
                      "needs a certificate in [tls], for passwords do not travel in clear text; "
                      "auth_without_tls = true allows it all the same");
      }
      if (listener.role == ListenerRole::kBounce && config_->returns.paths.empty() &&
          config_->returns.feedback.empty())
        reader.report("role", "no mail comes back: there is no [[return_path]] and no [returns] feedback");
      const auto is_all = [](const Network& network) {
        return network.prefix_bits == 0 || (network.prefix_bits == 96 && network.address[10] == 0xff);
      };
      if (std::any_of(listener.relay_from.begin(), listener.relay_from.end(), is_all))
        reader.report("relay_from", "has everyone: this is an open relay unless a firewall stands before it",
                      true);
      auth_wanted_ |= listener.auth;
      if (listener.auth && auth_line_ == 0) auth_line_ = reader.line();
      config_->listeners.push_back(std::move(listener));
    }
    TableReader intake = section("intake");
    read_intake(&intake, config_->listeners, &config_->intake);
    if (!root_.has("listener")) {
      root_.report(nullptr,
                   "no [[listener]]: nothing would ever come in; write\n    [[listener]]\n    address = "
                   "\"127.0.0.1:25\"");
    }
  }

  void read_users() {
    for (const toml::table* table : root_.tables("user")) {
      TableReader reader = element("user", table);
      User user;
      read_user(&reader, &user);
      for (const User& other : config_->users) {
        if (other.name == user.name) reader.report("name", "\"" + user.name + "\" is there twice");
      }
      config_->users.push_back(std::move(user));
    }
    if (auth_wanted_ && config_->users.empty()) {
      problems_->push_back(
          {file_, auth_line_, 1, "[[listener]] auth: nobody could log in: there is no [[user]]", false});
    }
  }

  void read_sources() {
    for (const toml::table* table : root_.tables("source")) {
      TableReader reader = element("source", table);
      Source source;
      source.id = static_cast<uint32_t>(config_->sources.size() + 1);
      read_source(&reader, &source);
      for (const Source& other : config_->sources) {
        if (other.name == source.name)
          reader.report("name", "\"" + source.name + "\" is the name of another source");
        if (other.id == source.id) {
          reader.report("id", std::to_string(source.id) + " is the identifier of source \"" + other.name +
                                  "\" already" +
                                  (reader.has("id") ? "" : " (without id it is the position in the file)"));
        }
      }
      config_->sources.push_back(std::move(source));
    }
    if (config_->sources.empty()) {
      Source source;
      source.name = "default";
      config_->sources.push_back(std::move(source));
    } else if (std::ranges::all_of(config_->sources,
                                   [](const Source& source) { return source.weight == 0; })) {
      root_.report("source", "every source has weight 0: nothing could be sent");
    }
  }

  void read_logins() {
    for (const toml::table* table : root_.tables("login")) {
      TableReader reader = element("login", table);
      Login login;
      read_login(&reader, &login);
      if (config_->login(login.name) != nullptr)
        reader.report("name", "\"" + login.name + "\" is the name of another login");
      config_->logins.push_back(std::move(login));
    }
  }

  void check_login(const std::string& name, const std::string& file, int line, int column) {
    if (!name.empty() && config_->login(name) == nullptr)
      problems_->push_back(
          {file, line, column, "login: there is no [[login]] with name = \"" + name + "\"", false});
  }

  void read_destinations() {
    TableReader defaults = section("defaults");
    read_destination_settings(&defaults, &config_->defaults);
    check_login(config_->defaults.peer.login, file_, defaults.line(), 1);
    for (const ReturnMailbox& mailbox : config_->returns.mailboxes) {
      check_login(mailbox.login, file_, mailbox.line, mailbox.column);
      const Login* login = config_->login(mailbox.login);
      const std::string why = login == nullptr ? "" : why_unfit(mailbox, *login);
      if (!why.empty()) problems_->push_back({file_, mailbox.line, mailbox.column, why, false});
    }
    defaults.finish();
    for (const toml::table* table : root_.tables("destination")) {
      TableReader reader = element("destination", table);
      Destination destination;
      destination.settings = config_->defaults;
      destination.line = reader.line();
      reader.text("name", &destination.name);
      if (reader.texts("domains", &destination.domains)) {
        for (std::string& mask : destination.domains) {
          const Result<Domain> domain = Domain::parse(mask);
          if (mask.find_first_of("*?") == std::string::npos) {
            if (!domain.ok()) {
              reader.report("domains", "\"" + mask + "\": " + domain.error().detail);
            } else {
              mask = domain.value().text();
            }
          }
        }
      }
      if (destination.domains.empty()) {
        reader.report(
            "domains",
            "is missing or empty: which recipient domains is this for? domains = [\"example.com\"]");
      }
      if (destination.name.empty() && !destination.domains.empty())
        destination.name = destination.domains.front();
      read_destination_settings(&reader, &destination.settings);
      check_login(destination.settings.peer.login, file_, destination.line, 1);
      reader.finish();
      for (const Destination& other : config_->destinations) {
        if (other.name == destination.name) {
          reader.report("name", "\"" + destination.name + "\" is the name of another destination");
        }
      }
      config_->destinations.push_back(std::move(destination));
    }
  }

  // The local rules, then the shipped ones.
  void read_rules_of_all() {
    TableReader mx = section("mx");
    mx.text("shipped_rules", &config_->mx.shipped_rules);
    config_->rules = read_rules(&root_, file_);
    for (const MxRule& rule : config_->rules) {
      const RuleField<std::string>& login = rule.fields.login;
      check_login(login.value, rule.file, login.line, login.column);
    }
    const std::string& shipped = config_->mx.shipped_rules;
    std::vector<MxRule> more;
    if (shipped == MxSettings::kBuiltInRules) {
      more = built_in_rules();
    } else if (shipped.empty()) {
      mx.report("shipped_rules", "is empty; write \"built-in\", \"off\" or the path of a file of rules");
    } else if (shipped != MxSettings::kNoRules && may_read_) {
      const Result<std::string> text = read_regular_file(shipped);
      if (text.ok()) {
        more = parse_rules(text.value(), shipped, problems_);
      } else {
        mx.report("shipped_rules", "cannot read " + shipped + ": " + text.error().detail);
      }
    }
    config_->rules.insert(config_->rules.end(), more.begin(), more.end());
    mx.finish();
  }

  void check_together() {
    for (const std::string& name : config_->quarantine.bypass_users) {
      const auto is_named = [&name](const User& user) { return user.name == name; };
      if (std::ranges::none_of(config_->users, is_named))
        section("quarantine").report("bypass_users", "there is no [[user]] with name = \"" + name + "\"");
    }
  }

  const std::string_view text_;
  const std::string file_;
  const bool may_read_;
  std::vector<Problem>* problems_;
  std::vector<AskedKey>* asked_;
  TableReader root_;
  std::shared_ptr<Config> config_;
  bool auth_wanted_ = false;
  int auth_line_ = 0;
};

}  // namespace

std::string Problem::text() const {
  // Without a line it is about the file as a whole.
  const std::string place = line > 0 ? ':' + std::to_string(line) + ':' + std::to_string(column) : "";
  return file + place + ": " + (warning ? "warning: " : "") + message;
}

void sort_problems(const std::string& first, std::vector<Problem>* problems) {
  std::map<std::string, size_t> order = {{first, 0}};
  for (const Problem& problem : *problems) order.emplace(problem.file, order.size());
  std::ranges::stable_sort(*problems, [&order](const Problem& a, const Problem& b) {
    return std::tuple(order[a.file], a.line, a.column) < std::tuple(order[b.file], b.line, b.column);
  });
}

bool has_error(const std::vector<Problem>& problems) {
  return std::ranges::any_of(problems, [](const Problem& problem) { return !problem.warning; });
}

namespace {

ParsedConfig parse(std::string_view text, const std::string& file, bool may_read) {
  ParsedConfig parsed;
  toml::table root;
  if (!parse_toml(text, file, &root, &parsed.problems)) return parsed;
  parsed.draft = ConfigReader(root, text, file, may_read, &parsed.problems, nullptr).read();
  sort_problems(file, &parsed.problems);
  if (!has_error(parsed.problems)) parsed.config = parsed.draft;
  return parsed;
}

}  // namespace

ParsedConfig parse_config(std::string_view text, std::string file_name) {
  return parse(text, file_name, false);
}

std::vector<AskedKey> asked_keys(std::string_view text, const std::string& file_name) {
  std::vector<AskedKey> asked;
  std::vector<Problem> problems;
  toml::table root;
  if (parse_toml(text, file_name, &root, &problems))
    (void)ConfigReader(root, text, file_name, false, &problems, &asked).read();
  return asked;
}

ParsedConfig load_config(const std::string& path) {
  const Result<std::string> text = read_regular_file(path);
  if (text.ok()) return parse(text.value(), path, true);
  return {nullptr, nullptr, {{path, 0, 0, "cannot read the file: " + text.error().detail, false}}};
}

}  // namespace conf
