#include "mx/dns/question_queue.h"

#include <utility>

#include "conf/vocab/ascii.h"

namespace mx {

namespace {

bool is_address(RecordType type) { return type == RecordType::kA || type == RecordType::kAaaa; }

// The last two labels: who runs a zone can make any number of names below it, and pays for each of those two.
std::string zone_of(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  const size_t last = name.rfind('.');
  if (last == std::string_view::npos || last == 0) return conf::ascii_lower(name);
  const size_t before = name.rfind('.', last - 1);
  return conf::ascii_lower(before == std::string_view::npos ? name : name.substr(before + 1));
}

}  // namespace

void QuestionQueue::line_up(const std::string& name, Zone* zone) {
  if (zone->under_way >= most_of_zone_) return;  // answered() lines it up again
  if (!zone->addresses.empty() && !std::exchange(zone->address_turn, true)) address_line_.push_back(name);
  if (!zone->others.empty() && !std::exchange(zone->other_turn, true)) other_line_.push_back(name);
}

void QuestionQueue::add(Question question) {
  const std::string name = zone_of(question.name);
  Zone& zone = zones_[name];
  (is_address(question.type) ? zone.addresses : zone.others).push_back(std::move(question));
  ++size_;
  line_up(name, &zone);
}

std::optional<Question> QuestionQueue::take_from(Line* line, bool addresses) {
  while (!line->empty()) {
    const std::string name = std::move(line->front());
    line->pop_front();
    Zone& zone = *zones_.find(name);
    (addresses ? zone.address_turn : zone.other_turn) = false;
    if (zone.under_way >= most_of_zone_) continue;  // by its other line
    std::deque<Question>& waiting = addresses ? zone.addresses : zone.others;
    Question next = std::move(waiting.front());
    waiting.pop_front();
    --size_;
    ++zone.under_way;
    line_up(name, &zone);
    return next;
  }
  return std::nullopt;
}

std::optional<Question> QuestionQueue::take() {
  std::optional<Question> next = take_from(&address_line_, true);
  return next ? std::move(next) : take_from(&other_line_, false);
}

void QuestionQueue::answered(std::string_view name) {
  const std::string key = zone_of(name);
  Zone* const zone = zones_.find(key);
  if (zone == nullptr) return;  // clear() came between
  if (zone->under_way > 0) --zone->under_way;
  line_up(key, zone);
  if (zone->under_way == 0 && zone->addresses.empty() && zone->others.empty()) zones_.erase(key);
}

void QuestionQueue::clear() {
  zones_.clear();
  address_line_.clear();
  other_line_.clear();
  size_ = 0;
}

}  // namespace mx
