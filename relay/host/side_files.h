// The files beside the configuration that it names: a reload reads them too, and says which differ. Any
// thread.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "conf/config.h"

namespace relay {

class SideFiles {
 public:
  // Reads them all, to know them again; what cannot be read counts as empty. Of the table of texts only what
  // an operator decided counts: the relay itself writes the rest.
  static SideFiles read(const conf::Config& config);

  // "/etc/penstock/replies.toml ([replies] rules): another text than before" for each that both name.
  std::vector<std::string> changes_to(const SideFiles& after) const;

 private:
  struct File {
    std::string key;   // that names it
    size_t print = 0;  // of what is in it
    bool is_table = false;
  };
  void add(const std::string& key, const std::string& path);

  std::map<std::string, File> files_;  // by path
};

}  // namespace relay
