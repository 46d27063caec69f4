#include "relay/uv/turns.h"

#include <algorithm>

namespace relay::uv {

void Turns::add(Turn* turn) {
  if (turn->waits_) return;
  Line& line = lines_[turn->party];
  line.last = std::max(line.last, round_) + 1;
  ++line.waiting;
  turn->place_ = {line.last, ++number_};
  turn->waits_ = true;
  order_.emplace(turn->place_, turn);
}

void Turns::erase(Turn* turn) {
  if (!turn->waits_) return;
  turn->waits_ = false;
  order_.erase(turn->place_);
  const auto line = lines_.find(turn->party);
  if (--line->second.waiting == 0) lines_.erase(line);
}

Turn* Turns::next() {
  if (order_.empty()) return nullptr;
  Turn* turn = order_.begin()->second;
  round_ = turn->place_.first;
  erase(turn);
  return turn;
}

}  // namespace relay::uv
