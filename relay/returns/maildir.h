// A Maildir (Bernstein, https://cr.yp.to/proto/maildir.html): mail that came back lies in it from the 250
// until it has been read. Each mail is a file, so that people can look at it, put one there, and move one
// back to be read again. Not thread-safe; every call may wait for the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "conf/vocab/bytes.h"
#include "conf/vocab/envelope.h"
#include "conf/vocab/result.h"
#include "conf/vocab/time.h"
#include "relay/spool/receipt.h"

namespace relay::returns {

enum class Fate : uint8_t {
  kForget,     // read and done with: the file goes
  kKeep,       // read; to cur/, as seen
  kUnmatched,  // to new/ of the folder for unmatched mail, for people
};

class Maildir : private spool::ReceiptPrinter {
 public:
  // Makes what is missing of it. What lies in tmp/ of one that is `ours` was never acknowledged and goes.
  // `unmatched`: a Maildir on the same file system; empty: .Unmatched in this one. kIo names the folder.
  static conf::Result<Maildir> open(std::string path, bool ours, std::string unmatched = {});

  struct Mail {
    conf::MessageId id = 0;
    std::string head;  // fields put on top, each with CRLF
    conf::Bytes body;
  };
  // All of them are on disk when it answers, or none is to be acknowledged. They are synced together.
  conf::Result<std::vector<spool::Receipt>> deliver(const std::vector<Mail>& mails);
  static std::string name_of(conf::MessageId id);

  // Names of files in new/, sorted; a Maildir's names rise with time.
  conf::Result<std::vector<std::string>> unread() const;
  // kNotFound: somebody else took it since it was listed.
  conf::Result<std::string> read(const std::string& name, size_t most_octets) const;
  // kNotFound is no failure here: somebody else took it.
  conf::Status put_away(const std::string& name, Fate fate);
  // Where put_away() brings it with kUnmatched.
  std::string unmatched_place(const std::string& name) const;
  // Removes from cur/ what was put there before `before`. How many.
  size_t remove_kept(conf::WallTime before);
  // Strangers write what comes there: its oldest mails go until a sixteenth below `most` octets is
  // left, when they are more (a file counts 4 KiB at least). How many went.
  size_t bound_unmatched(uint64_t most);
  // What put_away() brought there since then, counted in the same way.
  uint64_t fresh_unmatched() const { return fresh_unmatched_; }
  const std::string& path() const { return path_; }
  const std::string& unmatched() const { return unmatched_; }

 private:
  Maildir(std::string path, std::string unmatched)
      : path_(std::move(path)), unmatched_(std::move(unmatched)) {}
  conf::Status write(const Mail& mail) const;
  conf::Error given_up(const std::vector<Mail>& mails, conf::Error why) const;
  std::string path_, unmatched_;
  uint64_t fresh_unmatched_ = 0;
};

}  // namespace relay::returns
