// Logins: one that is not known to be good is tried by one connection at a time, whatever the path, and one
// that was refused by nobody for a while, or the account is locked. Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "conf/vocab/time.h"

namespace relay {

class LoginPauses {
 public:
  // Not before; in the past: at once.
  conf::Instant until(const std::string& login) const;
  void tried(const std::string& login, conf::Instant now);  // a connection that will log in is being opened
  void undecided(const std::string& login);                 // it ended before the login was answered
  // `how`, for people, begins a sentence after the name. True: the first time in a row.
  bool failed(const std::string& login, conf::Instant now, const std::string& how);
  // Why it waits, for people: `login "relay" failed at smtp.example: 535 no`. Good while until() is to come.
  std::string why(const std::string& login) const;
  struct Success {
    bool is_news = false;     // others waited for what became of it
    bool had_failed = false;  // and it was refused before
  };
  Success worked(const std::string& login);
  void clear() { known_.clear(); }  // they may be others now
  bool empty() const { return known_.empty(); }

 private:
  struct Entry {
    conf::Instant until{};
    conf::Duration pause{0};  // after the latest failure
    std::string how;          // it failed the last time
    bool good = false;
    bool on_trial = false;  // a connection tries it since the latest failure
  };
  std::map<std::string, Entry> known_;
};

}  // namespace relay
