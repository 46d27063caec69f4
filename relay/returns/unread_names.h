// The names in a folder, for a reader that has to stop and go on again: the folder is listed once, and again
// only when all of that list was taken. A folder of N mails costs N, however often reading stops. One thread.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "conf/vocab/result.h"

namespace relay::returns {

class UnreadNames {
 public:
  using List = std::function<conf::Result<std::vector<std::string>>()>;

  // To be called at the begin of each look. The error is that of `list`; nothing is there to be taken then.
  conf::Status begin(const List& list) {
    if (next_ < names_.size()) return conf::success();
    names_.clear();
    next_ = 0;
    conf::Result<std::vector<std::string>> names = list();
    if (!names.ok()) return names.error();
    names_ = std::move(*names);
    return conf::success();
  }
  // The next one; null at the end of the list. It is given again until it is taken.
  const std::string* next() const { return next_ < names_.size() ? &names_[next_] : nullptr; }
  // next() must not be null.
  std::string take() { return std::move(names_[next_++]); }

 private:
  std::vector<std::string> names_;
  size_t next_ = 0;
};

}  // namespace relay::returns
