// Which path a delivery takes: the source is drawn, the rule found, and mail that cannot go soon from where
// it fell to goes from another source. Decides; the paths are the SiteTable's. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "conf/vocab/random.h"
#include "mx/rules/rule_book.h"
#include "relay/flow/path.h"
#include "relay/flow/site_table.h"
#include "relay/flow/source_choice.h"
#include "relay/queue/domain_table.h"

namespace relay::queue {

// Where mail to a domain may go: its path, or the rule whose smart hosts stand before the route that was
// found (ask again with the route to them), or neither, with the reason.
struct Way {
  Path* path = nullptr;
  mx::RulePtr detour;
  std::string why_not;
  bool names_fail = false;  // ... and that passes: names, of the smart hosts or of all that a source may
                            // reach, cannot be found out now
};

class PathChoice {
 public:
  static constexpr size_t kLooks = 8;  // at sources for one delivery, however many there are
  PathChoice(SiteTable* sites, conf::Random* random) : sites_(sites), random_(random) {}  // borrowed

  // Hears of a path that decided something by being asked how soon it can send: nobody else may ask it for a
  // long time. May be null.
  std::function<void(const Path&)> on_decided;

  // So many may be made in one step of the loop: with many sources each looks at some of them.
  size_t choices_per_step() const { return sources().size() > kLooks ? 1024 : 4096; }

  // `domain` has a route with hosts and settings. A source is drawn by weight among those of the stream (a
  // number in SiteTable::streams()) whose masks take the domain and whose address family the hosts have, and
  // of these among those that can send soonest (Readiness); the rule is that of the domain, the MX hosts and
  // the source. `kept`, a number of StreamTable too, is taken instead of drawing one when it may send there.
  Way choose(DomainEntry* domain, uint16_t stream = StreamTable::kNone,
             uint16_t kept = StreamTable::kNone) const;
  // Whether mail of the domain and the stream that waits on `path` could go sooner from another source.
  bool goes_sooner_elsewhere(DomainEntry* domain, uint16_t stream, const Path& path) const;
  // How soon the paths of a site can send, whatever their source. Valid as long as none of them changes.
  struct Outlook {
    Readiness best = Readiness::kHeld, other_best = Readiness::kHeld;  // the latter: of other sources
    const std::string* best_source = nullptr;
  };
  Outlook outlook_of(const Site& site) const;  // O(paths)
  // Whether any mail of `path`, of that site, could go sooner from another source.
  bool others_may_take(const Path& path, const Outlook& outlook) const;
  // Who gets which share of the mail of the stream to the domain at present, and why: for people.
  struct Share {
    const conf::Source* source = nullptr;
    double share = 0;      // of all
    std::string unusable;  // why it never sends there; "": it may
    SourceState state;
  };
  std::vector<Share> shares(DomainEntry* domain, uint16_t stream = StreamTable::kNone) const;

 private:
  const std::vector<conf::Source>& sources() const { return sites_->config().sources; }
  using Sources = StreamTable::Sources;
  const conf::Source* kept_source(const DomainEntry& domain, uint16_t stream, uint16_t kept) const;
  const conf::Source* draw_source(const DomainEntry& domain, uint16_t stream) const;
  std::string why_none(uint16_t stream) const;
  static bool goes_by_smart_hosts(const DomainEntry& domain, const mx::RulePtr& rule);
  bool needs_detour(const DomainEntry& domain, const mx::RulePtr& rule) const;
  bool knows_way(DomainEntry* domain, const conf::Source& source) const;
  Sources some_others(DomainEntry* domain, uint16_t stream, const std::string& but) const;
  SourceState tell(const Path* path, SourceState state) const;
  SourceState ask(const Path* path, conf::Instant now, size_t but = 0) const;
  SourceState state_from(DomainEntry* domain, const conf::Source& source, const Path& here, conf::Instant now,
                         size_t but) const;
  Path* better_than(DomainEntry* domain, uint16_t stream, const Path& path) const;

  SiteTable* sites_;
  conf::Random* random_;
};

}  // namespace relay::queue
