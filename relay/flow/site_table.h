// The sites that mail flows to, by key, and their paths; which of these a delivery takes, PathChoice says.
// One thread.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "mx/limits/limiter_table.h"
#include "relay/flow/path.h"
#include "relay/flow/stream_table.h"
#include "relay/queue/domain_table.h"

namespace relay::queue {

class SiteTable {
 public:
  SiteTable(conf::ConfigPtr config, mx::RuleBookPtr book, const conf::Clock* clock)
      : config_(std::move(config)), book_(std::move(book)), clock_(clock), streams_(config_) {
    limiters_.is_current = [this](const mx::CounterNames& names) { return is_current(names); };
    tell_rules();
  }

  // Whether mail of the domain, which has a route with hosts, still belongs to `path`; then the path learns
  // the addresses of that route.
  bool leads_here(const DomainEntry& domain, Path* path) const;
  // Whether mail of the domain from its source would take this path today.
  bool is_way_of(const DomainEntry& domain, const Path& path) const {
    return find(domain, path.source) == &path;
  }
  // The path from this source, made when there is none; by a detour when that is known.
  Path* path_from(DomainEntry* domain, const conf::Source& source);
  // The same, null when there is none.
  Path* find(const DomainEntry& domain, const conf::Source& source) const;
  mx::RulePtr rule_for(DomainEntry* domain, const conf::Source& source);
  // The rules that may hold for its mail, while it goes to these hosts.
  mx::RuleBook::Candidates candidates(const DomainEntry& domain, const std::vector<std::string>& hosts) const;
  bool usable(const DomainEntry& domain, const conf::Source& source) const;

  // The source does not speak to the site of the path before then, `by` says in words why: others are drawn,
  // if any may.
  void switch_off(Path* path, conf::Instant until, std::string by);
  static bool is_off(const Site& site, const std::string& source, conf::Instant now);
  const Site* site_with_sources_off(const DomainEntry& domain) const;  // null: none is

  // Sees each path that is made, and each that has come under another rule, before mail goes there. Borrowed
  // by whoever sets it; may be null.
  std::function<void(Path*)> on_path;

  // Settings change in place: a destination that is no longer there keeps its old ones until its mail has
  // gone.
  void reload(conf::ConfigPtr config, mx::RuleBookPtr book);
  // A reload goes over the sites part by part, some paths in each call; each path that has mail (its
  // deliveries may belong elsewhere now) or connections that rest is shown to `use`. False: no more of it.
  bool reload_some(const std::function<void(Path*)>& use);
  // The rule that decides by now where this was counted, as far as the hosts say, and of all sites of a rule
  // its masks: it takes that over.
  std::string deciding_rule(const mx::CounterNames& names) const;
  // Until its turn comes a path goes on as it was, unless the rules match or count something else now: then
  // its mail waits until it is known what was counted before, and all of it was gone over.
  bool awaits_rules(const Path& path) const {
    return path.rounds.reroute.holds_mail() || path.rules != rules_ ||
           (limiters_.is_gathering() && counts_many(path));
  }
  // See mx::LimiterTable.
  bool gather() { return limiters_.gather({clock_->now(), clock_->wall()}); }
  bool is_gathering() const { return limiters_.is_gathering(); }
  // Forgets sites with no mail, no connection and no back-off under way: of one part of the table, the next
  // one with the next call. Counters of theirs that nobody needs go too.
  void sweep(conf::Instant now);
  void for_each(const std::function<void(Path*)>& use) const;
  // Shows the paths of some parts of the table, from `*part` on, until `paths` of them were seen or the end
  // is reached; `*part` is then where to go on. False: that was the end.
  bool visit_some(size_t* part, size_t paths, const std::function<void(Path*)>& use) const;
  const conf::Config& config() const { return *config_; }
  conf::Instant now() const { return clock_->now(); }
  StreamTable& streams() { return streams_; }
  const StreamTable& streams() const { return streams_; }
  mx::LimiterTable& limiters() { return limiters_; }
  const mx::LimiterTable& limiters() const { return limiters_; }
  // The counters that hold for a connection to this address.
  const std::shared_ptr<mx::Traffic>& traffic(Path* path, std::string_view address);
  // Whether its rule counts many sites together (one_site): this one, or at least some of its hosts.
  static bool counts_many(const Path& path) {
    return path.rule != nullptr && path.rule->values.one_site.value_or(false);
  }
  // Whether its hosts are counted besides it, as other sites may have them too.
  static bool counts_hosts(const Path& path);
  // The counters of the host with this address; null: they are those of the path, or it is no host of it.
  std::shared_ptr<mx::Traffic> host_traffic(Path* path, std::string_view address);

 private:
  using Part = std::unordered_map<std::string, std::unique_ptr<Site>>;

  Part& part_of(const std::string& key) { return parts_[std::hash<std::string>()(key) % parts_.size()]; }
  const Part& part_of(const std::string& key) const {
    return parts_[std::hash<std::string>()(key) % parts_.size()];
  }
  Site* site_for(const DomainEntry& domain, const mx::RoutePtr& route, const conf::SettingsPtr& settings);
  std::string site_key(const DomainEntry& domain, const mx::Route& route) const;
  mx::RulePtr rule_now(const DomainEntry& domain, const conf::Source& source) const;
  void reload(Site* site);
  void apply_rule(Path* path, mx::RulePtr rule);
  bool is_current(const mx::CounterNames& names) const;
  bool decides(const Path& path) const;
  bool forget_superseded(Site* site);  // false: there are some that are needed yet
  void forget_some_superseded();
  void count_anew(Path* path);
  bool tell_rules();
  mx::Whereabouts whereabouts(const Path& path, const std::string& site) const;
  std::shared_ptr<mx::Traffic> counters_for(const Path& path, const std::string& address);  // "": all
  std::shared_ptr<mx::Traffic> counters_of_host(const Path& path, const std::string& host);
  static bool counts_with_many(const Path& path, const std::string& host) {
    return counts_many(path) && path.rule->is_about_all(std::array{host.substr(0, host.find(':'))});
  }
  mx::CounterNames names_of(const Path& path) const;
  static std::shared_ptr<mx::Traffic> noted(std::shared_ptr<mx::Traffic> counters);

  conf::ConfigPtr config_;
  mx::RuleBookPtr book_;  // null: no rules
  const conf::Clock* clock_;
  StreamTable streams_;
  mx::LimiterTable limiters_;
  // In parts, so that no insertion and no sweep stops the loop for long, with a million sites neither.
  std::array<Part, 4096> parts_;
  std::deque<std::string> superseded_;  // keys of sites that may have such paths
  conf::Instant off_until_{};           // no source is off any more, anywhere
  size_t next_part_ = 0;                // of the sweep
  uint32_t rules_ = 0;                  // edits of the rules so far that changed what they match or count
  size_t reload_part_ = 4096;           // of the reload; the end: none is under way
};

}  // namespace relay::queue
