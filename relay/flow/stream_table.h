// The streams that queued mail belongs to: each name has a number, which a delivery holds, and the sources
// that its mail leaves from ([[stream]]). Sources have numbers, too. A name keeps its number when the
// configuration changes. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conf/config.h"
#include "conf/vocab/time.h"
#include "relay/flow/source_pool.h"

namespace relay::queue {

// The mail of these streams is not sent before `until`; kNever: before somebody lifts it.
struct StreamHold {
  std::string mask;  // of their names
  conf::Instant until{};
};
// Whether a mask of streams takes the stream; none takes mail of no stream ("").
bool takes_stream(const std::string& mask, const std::string& name);

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

  // The same, to draw from.
  const SourcePool& pool_of(uint16_t number) const {
    const Stream& stream = streams_[number];
    return stream.known ? stream.pool : streams_[kNone].pool;
  }

  // kNone for "", and for names beyond 65,535 of them.
  uint16_t source_number(const std::string& name);
  // Null: the configuration has no such source. O(1).
  const conf::Source* source_numbered(uint16_t number) const { return sources_[number]; }
  const conf::Source* source_named(const std::string& name) const;
  bool has_source(uint16_t stream, const conf::Source* source) const;

  void reload(conf::ConfigPtr config);

  // These hold from now on, in place of those before: for the streams there are and for those to come.
  // O(streams x holds)
  void hold(std::vector<StreamHold> holds);
  // The past: none holds it. Mail of no stream is never held. O(1)
  conf::Instant held_until(uint16_t number) const { return streams_[number].held_until; }
  std::vector<std::string> names_like(const std::string& mask) const;  // O(streams)

 private:
  struct Stream {
    std::string name;
    bool known = false;  // the configuration has it
    Sources sources;
    SourcePool pool;
    conf::Instant held_until{};
  };
  void find_sources(Stream* stream) const;
  conf::Instant end_of_holds(const std::string& name) const;

  conf::ConfigPtr config_;
  std::vector<StreamHold> holds_;
  std::deque<Stream> streams_ = std::deque<Stream>(1);  // by number
  std::unordered_map<std::string, uint16_t> numbers_;
  std::vector<const conf::Source*> sources_{nullptr};  // by number
  std::unordered_map<std::string, uint16_t> source_numbers_;
};

}  // namespace relay::queue
