#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include "conf/vocab/address.h"
#include "dkim/opendkim_verifier.h"
#include "dkim/record.h"
#include "dkim/signer.h"
#include "relay/cli/cli.h"
#include "relay/cli/command.h"
#include "relay/cli/dkim_mail.h"
#include "relay/cli/txt_lookup.h"

namespace relay::cli {
namespace {

struct SignOptions {
  std::string domain, selector, key, mail, engine = "evp", header = "relaxed", body = "relaxed", identity;
  bool only_field = false;
};
struct VerifyOptions {
  std::string mail, dns, records;
};

conf::Canonicalization canonicalization_of(const std::string& word) {
  return word == "simple" ? conf::Canonicalization::kSimple : conf::Canonicalization::kRelaxed;
}

int sign(const SignOptions& options) {
  const conf::Result<conf::Domain> domain = conf::Domain::parse(options.domain);
  if (!domain.ok()) return complain("--domain: " + domain.error().detail, kUsage);
  if (!dkim::valid_selector(options.selector))
    return complain("--selector: \"" + options.selector + "\": letters, digits, hyphens and dots", kUsage);
  auto key = dkim::PrivateKey::load(options.key);
  if (!key.ok()) return complain(key.error().detail, kFailed);
  if (key.value()->weak())
    complain("warning: " + options.key + " has only " + std::to_string(key.value()->bits()) + " bits", kDone);
  const conf::Result<MailFile> mail = read_mail(options.mail);
  if (!mail.ok()) return complain(mail.error().detail, kFailed);
  conf::Result<dkim::Mail> parsed = dkim::Mail::parse(mail.value().text);
  if (!parsed.ok()) return complain("not signed: " + parsed.error().detail, kFailed);
  const conf::Result<std::string> author = dkim::from_domain(parsed->fields());
  if (!author.ok()) return complain("not signed: " + author.error().detail, kFailed);
  dkim::SigningKey signing{std::move(*key), std::string(domain.value().text()), options.selector, {}};
  signing.options.header = canonicalization_of(options.header);
  signing.options.body = canonicalization_of(options.body);
  signing.options.identity = options.identity;
  const auto engine = options.engine == "evp" ? conf::DkimEngine::kEvp : conf::DkimEngine::kOpendkim;
  const conf::Result<std::string> field =
      dkim::make_signer(engine)->sign(signing, &parsed.value(), conf::SystemClock().wall());
  if (!field.ok()) return complain("not signed: " + field.error().detail, kFailed);
  std::string out = field.value() + (options.only_field ? "" : mail.value().text);
  if (mail.value().had_lf) out = with_lf(out);
  return std::fwrite(out.data(), 1, out.size(), stdout) == out.size() ? kDone : kFailed;
}

// Lines "selector._domainkey.domain  v=DKIM1; ...".
conf::Result<std::map<std::string, std::string>> read_records(const std::string& path) {
  std::ifstream file(path);
  std::map<std::string, std::string> records;
  for (std::string line; std::getline(file, line);) {
    const size_t space = line.find_first_of(" \t");
    if (space != std::string::npos) records[line.substr(0, space)] = line.substr(space + 1);
  }
  if (records.empty())
    return conf::Error{conf::ErrorCode::kInvalid,
                       path + " has no line \"selector._domainkey.domain record\""};
  return records;
}

int verify(const VerifyOptions& options, const std::vector<std::string>& dns) {
  const conf::Result<MailFile> mail = read_mail(options.mail);
  if (!mail.ok()) return complain(mail.error().detail, kFailed);
  std::map<std::string, std::string> known;
  if (!options.records.empty()) {
    auto records = read_records(options.records);
    if (!records.ok()) return complain("--records: " + records.error().detail, kFailed);
    known = std::move(*records);
  }
  const dkim::OpendkimVerifier verifier([&](const std::string& name) -> conf::Result<std::string> {
    const auto found = known.find(name);
    if (found != known.end()) return found->second;
    if (!known.empty()) return conf::Error{conf::ErrorCode::kNotFound, "not in " + options.records};
    auto texts = look_up_txt(name, dns);
    if (!texts.ok()) return texts.error();
    return texts.value().front();
  });
  const auto verdicts = verifier.verify(mail.value().text);
  if (!verdicts.ok()) return complain("not verified: " + verdicts.error().detail, kFailed);
  bool good = false;
  for (const dkim::Verdict& verdict : verdicts.value()) {
    good = good || verdict.good;
    const std::string who = verdict.domain.empty() ? std::string()
                                                   : " d=" + verdict.domain + " s=" + verdict.selector +
                                                         " a=" + verdict.algorithm;
    const char* const word = verdict.good ? "pass" : verdict.temporary ? "temperror" : "fail";
    std::printf("%s%s%s%s%s\n", word, who.c_str(), verdict.why.empty() ? "" : " (", verdict.why.c_str(),
                verdict.why.empty() ? "" : ")");
  }
  if (verdicts.value().empty()) std::printf("none (the message has no signature)\n");
  return good ? kDone : kFailed;
}

void add_sign(CLI::App* dkim, Invocation* invocation) {
  const auto options = std::make_shared<SignOptions>();
  CLI::App* command = dkim->add_subcommand("sign", "sign a message; the result goes to standard output");
  command->add_option("--domain", options->domain, "the domain that signs (d=)")->required();
  command->add_option("--selector", options->selector, "the name of the key (s=)")->required();
  command->add_option("--key", options->key, "the private key, PEM")->required();
  command->add_option("--engine", options->engine, "evp or opendkim")
      ->check(CLI::IsMember({"evp", "opendkim"}))
      ->capture_default_str();
  command->add_option("--header", options->header, "canonicalization of the header: simple or relaxed")
      ->check(CLI::IsMember({"simple", "relaxed"}))
      ->capture_default_str();
  command->add_option("--body", options->body, "canonicalization of the body: simple or relaxed")
      ->check(CLI::IsMember({"simple", "relaxed"}))
      ->capture_default_str();
  command->add_option("--identity", options->identity, "i=, such as @mail.example.com");
  command->add_flag("--only-field", options->only_field, "print the DKIM-Signature field alone");
  command->add_option("mail", options->mail, "the message; standard input when absent or -");
  command->footer("Exit status: 0 signed, 1 not signed, 2 wrong usage.");
  command->callback([invocation, options] { invocation->run = [options] { return sign(*options); }; });
}

void add_verify(CLI::App* dkim, Invocation* invocation) {
  const auto options = std::make_shared<VerifyOptions>();
  CLI::App* command = dkim->add_subcommand("verify", "verify the signatures of a message with libopendkim");
  command->add_option("mail", options->mail, "the message; standard input when absent or -");
  command->add_option("--dns", options->dns,
                      "the name server to ask; default: [dns] servers, else the system's");
  command->add_option("--records", options->records,
                      "a file of lines \"selector._domainkey.domain record\" to use in place of DNS");
  command->footer("Exit status: 0 a signature is good, 1 none is, 2 wrong usage.");
  command->callback([invocation, options] {
    invocation->run = [=] { return verify(*options, name_servers(*invocation, options->dns)); };
  });
}

}  // namespace

void add_dkim_command(CLI::App* parser, Invocation* invocation) {
  CLI::App* dkim = parser->add_subcommand("dkim", "keys and signatures, without a relay");
  dkim->require_subcommand(1);
  dkim->fallthrough();
  add_dkim_key_commands(dkim, invocation);
  add_sign(dkim, invocation);
  add_verify(dkim, invocation);
}

}  // namespace relay::cli
