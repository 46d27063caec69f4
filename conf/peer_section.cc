// The keys of [defaults] and [[destination]] about extensions, TLS and login, and [[login]].
#include <algorithm>

#include "conf/sections.h"

namespace conf {

bool read_tls_start(TableReader* reader, TlsStart* out) {
  bool implicit = *out == TlsStart::kImplicit;
  if (!reader->flag("implicit_tls", &implicit)) return false;
  *out = implicit ? TlsStart::kImplicit : TlsStart::kStartTls;
  return true;
}

bool read_tls_min(TableReader* reader, TlsVersion* out) {
  auto word = static_cast<size_t>(*out);
  if (!reader->choice("tls_min", {"1.2", "1.3"}, &word)) return false;
  *out = static_cast<TlsVersion>(word);
  return true;
}

void read_peer_settings(TableReader* reader, bool smart_hosts, PeerSettings* out) {
  reader->flag("size", &out->size);
  reader->flag("eight_bit_mime", &out->eight_bit_mime);
  reader->flag("smtputf8", &out->smtputf8);
  reader->flag("dsn", &out->dsn);
  auto word = static_cast<size_t>(out->eight_bit);
  if (reader->choice("eight_bit", {"convert", "convert-signed", "send", "refuse"}, &word))
    out->eight_bit = static_cast<EightBit>(word);
  read_tls_start(reader, &out->tls_start);
  read_tls_min(reader, &out->tls_min);
  // A secret is for the hosts it was written for: who names others names their login too.
  if (reader->has("smart_hosts")) out->login.clear();
  if (!reader->text("login", &out->login)) return;
  if (!out->login.empty() && !smart_hosts)
    reader->report("login",
                   "goes with smart_hosts: without them the secret would be told to whoever is the MX of a "
                   "domain");
}

namespace {

bool is_credential_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
}

void read_secret(TableReader* reader, Login* out) {
  reader->text("file", &out->file);
  if (reader->text("credential", &out->credential) && !is_credential_name(out->credential))
    reader->report(
        "credential",
        "\"" + out->credential + "\" is not the name of a credential; LoadCredential=NAME:PATH gives one");
  if (reader->texts("command", &out->command) &&
      (out->command.empty() || out->command.front().empty() || out->command.front().front() != '/'))
    reader->report("command",
                   "is a list of a program, by its whole path, and its arguments, such as "
                   "[\"/usr/local/bin/token\", \"mail\"]");
  reader->duration("command_timeout", &out->command_timeout, Duration(1s));
  reader->duration("keep", &out->keep);
  const int given = static_cast<int>(reader->has("file")) + static_cast<int>(reader->has("credential")) +
                    static_cast<int>(reader->has("command"));
  if (out->user.empty()) {
    if (given != 0) reader->report("user", "is missing: whose secret is it?");
  } else if (given != 1) {
    reader->report("user",
                   "needs its secret from one of file, credential and command; the secret itself "
                   "never stands in the configuration");
  }
}

}  // namespace

void read_login(TableReader* reader, Login* out) {
  out->line = reader->line();
  if (!reader->text("name", &out->name) || out->name.empty())
    reader->report("name", "is missing: a destination or a rule says login = \"NAME\"");
  if (reader->text("user", &out->user) && std::any_of(out->user.begin(), out->user.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20;
      }))
    reader->report("user", "has a control character");
  auto word = static_cast<size_t>(out->mechanism);
  if (reader->choice("mechanism", {"any", "plain", "login", "xoauth2"}, &word))
    out->mechanism = static_cast<LoginMechanism>(word);
  read_secret(reader, out);
  reader->flag("without_tls", &out->without_tls);
  reader->text("certificate", &out->certificate);
  reader->text("key", &out->key);
  if (out->certificate.empty() != out->key.empty())
    reader->report(out->key.empty() ? "certificate" : "key",
                   "certificate and key go together: two PEM files, or one named twice");
  if (out->user.empty() && out->certificate.empty())
    reader->report("user", "is missing, and there is no certificate either: it would say nothing");
  reader->finish();
}

}  // namespace conf
