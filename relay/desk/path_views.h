// What people may ask about a domain: how it is reached, and what holds there. Loop thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "relay/admin/mx_view.h"
#include "relay/desk/path_history.h"
#include "relay/walk/transit.h"

namespace relay {

class PathViews {
 public:
  PathViews(Transit* transit, PathHistory history) : transit_(transit), history_(history) {}  // borrowed

  // See admin::Backend::explain(). Makes what is not there yet: the domain's entry, its route, its paths. The
  // sweep forgets them again.
  // Of paths whose counters are being added up after an edit of the rules `done` hears when that is over, or
  // five seconds later: until then they only wait for that.
  void explain(const std::string& domain, const std::string& source, const std::string& stream,
               std::function<void(admin::Explanation)> done);
  void step(conf::Instant now);
  conf::Instant next_wake() const { return questions_.empty() ? conf::kNever : next_look_; }

 private:
  struct Question {
    conf::Domain domain;
    std::string source, stream;
    std::function<void(admin::Explanation)> done;
    conf::Instant at_last{};  // it is answered by then
  };
  void ask(Question question);
  // Nothing: one of the paths waits for its rules, and there is time left.
  std::optional<admin::Explanation> explanation_of(queue::DomainEntry* domain, const Question& question,
                                                   conf::Instant now);

  Transit* transit_;
  const PathHistory history_;
  std::vector<Question> questions_;  // that wait
  conf::Instant next_look_{};
};

}  // namespace relay
