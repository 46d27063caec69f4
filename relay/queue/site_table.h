// The sites that mail flows to, by key; finds the path of a delivery. One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "conf/vocab/random.h"
#include "relay/queue/domain_table.h"
#include "relay/queue/path.h"

namespace relay::queue {

class SiteTable {
 public:
  SiteTable(conf::ConfigPtr config, conf::Random* random) : config_(std::move(config)), random_(random) {}

  // The path for mail to `domain`, whose route has hosts and whose settings are known: a source is drawn by
  // weight among those whose masks take the domain and whose address family the hosts have. Null with `*why`:
  // there is none.
  Path* path_for(const DomainEntry& domain, std::string* why);

  // Settings change in place: a destination that is no longer there keeps its old ones until its mail has
  // gone.
  void reload(conf::ConfigPtr config);
  // Forgets sites with no mail, no connection and no back-off under way.
  void sweep(conf::Instant now);
  void for_each(const std::function<void(Path*)>& use) const;

 private:
  Site* site_for(const DomainEntry& domain);
  const conf::Source* draw_source(const DomainEntry& domain);

  conf::ConfigPtr config_;
  conf::Random* random_;
  std::unordered_map<std::string, std::unique_ptr<Site>> sites_;
};

bool may_send_from(const conf::Source& source, std::string_view domain);
// Whether the source can reach the address: a source with an address of its own reaches only its own family.
bool same_family(const std::string& source_address, std::string_view address);

}  // namespace relay::queue
