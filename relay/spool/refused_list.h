// The messages that were refused although a write of them had begun: their clients heard 4yz and will come
// again, so they must not be delivered when the write reaches the disk after all and the process ends before
// it has taken them out again. A small file whose room is taken in advance, so that a full disk does not
// stop it. One thread.
#pragma once

#include <string>
#include <vector>

#include "conf/vocab/envelope.h"

namespace relay::spool {

class RefusedList {
 public:
  // The file in `folder`, which exists.
  explicit RefusedList(const std::string& folder);
  ~RefusedList();
  RefusedList(const RefusedList&) = delete;
  RefusedList& operator=(const RefusedList&) = delete;

  // What an earlier run left.
  const std::vector<conf::MessageId>& left() const { return left_; }
  // Before the clients are answered. What does not fit, or cannot be written, is not noted: as many as one
  // batch has, and those of the batch before, do fit.
  void add(const std::vector<conf::MessageId>& ids);
  // All of them are taken out again, on disk.
  void clear();

 private:
  int fd_ = -1;
  size_t count_ = 0;
  std::vector<conf::MessageId> left_;
};

}  // namespace relay::spool
