// Folders of mails, and what can go wrong with them. Any thread.
#pragma once

#include <unistd.h>

#include <string>
#include <vector>

#include "conf/vocab/result.h"

namespace relay::returns {

// Of an open file; closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  bool ok() const { return number_ >= 0; }

 private:
  int number_;
};

// kIo: "WHAT: what the system said"; `error` is an errno.
conf::Error io_error(const std::string& what, int error);

// For its owner alone; one that is there stays as it is.
conf::Status make_folder(const std::string& path);
// The names in it are on disk.
conf::Status sync_folder(const std::string& path);
// All that was written to the file system of the folder is on disk; O(what others wrote there, too).
conf::Status sync_file_system(const std::string& folder);
// Of its files, in their order; names that begin with a dot are none of a Maildir's.
conf::Result<std::vector<std::string>> names_in(const std::string& path);

}  // namespace relay::returns
