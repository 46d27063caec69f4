// Which mails of a mailbox on another server we have taken: each is handed to the Maildir once, whenever the
// process ends. A mail is written to a folder of its own; then its name and its identifier at the server are
// on disk; then it is renamed into new/ of the Maildir; and only then may it be deleted at the server. At the
// start what was written and noted is renamed, and what was not noted goes: it is fetched again. Not
// thread-safe; every call but the questions may wait for the disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "conf/vocab/result.h"
#include "conf/vocab/time.h"

namespace relay::returns {

class MailboxMemory {
 public:
  // `maildir` exists. `mailbox` tells this one from others: its URL and user. kIo names the file.
  static conf::Result<MailboxMemory> open(const std::string& maildir, const std::string& mailbox);

  // A mail under way: its file is open for writing until finish().
  struct Staged {
    std::string uid, name;
    int file = -1;  // -1: nothing more is written
  };
  conf::Result<Staged> stage(std::string uid, conf::WallTime now);
  conf::Status write(const Staged& staged, std::string_view octets);
  static void finish(Staged* staged);  // it is written
  void give_up(const Staged& staged);
  // All of them are in new/ and remembered, or the error says what is wrong with the disk; then all are given
  // up that are not remembered.
  conf::Status hand_over(const std::vector<Staged>& staged, conf::WallTime now);
  // It stays where it is, for people.
  conf::Status leave(const std::string& uid, conf::WallTime now);

  bool knows(const std::string& uid) const { return seen_.count(uid) != 0; }
  bool was_left(const std::string& uid) const;
  size_t size() const { return seen_.size(); }
  // What the server does not list any more is forgotten a day after it was last listed. Call it between
  // batches.
  conf::Status keep_only(const std::unordered_set<std::string_view>& listed, conf::WallTime now);
  size_t unread() const;  // mails in new/ of the Maildir

 private:
  struct Seen {
    int64_t listed = 0;  // Unix seconds
    bool left = false;
  };
  MailboxMemory() = default;
  conf::Status recover();
  conf::Status append(const std::string& lines) const;
  conf::Status rewrite() const;

  std::string folder_, new_;
  std::unordered_map<std::string, Seen> seen_;
  std::vector<std::string> stranded_;  // noted, but not renamed yet
  int64_t next_tidy_ = 0;
  uint64_t staged_ = 0;  // tells names of one microsecond apart
};

}  // namespace relay::returns
