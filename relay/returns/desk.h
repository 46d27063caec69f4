// The desk for mail that comes back: takes it from the listener, keeps it in a Maildir before the client
// hears 250, reads it there and in the Maildirs that the operator names, and writes what it says into the
// journal. A mail leaves its folder when every feed that gates removal is done with its events: a crash at
// any moment has it read again, and whoever must not count twice knows the event by its id and recipient.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conf/vocab/result.h"
#include "relay/journal/journal.h"
#include "relay/returns/maildir.h"
#include "relay/returns/reading.h"
#include "relay/spool/spool.h"

namespace relay::returns {

class Desk {
 public:
  struct Options {
    std::shared_ptr<const ReadingTools> tools;
    journal::Journal* journal = nullptr;
    const conf::Clock* clock = nullptr;
    std::function<void()> wake;                   // from its thread: step() has something to do
    std::function<void(const std::string&)> say;  // for the operator; from its thread
    uint64_t unmatched_octets = 1'000'000'000;    // in each Maildir of unmatched mail; the oldest go
  };
  // kIo: a folder cannot be made or read.
  static conf::Result<std::unique_ptr<Desk>> open(Options options);
  ~Desk();  // the thread ends after the batch under way; what is not read yet is read after the next start

  // Loop thread, all of them.
  using Done = std::function<void(conf::Result<spool::Receipt>)>;
  // `done` runs in step(). kLimit: too many wait.
  void offer(spool::MessageRecord record, conf::Bytes body, Done done);
  void step();
  // Folders stay what they were at the start.
  void reload(std::shared_ptr<const ReadingTools> tools);
  bool quiet() const;  // nothing offered waits for its answer

 private:
  class Thread;
  // A mail whose events are in the journal up to this number.
  struct Read {
    uint64_t sequence = 0;
    size_t folder = 0;
    std::string name;
    bool unmatched = false;
  };
  Desk(Options options, std::unique_ptr<Thread> thread);
  void answer();
  void tell();
  void retire();

  Options options_;
  std::unique_ptr<Thread> thread_;
  std::deque<Read> read_;
  uint64_t offered_ = 0;  // not answered yet
};

}  // namespace relay::returns
