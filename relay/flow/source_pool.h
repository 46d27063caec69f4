// Which source may send where, and sources that mail is drawn to by weight, made ready so that a draw costs
// the same with a thousand of them as with three. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config.h"
#include "conf/vocab/random.h"
#include "mx/dns/route.h"

namespace relay::queue {

// Which addresses the hosts of a route have.
struct Families {
  bool v4 = false, v6 = false;
};
Families families_of(const mx::Route& route);

// By its masks.
bool may_send_from(const conf::Source& source, std::string_view domain);
// A source with an address of its own reaches only its own family.
bool reaches(const conf::Source& source, Families there);
bool same_family(const std::string& source_address, std::string_view address);

class SourcePool {
 public:
  SourcePool() = default;
  // The sources are borrowed; those of weight 0 never send.
  explicit SourcePool(const std::vector<const conf::Source*>& sources);

  // By weight, among those whose masks take the domain and whose address is of a family that is there. Null:
  // there is none. O(log n), and O(1) for each source that has masks.
  const conf::Source* draw(std::string_view domain, Families there, conf::Random* random) const;
  size_t sending() const { return sending_; }  // sources whose weight is not 0

 private:
  // Sources without masks; where the share of each ends.
  struct Group {
    std::vector<const conf::Source*> sources;
    std::vector<uint64_t> ends;
    uint64_t weight() const { return ends.empty() ? 0 : ends.back(); }
    void add(const conf::Source* source);
    const conf::Source* at(uint64_t place) const;
  };

  Group any_, v4_, v6_;  // by the family of their address
  std::vector<const conf::Source*> masked_;
  size_t sending_ = 0;
};

}  // namespace relay::queue
