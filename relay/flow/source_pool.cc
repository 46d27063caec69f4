#include "relay/flow/source_pool.h"

#include <algorithm>

namespace relay::queue {

namespace {

bool is_v6(std::string_view address) { return address.find(':') != std::string_view::npos; }

}  // namespace

bool may_send_from(const conf::Source& source, std::string_view domain) {
  const auto matches = [domain](const std::string& mask) { return conf::domain_matches(mask, domain); };
  if (!source.include_domains.empty() && std::ranges::none_of(source.include_domains, matches)) return false;
  return std::ranges::none_of(source.exclude_domains, matches);
}

bool same_family(const std::string& source_address, std::string_view address) {
  return source_address.empty() || is_v6(source_address) == is_v6(address);
}

bool reaches(const conf::Source& source, Families there) {
  if (source.address.empty()) return there.v4 || there.v6;
  return is_v6(source.address) ? there.v6 : there.v4;
}

Families families_of(const mx::Route& route) {
  Families there;
  for (const mx::RouteHost& host : route.hosts) {
    for (const std::string& address : host.addresses) (is_v6(address) ? there.v6 : there.v4) = true;
    if (there.v4 && there.v6) break;
  }
  return there;
}

void SourcePool::Group::add(const conf::Source* source) {
  ends.push_back(weight() + source->weight);
  sources.push_back(source);
}

const conf::Source* SourcePool::Group::at(uint64_t place) const {
  return sources[static_cast<size_t>(std::ranges::upper_bound(ends, place) - ends.begin())];
}

SourcePool::SourcePool(const std::vector<const conf::Source*>& sources) {
  for (const conf::Source* source : sources) {
    if (source->weight == 0) continue;
    ++sending_;
    if (!source->include_domains.empty() || !source->exclude_domains.empty()) {
      masked_.push_back(source);
    } else if (source->address.empty()) {
      any_.add(source);
    } else {
      (is_v6(source->address) ? v6_ : v4_).add(source);
    }
  }
}

const conf::Source* SourcePool::draw(std::string_view domain, Families there, conf::Random* random) const {
  std::array<const Group*, 3> groups{};
  size_t count = 0;
  uint64_t weight = 0;
  const auto take = [&](const Group& group, bool may) {
    if (!may || group.weight() == 0) return;
    groups[count++] = &group;
    weight += group.weight();
  };
  take(any_, there.v4 || there.v6);
  take(v4_, there.v4);
  take(v6_, there.v6);
  Group fitting;
  for (const conf::Source* source : masked_) {
    if (reaches(*source, there) && may_send_from(*source, domain)) fitting.add(source);
  }
  weight += fitting.weight();
  if (weight == 0) return nullptr;
  uint64_t place = random->below(weight);
  for (size_t i = 0; i < count; ++i) {
    if (place < groups[i]->weight()) return groups[i]->at(place);
    place -= groups[i]->weight();
  }
  return fitting.at(place);
}

}  // namespace relay::queue
