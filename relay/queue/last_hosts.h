// The hosts that mail last went to whose domain has no route at present, each with the site it is of: so that
// people find that mail where it was, after a restart and while DNS fails. A domain holds two bytes of it.
// Bounded: beyond kMost hosts nothing is known of those that follow. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace relay::queue {

class LastHosts {
 public:
  static constexpr uint16_t kNone = 0;
  static constexpr size_t kMost = 65'535;

  // kNone for "". `site` "": not known; the host stands for it. What other domains say of the host is not
  // asked: a host may be of many sites, and orders go by the site.
  uint16_t number_of(std::string_view host, std::string_view site);
  // "" for kNone.
  const std::string& host(uint16_t number) const { return hosts_[number].name; }
  const std::string& site(uint16_t number) const { return hosts_[number].site; }

 private:
  struct Host {
    std::string name, site;
  };
  using Key = std::pair<std::string_view, std::string_view>;
  std::deque<Host> hosts_{Host()};   // by number
  std::map<Key, uint16_t> numbers_;  // views into `hosts_`
};

}  // namespace relay::queue
