// A folder of a test's own, which goes with all that is in it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "conf/vocab/check.h"

class TemporaryFolder : public std::filesystem::path {
 public:
  TemporaryFolder() : path(made()) {}
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(*this, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

 private:
  static path made() {
    std::string name = (std::filesystem::temp_directory_path() / "penstock-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr);
    return name;
  }
};
