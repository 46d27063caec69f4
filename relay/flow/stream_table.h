// The streams that queued mail belongs to: each name has a number, which a delivery holds, and the sources
// that its mail leaves from ([[stream]]). A name keeps its number when the configuration changes. Loop
// thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conf/config.h"

namespace relay::queue {

class StreamTable {
 public:
  static constexpr uint16_t kNone = 0;
  explicit StreamTable(conf::ConfigPtr config);

  // kNone for "". Names beyond 65,535 are not told apart: their mail counts as mail of no stream.
  uint16_t number_of(std::string_view name);
  uint16_t find(std::string_view name) const;  // kNone: neither the configuration nor any mail has the name
  // "" for kNone.
  const std::string& name(uint16_t number) const { return streams_[number].name; }

  // The sources that its mail may leave from, in the order of the configuration, which owns them: valid until
  // reload(). All, for kNone and for a stream that the configuration has no longer.
  using Sources = std::vector<const conf::Source*>;
  const Sources& sources_of(uint16_t number) const {
    const Stream& stream = streams_[number];
    return stream.known ? stream.sources : streams_[kNone].sources;
  }

  void reload(conf::ConfigPtr config);

 private:
  struct Stream {
    std::string name;
    bool known = false;  // the configuration has it
    Sources sources;
  };
  void find_sources(Stream* stream) const;

  conf::ConfigPtr config_;
  std::deque<Stream> streams_ = std::deque<Stream>(1);  // by number
  std::unordered_map<std::string, uint16_t> numbers_;
};

}  // namespace relay::queue
