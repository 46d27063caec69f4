// Who was refused at the door: counted for ever by listener and reason, told as events. The first ones of a
// client are told at once, one by one (a ban after five needs five lines); what follows within a minute is
// told as one event with a count; and of all clients together no more than a bounded number a second, and a
// day. What goes beyond is told of many clients together, once a minute for each listener and reason. Under
// attack the log grows slowly and no refusal goes uncounted. Loop thread, but for counts().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "conf/vocab/door_event.h"
#include "conf/vocab/time.h"

namespace relay {

// What a client hears of a relay that takes no mail leaves out why; the operator hears it.
conf::DoorEvent with_cause(conf::DoorEvent event, const std::string& why_not_accepting);

class DoorBook {
 public:
  using Tell = std::function<void(const conf::DoorEvent&)>;

  explicit DoorBook(Tell tell) : tell_(std::move(tell)), budget_(kPerDay) {}

  static constexpr uint32_t kPerDay = 20'000;

  // `event.count` is 1; what is not printable in `user` and `detail` is replaced, long ones are cut.
  void note(conf::DoorEvent event, conf::Instant now);
  // Tells what has waited its minute; a bounded number each time.
  void step(conf::Instant now);
  conf::Instant next_wake() const;
  void tell_all();  // at the end

  std::vector<conf::DoorCount> counts() const;  // those that are not 0; any thread

 private:
  // Which text most refusals have, in one pass and little room (Boyer and Moore's vote).
  struct CommonText {
    std::string text;
    uint64_t seen = 0;   // refusals that have it, since it is this one
    uint64_t votes = 0;  // more than have others
    // Of `count` refusals `of` have this text, or all when that is 0.
    void add(const std::string& its, uint64_t of, uint64_t count);
    // Of `count` in all: the text of all or most of them and, unless it is of all, of how many at least.
    void take(uint64_t count, std::string* its, uint64_t* of);

   private:
    void vote(const std::string& its, uint64_t count);
  };
  struct Waiting {
    conf::DoorEvent event;    // `count`: not told yet; `user`, `detail`: of the latest
    CommonText user, detail;  // of these
    uint32_t told = 0;        // one by one, in this minute
    conf::Instant until;
    void add(conf::DoorEvent more);
    conf::DoorEvent take();  // what it comes to; nothing is counted then
  };
  using Waitings = std::unordered_map<std::string, Waiting>;
  bool may_tell(conf::Instant now);
  Waitings::iterator open(const std::string& key, const conf::DoorEvent& event, conf::Instant now);
  void tell_with_many(conf::DoorEvent event, conf::Instant now);

  Tell tell_;
  mutable std::mutex counts_mutex_;
  std::map<std::pair<std::string, conf::DoorReason>, uint64_t> counts_;
  Waitings waiting_;
  std::multimap<conf::Instant, std::string> ends_;  // of the minutes
  uint32_t told_now_ = 0;
  conf::Instant second_;
  uint32_t budget_;            // lines that may be told of single clients
  conf::Instant budget_from_;  // it has grown since
};

}  // namespace relay
