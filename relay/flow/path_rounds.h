// Where the rounds that others make over all paths stand with one of them. Loop thread.
#pragma once

#include <cstddef>
#include <utility>

#include "conf/vocab/time.h"

namespace relay::queue {

// Its mail finds its way anew. Written by Rerouting, and begun by the SiteTable where the rules changed.
class RerouteRound {
 public:
  bool in_line() const { return in_line_; }
  // No mail goes before all of it was gone over: it may be counted elsewhere now.
  bool holds_mail() const { return holds_mail_; }
  void hold_mail() { holds_mail_ = true; }

  // With `deliveries`, the oldest that wait. False: it stands in the line of Rerouting already.
  bool begin(size_t deliveries) {
    left_ = deliveries;
    return !std::exchange(in_line_, true);
  }
  bool over() const { return left_ == 0; }
  void took_one() {
    if (--left_ == 0) holds_mail_ = false;
  }
  void end() { *this = {}; }

 private:
  size_t left_ = 0;  // stand here by an older configuration
  bool in_line_ = false;
  bool holds_mail_ = false;
};

struct PathRounds {
  RerouteRound reroute;
  conf::Instant routes_due{};  // when RouteWatch looks whether the mail that waits still belongs here
  bool watched = false;        // ... and that is under way
  bool shown = false;          // people will see it: BusiestPaths has it

  bool any() const { return reroute.in_line() || watched || shown; }
};

}  // namespace relay::queue
