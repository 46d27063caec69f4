#include "relay/host/login_secrets.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "conf/read_file.h"
#include "relay/smtp/login_words.h"

namespace relay {

namespace {

constexpr size_t kSecretOctets = 8192;  // a token may be long

conf::Error trouble(const conf::Login& login, const std::string& what) {
  return {conf::ErrorCode::kInvalid, "[[login]] " + login.name + ": " + what};
}

// The first line.
conf::Result<std::string> first_line(const conf::Login& login, std::string text, const std::string& from) {
  const size_t end = text.find_first_of("\r\n");
  std::string line = text.substr(0, end);
  smtp::wipe(&text);
  if (line.empty()) return trouble(login, from + " gives an empty line where the secret should be");
  if (line.find('\0') != std::string::npos) return trouble(login, from + " has a NUL in its first line");
  return line;
}

conf::Result<std::string> read_file(const conf::Login& login, const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return trouble(login, "cannot read " + file + ": " + conf::reason_text(errno));
  struct stat info {};
  std::string text(kSecretOctets, '\0');
  const bool plain = ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
  const ssize_t got = plain ? ::read(descriptor, text.data(), text.size()) : -1;
  ::close(descriptor);
  if (!plain) return trouble(login, file + " is not a file");
  if ((info.st_mode & (S_IRWXO | S_IWGRP)) != 0)
    return trouble(login, file + " is open to others; a secret wants: chmod 640 " + file);
  if (got < 0) return trouble(login, "cannot read " + file + ": " + std::strerror(errno));
  text.resize(static_cast<size_t>(got));
  if (text.size() == kSecretOctets && text.find_first_of("\r\n") == std::string::npos) {
    smtp::wipe(&text);  // half a secret is none
    return trouble(login, "the first line of " + file + " is longer than a secret can be");
  }
  return first_line(login, std::move(text), file);
}

conf::Result<std::string> read_credential(const conf::Login& login) {
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr) {
    conf::Error error = trouble(
        login, "credential = \"" + login.credential +
                   "\": the service manager gave none; the unit wants LoadCredential=" + login.credential +
                   ":PATH");
    error.code = conf::ErrorCode::kUnavailable;
    return error;
  }
  return read_file(login, std::string(folder) + '/' + login.credential);
}

conf::Result<std::string> read_secret(const conf::Login& login) {
  if (!login.file.empty()) return read_file(login, login.file);
  if (!login.credential.empty()) return read_credential(login);
  return std::string();
}

}  // namespace

LoginSecrets::Entry::~Entry() { smtp::wipe(&secret); }

conf::Result<LoginSecrets::Table> LoginSecrets::read(const conf::Config& config) {
  Table table;
  for (const conf::Login& login : config.logins) {
    auto entry = std::make_shared<Entry>();
    entry->login = login;
    conf::Result<std::string> secret = read_secret(login);
    if (!secret.ok()) return secret.error();
    entry->secret = std::move(*secret);
    table[login.name] = std::move(entry);
  }
  return table;
}

void LoginSecrets::use(Table table) {
  ++generation_;
  table_ = std::move(table);
  std::map<std::string, Printed> old = std::exchange(printed_, {});
  for (auto& [login, printed] : old) {
    smtp::wipe(&printed.secret);
    for (const Done& done : printed.waiting)
      done(conf::Error{conf::ErrorCode::kUnavailable, "the configuration has changed"});
  }
}

void LoginSecrets::get(const std::string& login, Done done) {
  const auto found = table_.find(login);
  if (found == table_.end()) {
    done(conf::Error{conf::ErrorCode::kNotFound, "there is no [[login]] " + login + " any more"});
    return;
  }
  const Entry& entry = *found->second;
  if (!entry.login.command.empty()) {
    Printed& printed = printed_[login];
    if (printed.until > clock_->now()) return done(printed.secret);
    printed.waiting.push_back(std::move(done));
    if (std::exchange(printed.running, true)) return;
    run_(entry.login.command, entry.login.command_timeout,
         [this, login, generation = generation_](conf::Result<std::string> outcome) {
           answered(login, generation, std::move(outcome));
         });
    return;
  }
  // A token is renewed by somebody else, who writes the file; what was read at the start is the second best.
  if (entry.login.mechanism == conf::LoginMechanism::kXoauth2 && !entry.login.file.empty()) {
    conf::Result<std::string> fresh = read_file(entry.login, entry.login.file);
    if (fresh.ok()) return done(std::move(fresh));
  }
  done(entry.secret);
}

// Whoever waits for the command hears what it prints.
void LoginSecrets::refused(const std::string& login) {
  const auto found = printed_.find(login);
  if (found == printed_.end()) return;
  smtp::wipe(&found->second.secret);
  found->second.until = {};
}

void LoginSecrets::answered(const std::string& login, uint64_t generation,
                            conf::Result<std::string> outcome) {
  if (generation != generation_) {
    if (outcome.ok()) smtp::wipe(&*outcome);
    return;
  }
  const conf::Login& about = table_.at(login)->login;
  if (outcome.ok()) {
    outcome = first_line(about, std::move(*outcome), about.command.front());
  } else {
    outcome = trouble(about, about.command.front() + ": " + outcome.error().detail);
  }
  Printed& printed = printed_[login];
  printed.running = false;
  smtp::wipe(&printed.secret);
  printed.until = {};
  if (outcome.ok()) {
    printed.secret = *outcome;
    printed.until = clock_->now() + about.keep;
  }
  const std::vector<Done> waiting = std::exchange(printed.waiting, {});
  for (const Done& done : waiting) done(outcome);
  if (outcome.ok()) smtp::wipe(&*outcome);
}

}  // namespace relay
