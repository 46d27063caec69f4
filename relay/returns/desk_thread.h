// The thread behind the Desk: everything about returned mail that may wait for the disk. For this folder.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "relay/returns/desk.h"
#include "relay/returns/unread_names.h"

namespace relay::returns {

class Desk::Thread {
 public:
  struct Offered {
    Maildir::Mail mail;
    Done done;
  };
  struct Answered {
    conf::Result<spool::Receipt> result;
    Done done;
  };
  struct Found {
    size_t folder = 0;
    std::string name;
    std::vector<conf::DeliveryEvent> events;
  };
  struct Finished {
    size_t folder = 0;
    std::string name;
    bool unmatched = false;
  };

  Thread(const Options& options, std::vector<Maildir> folders);
  ~Thread();
  void start();

  // From the loop.
  bool offer(Offered* offered);  // false: too many wait, and it is untouched
  void finish(std::vector<Finished> finished);
  void use(std::shared_ptr<const ReadingTools> tools);
  std::deque<Answered> answers();
  std::deque<Found> found(size_t most, bool* more);

 private:
  static constexpr size_t kBatch = 256;            // mails that share one sync
  static constexpr size_t kMostFound = 4096;       // mails read that the loop has not taken yet
  static constexpr size_t kMostRead = 32'000'000;  // octets of a mail that are looked at

  struct Work {
    std::vector<Offered> offered;
    std::vector<Finished> finished;
    std::shared_ptr<const ReadingTools> tools;
    bool look = false;  // into the folders
  };

  void run();
  bool wait(Work* work);  // false: it is to end
  void store(Work* work);
  void put_away(const Work& work);
  bool is_put_away(const Work& work, const Finished& read);
  void bound_unmatched(Maildir* folder);
  void look_into_folders(const Work& work);
  bool clients_wait();
  bool has_room();
  void read(const Work& work, size_t folder, const std::string& name, std::string_view octets);
  void complain(const std::string& about, const conf::Error& error);

  const conf::Clock* clock_;
  const std::function<void()> wake_;
  const std::function<void(const std::string&)> say_;
  const uint64_t unmatched_octets_;
  std::vector<Maildir> folders_;                      // the first one is ours
  std::vector<UnreadNames> unread_;                   // of each folder
  std::set<std::pair<size_t, std::string>> in_hand_;  // read, not put away yet
  std::vector<Finished> stuck_;                       // of these, those that could not be put away
  std::set<std::string> told_;                        // troubles that the operator knows of
  conf::Instant next_look_, next_sweep_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Offered> offered_;
  std::vector<Finished> finished_;
  std::deque<Answered> answers_;
  std::deque<Found> found_;
  std::shared_ptr<const ReadingTools> tools_;
  bool ending_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace relay::returns
