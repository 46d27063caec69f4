// Whose body is read next when the memory for bodies is short. Room is taken for one thing only, the reading
// of a body, and at the last moment: a connection is open and its limits say yes. Until then a path without
// room stands in line and holds nothing. Small bodies (BodyRoom) have a line of their own.
//
// The first of a line of whom a connection has asked has the next room; others pass it only where they do not
// make it wait for longer: what is read since then, and it, fit in the memory together. So it waits for what
// was in memory before it and for nothing else, and a slow big one stops nobody whom it leaves room.
//
// Nobody is first by the mere hope of a connection: the first few without one may open it before there is
// room, and are asked as they come. Who asks for nothing when it is worked on is kept back by something else:
// it lets the others go and keeps its place, and goes to the end when its receiver fails. Loop thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "conf/vocab/envelope.h"
#include "relay/flow/path.h"
#include "relay/flow/work_list.h"
#include "relay/queue/message_cache.h"

namespace relay {

class BodyTurns {
 public:
  BodyTurns(queue::MessageCache* messages, WorkList* work)  // borrowed
      : messages_(messages), work_(work) {}

  // Whether a connection of the path, which may send, may take the delivery now. If not, the path stands in
  // line for it, and it says what binds.
  bool may_take(queue::Path* path, const queue::Delivery& delivery) {
    const uint64_t bytes = messages_->to_read(delivery);
    return bytes == 0 || ask(path, {delivery.id, bytes, 0, true});
  }
  // The same of a connection that may be opened for it, beside `before` others that are being opened.
  bool may_open(queue::Path* path, const queue::Delivery& delivery, uint32_t before) {
    const uint64_t bytes = messages_->to_read(delivery);
    return bytes == 0 || ask(path, {delivery.id, bytes, before, false});
  }
  void took(queue::Path* path, const queue::Delivery& delivery);  // in this turn of the loop
  void leave(queue::Path* path);                                  // it has no mail any more

  // At the begin of a step of the dispatcher: marks the paths that may go.
  void step();
  void works_on(queue::Path* path) {
    if (path->waits.for_bodies()) begin_work(path);
  }
  // At its end. `all_done`: all that was marked was worked on.
  void settle(bool all_done);
  conf::Instant next_wake() const;

  bool in_line(const queue::Path& path) const;  // for memory and nothing else, as far as is known
  // It is in line and has room now: never so after a step when it could use it. For judges.
  bool has_room(const queue::Path& path) const;

 private:
  struct Question {
    conf::MessageId id = 0;
    uint64_t bytes = 0;
    uint32_t before = 0;
    bool connected = false;
  };
  // The place of a path, for one of its deliveries.
  struct Place {
    uint64_t ticket = 0;  // lower ones are first
    conf::MessageId id = 0;
    uint64_t bytes = 0;
    bool active = false;     // in one of the two maps of its line; else something else keeps it back
    bool connected = false;  // a connection asked
    bool may_try = false;    // may open one without room, as one of the first
    bool asked = false;      // since it was worked on last
    bool other = false;      // ... other mail of its path asked, and was refused
    bool called = false;     // there was room for it
    bool missed = false;     // and its connections were busy: its path sends nothing past it any more
  };
  struct Line {
    std::unordered_map<const queue::Path*, Place> places;
    std::map<uint64_t, queue::Path*> connected, others;  // the active ones, by ticket
    uint64_t last_ticket = 0;
    uint64_t first = 0;       // ticket of the first of `connected` when that was last looked at
    uint64_t to_look_at = 0;  // parts of the messages in memory that may hold bodies nobody uses
  };
  bool ask(queue::Path* path, const Question& question);
  void stand(queue::Path* path, Line* line, const Question& question);
  void activate(queue::Path* path, Line* line, Place* place);
  void sleep(Line* line, Place* place);
  void drop(queue::Path* path, Line* line);
  // `more`: octets that others were promised in this moment.
  bool fits(const Line& line, const Place* place, const Question& question, uint64_t more) const;
  void know_first(Line* line);
  void step(Line* line);
  void call(queue::Path* path, Place* place);
  void call_connected(Line* line);
  void call_others(Line* line);
  void begin_work(queue::Path* path);
  void let_first_try(Line* line);
  void make_room(Line* line);
  bool settle(queue::Path* path, Line* line);  // true: it is to be worked on once more
  static Place* find(Line* line, const queue::Path* path);
  static const Place* find(const Line& line, const queue::Path* path) {
    return find(const_cast<Line*>(&line), path);
  }
  queue::BodyShare share_of(const Line& line) const {
    return &line == lines_.data() ? queue::BodyShare::kSmall : queue::BodyShare::kBig;
  }
  void tell_room();

  queue::MessageCache* messages_;
  WorkList* work_;
  std::array<Line, 2> lines_;  // of small bodies, and of big ones
  std::vector<queue::Path*> worked_;
  bool changed_ = false;  // in the lines, since the last step
  uint64_t seen_ = 0;     // BodyRoom::changes() of then
};

}  // namespace relay
