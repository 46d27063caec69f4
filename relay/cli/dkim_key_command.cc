#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "conf/vocab/address.h"
#include "conf/write_file.h"
#include "dkim/private_key.h"
#include "dkim/record.h"
#include "relay/cli/cli.h"
#include "relay/cli/command.h"
#include "relay/cli/txt_lookup.h"

namespace relay::cli {
namespace {

struct KeyOptions {
  std::string domain, selector, file, type = "rsa", dns;
  int bits = 2048;
};

// Empty when they are good.
std::string wrong_names(KeyOptions* options) {
  const conf::Result<conf::Domain> domain = conf::Domain::parse(options->domain);
  if (!domain.ok()) return "--domain: " + domain.error().detail;
  options->domain = domain.value().text();
  if (!dkim::valid_selector(options->selector))
    return "--selector: \"" + options->selector + "\": letters, digits, hyphens and dots";
  return "";
}

int keygen(KeyOptions options) {
  const std::string wrong = wrong_names(&options);
  if (!wrong.empty()) return complain(wrong, kUsage);
  if (options.bits < dkim::kGoodRsaBits || options.bits > 8192)
    return complain("--bits: from 2048 to 8192", kUsage);
  const bool rsa = options.type == "rsa";
  const auto key = dkim::PrivateKey::generate(
      rsa ? dkim::Algorithm::kRsaSha256 : dkim::Algorithm::kEd25519Sha256, options.bits);
  const int file = ::open(options.file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) {
    return complain("cannot make " + options.file + ": " + std::strerror(errno) +
                        (errno == EEXIST ? "; a key is never overwritten: choose another name" : ""),
                    kFailed);
  }
  const bool written = conf::write_all(file, key->pem().view()) && ::fsync(file) == 0;
  const int why = errno;
  ::close(file);
  if (!written) {
    ::unlink(options.file.c_str());
    return complain("cannot write " + options.file + ": " + std::strerror(why), kFailed);
  }
  std::printf("%s\n", dkim::zone_line(options.selector, options.domain, *key).c_str());
  std::fprintf(
      stderr,
      "The private key is in %s (mode 0600; let the relay's user read it). Publish the record above, "
      "then:\n  penstock dkim check --domain %s --selector %s --key %s\n",
      options.file.c_str(), options.domain.c_str(), options.selector.c_str(), options.file.c_str());
  return kDone;
}

// Prints how the record of one key looks; true when it is right.
bool check_key(const std::string& domain, const std::string& selector, const std::string& file,
               const std::vector<std::string>& dns) {
  const std::string name = dkim::record_name(selector, domain);
  const auto say = [&name](const std::string& what) { std::printf("%s: %s\n", name.c_str(), what.c_str()); };
  const auto key = dkim::PrivateKey::load(file);
  if (!key.ok()) {
    say(key.error().detail);
    return false;
  }
  const auto texts = look_up_txt(name, dns);
  if (!texts.ok()) {
    say(texts.error().detail + "; it should be\n  " + dkim::zone_line(selector, domain, *key.value()));
    return false;
  }
  // RFC 6376 §3.6.2.2: with several records the result is undefined.
  if (texts.value().size() > 1) {
    say("there are " + std::to_string(texts.value().size()) + " TXT records; there must be one only");
    return false;
  }
  const conf::Status same = dkim::compare_record(texts.value().front(), *key.value());
  say(same.ok()
          ? std::string("good (") + dkim::to_text(key.value()->algorithm()) + ", " +
                std::to_string(key.value()->bits()) + " bits)"
          : same.error().detail + "; it should be\n  " + dkim::zone_line(selector, domain, *key.value()));
  return same.ok();
}

int check_one(KeyOptions options, const std::vector<std::string>& dns) {
  const std::string wrong = wrong_names(&options);
  if (!wrong.empty()) return complain(wrong, kUsage);
  return check_key(options.domain, options.selector, options.file, dns) ? kDone : kFailed;
}

int check_configured(const std::string& path, const std::vector<std::string>& dns) {
  const conf::ConfigPtr config = read_config(path);
  if (config == nullptr) return kUsage;
  if (config->dkim.keys.empty()) return complain(path + " has no [[dkim_key]]", kFailed);
  bool good = true;
  for (const conf::DkimKey& key : config->dkim.keys) {
    if (key.domain.rfind("*.", 0) == 0) {
      std::printf("%s: a wildcard; check one of its domains: --domain\n", key.domain.c_str());
      continue;
    }
    good = check_key(key.domain, key.selector, key.file, dns) && good;
  }
  return good ? kDone : kFailed;
}

}  // namespace

void add_dkim_key_commands(CLI::App* dkim, Invocation* invocation) {
  const auto options = std::make_shared<KeyOptions>();
  CLI::App* make = dkim->add_subcommand("keygen", "make a private key and print its DNS record");
  make->add_option("--domain", options->domain, "the domain that signs")->required();
  make->add_option("--selector", options->selector, "the name of the key below _domainkey")->required();
  make->add_option("--out", options->file, "where the private key is written; never overwritten")->required();
  make->add_option("--type", options->type, "rsa or ed25519")
      ->check(CLI::IsMember({"rsa", "ed25519"}))
      ->capture_default_str();
  make->add_option("--bits", options->bits, "of an RSA key")->capture_default_str();
  make->callback([invocation, options] { invocation->run = [options] { return keygen(*options); }; });

  CLI::App* check = dkim->add_subcommand("check", "look records up in DNS and compare them with the keys");
  check->footer("Without --domain, --selector and --key: every [[dkim_key]] of the configuration.");
  CLI::Option* domain = check->add_option("--domain", options->domain, "the domain that signs");
  CLI::Option* selector = check->add_option("--selector", options->selector, "the name below _domainkey");
  CLI::Option* key = check->add_option("--key", options->file, "the private key");
  domain->needs(selector)->needs(key);
  selector->needs(domain);
  key->needs(domain);
  check->add_option("--dns", options->dns,
                    "the name server to ask; default: [dns] servers, else the system's");
  check->callback([invocation, options] {
    invocation->run = [invocation, options] {
      const std::vector<std::string> dns = name_servers(*invocation, options->dns);
      if (options->domain.empty()) return check_configured(invocation->config_path, dns);
      return check_one(*options, dns);
    };
  });
}

}  // namespace relay::cli
