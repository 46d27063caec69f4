#include "relay/host/fresh_settings.h"

#include <cstdio>
#include <utility>
#include <vector>

#include "conf/standard_error.h"
#include "relay/host/return_keys.h"
#include "relay/host/signing_keys.h"

namespace relay {

FreshSettings read_settings(const std::string& path, const std::function<void(const std::string&)>& say) {
  FreshSettings fresh;
  fresh.words = conf::ConfigWords::load(path);
  fresh.read = load_configuration(path);
  const auto refuse = [&fresh](const std::string& why) {
    fresh.refused = why;
    return std::move(fresh);
  };
  if (fresh.read.config == nullptr) return refuse("the file has errors");
  const conf::Config& config = *fresh.read.config;
  fresh.files = SideFiles::read(config);
  conf::Result<TlsContexts> tls =
      load_tls(config, [&say](const std::string& text) { say("warning: " + text); });
  if (!tls.ok()) return refuse(tls.error().detail);
  fresh.tls = std::move(*tls);
  conf::Result<LoginSecrets::Table> secrets = LoginSecrets::read(config);
  if (!secrets.ok()) return refuse(secrets.error().detail);
  fresh.secrets = std::move(*secrets);
  std::vector<conf::Problem> problems, of_returns;
  fresh.keys = SigningKeys::read(config, &problems);
  for (const conf::Problem& problem : problems) say(problem.text());
  if (fresh.keys == nullptr) return refuse("a DKIM key cannot be used");
  fresh.return_keys = read_return_keys(config, &of_returns);
  for (const conf::Problem& problem : of_returns) say(problem.text());
  if (conf::has_error(of_returns)) return refuse("the keys of [returns] cannot be used");
  return fresh;
}

FreshSettings read_and_tell(const std::string& path) {
  FreshSettings fresh = read_settings(path, conf::say);
  for (const conf::Problem& problem : fresh.read.problems)
    std::fprintf(stderr, "%s\n", problem.text().c_str());
  return fresh;
}

}  // namespace relay
