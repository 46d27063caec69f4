#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <string>

#include "relay/cli/cli.h"
#include "relay/cli/command.h"
#include "relay/intake/authenticator.h"

namespace relay::cli {
namespace {

// The terminal does not show what is typed while one of these lives.
class NoEcho {
 public:
  NoEcho() : changed_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!changed_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }
  ~NoEcho() {
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_{};
  bool changed_;
};

bool ask(const char* prompt, std::string* secret) {
  const NoEcho quiet;
  std::fprintf(stderr, "%s: ", prompt);
  const bool read = static_cast<bool>(std::getline(std::cin, *secret));
  std::fputc('\n', stderr);
  return read;
}

bool read_secret(std::string* secret) {
  if (!::isatty(STDIN_FILENO)) return static_cast<bool>(std::getline(std::cin, *secret));
  std::string again;
  if (!ask("Secret", secret) || !ask("The same again", &again)) return false;
  if (*secret == again) return true;
  std::fprintf(stderr, "penstock: the two are not the same\n");
  secret->clear();
  return true;
}

int hash_password() {
  std::string secret;
  if (!read_secret(&secret) || secret.empty()) {
    std::fprintf(stderr, "penstock: no secret was given\n");
    return kUsage;
  }
  // RFC 4616 §2 ends the secret at the end of the message and forbids NUL; crypt(3) would stop there
  // silently.
  if (secret.find('\0') != std::string::npos) {
    std::fprintf(stderr, "penstock: a secret cannot hold a NUL byte\n");
    return kUsage;
  }
  const std::string hash = relay::hash_secret(secret);
  if (hash.empty()) {
    std::fprintf(stderr, "penstock: the system's crypt(3) cannot hash this secret\n");
    return kFailed;
  }
  std::printf("%s\n", hash.c_str());
  return kDone;
}

}  // namespace

void add_hash_password_command(CLI::App* parser, Invocation* invocation) {
  CLI::App* command =
      parser->add_subcommand("hash-password", "print the hash of a secret, for secret in [[user]]");
  command->footer(
      "The secret is one line: typed twice on a terminal, not shown; or read from standard input.");
  command->callback([invocation] { invocation->run = hash_password; });
}

}  // namespace relay::cli
