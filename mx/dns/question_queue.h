// Questions that wait until the name servers have fewer of ours. Zones take turns, and one zone has no more
// than its part under way: the names of one zone whose servers say nothing cannot keep those of all others
// waiting. Questions for addresses go before others, so that look-ups begun are ended first. One thread.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "conf/vocab/parted_map.h"
#include "mx/dns/resolver.h"

namespace mx {

struct Question {
  std::string key;   // of the cache
  std::string name;  // as it is asked
  RecordType type = RecordType::kA;
};

class QuestionQueue {
 public:
  explicit QuestionQueue(size_t most_of_zone) : most_of_zone_(most_of_zone) {}

  void add(Question question);
  // The next one, which is under way from now on; nothing: none waits that may go. O(1).
  std::optional<Question> take();
  void answered(std::string_view name);
  size_t size() const { return size_; }
  void clear();

 private:
  struct Zone {
    std::deque<Question> addresses, others;
    size_t under_way = 0;
    bool address_turn = false, other_turn = false;  // it stands in the line
  };
  using Line = std::deque<std::string>;
  std::optional<Question> take_from(Line* line, bool addresses);
  void line_up(const std::string& name, Zone* zone);

  const size_t most_of_zone_;
  conf::PartedMap<std::string, Zone> zones_;  // with questions that wait or are under way
  Line address_line_, other_line_;            // zones that may ask
  size_t size_ = 0;
};

}  // namespace mx
