// The secrets of [[login]]: read at the start, while we may be root, and at each reload; a token that its
// file or a command gives is asked for when it is needed. Loop thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "conf/config.h"
#include "relay/net/secrets.h"

namespace relay {

class LoginSecrets final : public Secrets {
 public:
  struct Entry {
    conf::Login login;
    std::string secret;  // of a file or a credential
    Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry();
  };
  using Table = std::map<std::string, std::shared_ptr<Entry>>;

  // Runs a program; `done` gets what it printed, or why it failed.
  using Run = std::function<void(const std::vector<std::string>& command, conf::Duration timeout, Done done)>;
  LoginSecrets(const conf::Clock* clock, Run run) : clock_(clock), run_(std::move(run)) {}

  // The error names the login and the file: missing, open to others, empty.
  static conf::Result<Table> read(const conf::Config& config);
  void use(Table table);

  void get(const std::string& login, Done done) override;
  void refused(const std::string& login) override;

 private:
  struct Printed {
    std::string secret;
    conf::Instant until{};
    bool running = false;
    std::vector<Done> waiting;
  };
  void answered(const std::string& login, uint64_t generation, conf::Result<std::string> outcome);

  const conf::Clock* clock_;
  Run run_;
  Table table_;
  std::map<std::string, Printed> printed_;  // by commands
  uint64_t generation_ = 0;                 // of the table
};

}  // namespace relay
