#include "relay/flow/body_turns.h"

#include <algorithm>
#include <utility>

namespace relay {

using queue::BodyShare;

namespace {

constexpr size_t kMostCalled = 64;         // of a line, in a step
constexpr size_t kMostLooked = 256;        // to find them
constexpr size_t kFirst = 16;              // may open a connection before there is room ...
constexpr size_t kFirstFailing = 4;        // ... and of those whose receiver fails
constexpr uint64_t kPartsPerStep = 128;    // of the messages in memory: an eighth
constexpr uint64_t kPartsAfterChange = 8;  // somebody may have let a body go that nobody uses

}  // namespace

BodyTurns::Place* BodyTurns::find(Line* line, const queue::Path* path) {
  const auto found = line->places.find(path);
  return found == line->places.end() ? nullptr : &found->second;
}

// The first changes only here: what is read from now on has passed it, and what was read before has not.
void BodyTurns::know_first(Line* line) {
  const uint64_t first = line->connected.empty() ? 0 : line->connected.begin()->first;
  if (std::exchange(line->first, first) == first) return;
  messages_->room().begin_passing(share_of(*line));
  line->to_look_at = messages_->parts();
}

bool BodyTurns::fits(const Line& line, const Place* place, const Question& question, uint64_t more) const {
  const queue::BodyRoom& room = messages_->room();
  const BodyShare share = share_of(line);
  const uint64_t promised = more + question.bytes * question.before;
  const bool own = place != nullptr && place->id == question.id;
  if (place != nullptr && !own && place->missed) return false;
  if (line.connected.empty()) return room.fits(share, question.bytes, promised);
  const auto& [ticket, path] = *line.connected.begin();
  if (own && place->ticket <= ticket) return room.fits(share, question.bytes, promised);
  const uint64_t first = find(line, path)->bytes;
  if (room.fits(share, question.bytes, promised + first)) return true;  // both do
  return !room.fits(share, first, 0) && room.fits(share, question.bytes, promised) &&
         room.passed(share) + promised + question.bytes + first <= room.most(share);
}

bool BodyTurns::ask(queue::Path* path, const Question& question) {
  const BodyShare share = messages_->room().share_of(question.bytes);
  Line* line = &lines_[share == BodyShare::kSmall ? 0 : 1];
  know_first(line);
  Place* place = find(line, path);
  if (place != nullptr && place->id == question.id) place->asked = true;
  if (fits(*line, place, question, 0)) return true;
  if (question.before == 0) stand(path, line, question);  // with others before it, it has what it asked for
  path->waits.add(mx::Admission::no(mx::Bind::kBodyMemory, conf::kNever));
  place = find(line, path);
  return !question.connected && question.before == 0 && place != nullptr && place->may_try &&
         !place->connected && path->connections.size() == 0;
}

void BodyTurns::stand(queue::Path* path, Line* line, const Question& question) {
  const auto [found, fresh] = line->places.try_emplace(path);
  Place* place = &found->second;
  if (fresh) {
    path->waits.enter_bodies();
    place->ticket = ++line->last_ticket;
  }
  if (place->id != question.id && (place->active || place->missed)) {
    place->other = true;
    return;
  }
  place->id = question.id;
  place->bytes = question.bytes;
  place->asked = true;
  place->called = false;
  if (place->active && place->connected >= question.connected) return;
  if (place->active) sleep(line, place);
  place->connected |= question.connected;
  activate(path, line, place);
}

void BodyTurns::activate(queue::Path* path, Line* line, Place* place) {
  place->active = true;
  (place->connected ? line->connected : line->others).emplace(place->ticket, path);
  changed_ = true;
  tell_room();
}

void BodyTurns::sleep(Line* line, Place* place) {
  if (!place->active) return;
  place->active = place->called = place->may_try = place->other = false;
  (place->connected ? line->connected : line->others).erase(place->ticket);
  changed_ = true;
  tell_room();
}

void BodyTurns::drop(queue::Path* path, Line* line) {
  Place* place = find(line, path);
  if (place == nullptr) return;
  sleep(line, place);
  line->places.erase(path);
  path->waits.leave_bodies();
}

// While anybody waits, nothing more is kept of what comes in.
void BodyTurns::tell_room() {
  messages_->room().wait(!lines_[0].connected.empty() || !lines_[0].others.empty(),
                         !lines_[1].connected.empty() || !lines_[1].others.empty());
}

void BodyTurns::took(queue::Path* path, const queue::Delivery& delivery) {
  for (Line& line : lines_) {
    const Place* place = find(&line, path);
    if (place != nullptr && place->id == delivery.id) drop(path, &line);
  }
}

void BodyTurns::leave(queue::Path* path) {
  if (!path->waits.for_bodies()) return;
  for (Line& line : lines_) drop(path, &line);
}

void BodyTurns::step() {
  if (!changed_ && seen_ == messages_->room().changes()) return;
  changed_ = false;
  seen_ = messages_->room().changes();
  for (Line& line : lines_) {
    if (!line.connected.empty() || !line.others.empty()) step(&line);
  }
}

void BodyTurns::step(Line* line) {
  know_first(line);
  make_room(line);
  call_connected(line);
  call_others(line);
  let_first_try(line);
}

// Bodies that nobody uses go, until the first has room.
void BodyTurns::make_room(Line* line) {
  const BodyShare share = share_of(*line);
  const auto& paths = line->connected.empty() ? line->others : line->connected;
  if (paths.empty()) return;
  const uint64_t bytes = find(line, paths.begin()->second)->bytes;
  line->to_look_at = std::max(line->to_look_at, kPartsAfterChange);
  for (uint64_t left = kPartsPerStep; left > 0 && line->to_look_at > 0; --left, --line->to_look_at) {
    if (messages_->room().fits(share, bytes, 0)) return;
    messages_->drop_unused();
  }
  if (line->to_look_at > 0) changed_ = true;  // more in the next step
}

void BodyTurns::call(queue::Path* path, Place* place) {
  place->called = true;
  work_->mark(path);
}

// Those whose connections rest take what they are called for at once, or turn out to be unable to: then the
// next step calls others.
void BodyTurns::call_connected(Line* line) {
  uint64_t promised = 0;
  size_t called = 0, looked = 0;
  bool fresh = false, withheld = false;
  for (const auto& [ticket, path] : line->connected) {
    if (++looked > kMostLooked || called == kMostCalled) break;
    if (path->connections.opening() > 0) continue;  // it asks when it is ready
    Place* place = find(line, path);
    if (!fits(*line, place, {place->id, place->bytes, 0, true}, promised)) {
      withheld |= promised > 0;
      continue;
    }
    if (!path->connections.idle().empty()) promised += place->bytes;
    ++called;
    fresh |= !place->called;
    call(path, place);
  }
  changed_ |= fresh && withheld;
}

// Which of them is there first nobody knows: some more may open than there is room for.
void BodyTurns::call_others(Line* line) {
  size_t opening = 0, looked = 0;
  for (const auto& [ticket, path] : line->others) {
    if (++looked > kMostLooked || opening == kFirst) return;
    Place* place = find(line, path);
    const bool opens = path->connections.opening() > 0;
    if (!opens && !fits(*line, place, {place->id, place->bytes, 0, false}, 0)) continue;
    ++opening;
    if (!opens) call(path, place);
  }
}

void BodyTurns::let_first_try(Line* line) {
  size_t well = 0, failing = 0, looked = 0;
  for (const auto& [ticket, path] : line->others) {
    if (++looked > kMostLooked || well == kFirst) return;
    Place* place = find(line, path);
    const bool fails = path->health.failing();
    if (fails && failing == kFirstFailing) continue;
    ++(fails ? failing : well);
    if (place->may_try) continue;
    place->may_try = true;
    work_->mark(path);
  }
}

void BodyTurns::begin_work(queue::Path* path) {
  worked_.push_back(path);
  for (Line& line : lines_) {
    if (Place* place = find(&line, path); place != nullptr) place->asked = place->other = false;
  }
}

void BodyTurns::settle(bool all_done) {
  if (!all_done) worked_.clear();
  for (queue::Path* path : std::exchange(worked_, {})) {
    bool again = false;
    for (Line& line : lines_) again |= settle(path, &line);
    if (again) work_->mark(path);
  }
}

bool BodyTurns::settle(queue::Path* path, Line* line) {
  Place* place = find(line, path);
  if (place == nullptr || place->asked) return false;
  if (place->other) {  // it has no such mail any more
    sleep(line, place);
    place->id = 0;
    place->missed = place->other = false;
    return true;
  }
  if (!place->active) return false;
  if (path->connections.opening() > 0) return false;  // it asks when it is ready; or fails, and is worked on
  if (!path->connections.all_rest()) {
    if (!std::exchange(place->called, false) || place->missed) return false;
    place->missed = true;
  }
  if (path->health.failing()) {
    drop(path, line);
  } else {
    sleep(line, place);
  }
  return false;
}

conf::Instant BodyTurns::next_wake() const {
  return changed_ || seen_ != messages_->room().changes() ? conf::Instant{} : conf::kNever;
}

bool BodyTurns::in_line(const queue::Path& path) const {
  return path.waits.for_bodies() && std::ranges::any_of(lines_, [&path](const Line& line) {
           const Place* place = find(line, &path);
           return place != nullptr && place->active;
         });
}

bool BodyTurns::has_room(const queue::Path& path) const {
  if (next_wake() == conf::Instant{}) return false;  // the next step comes at once
  const auto opens = [](const auto& each) { return each.second->connections.opening() > 0; };
  return std::ranges::any_of(lines_, [this, &path, &opens](const Line& line) {
    const Place* place = find(line, &path);
    if (place == nullptr || !place->active) return false;
    if (!place->connected && std::ranges::count_if(line.others, opens) >= static_cast<int64_t>(kFirst))
      return false;
    return fits(line, place, {place->id, place->bytes, 0, place->connected}, 0);
  });
}

}  // namespace relay
