#include "relay/queue/domain_table.h"

#include <utility>

#include "conf/vocab/check.h"

namespace relay::queue {

namespace {
constexpr size_t kIdleDomains = 20'000;  // kept with their routes, in case more mail comes
}

DomainTable::~DomainTable() {
  idle_.clear();
  for (const std::unique_ptr<DomainEntry>& entry : entries_) {
    if (entry != nullptr) entry->waiting.clear();
  }
}

uint32_t DomainTable::intern(const conf::Domain& name) {
  auto& names = by_name_[part_of(name.text())];
  const auto found = names.find(name.text());
  if (found != names.end()) {
    DomainEntry& entry = *entries_[found->second];
    if (entry.idle_hook.linked()) idle_.erase(&entry);
    ++entry.deliveries;
    return entry.number;
  }
  uint32_t number = static_cast<uint32_t>(entries_.size());
  if (free_numbers_.empty()) {
    entries_.emplace_back();
  } else {
    number = free_numbers_.back();
    free_numbers_.pop_back();
  }
  entries_[number] = std::make_unique<DomainEntry>();
  DomainEntry& entry = *entries_[number];
  entry.name = name;
  entry.number = number;
  entry.deliveries = 1;
  entry.generation = generation_;
  names.emplace(entry.name.text(), number);
  ++size_;
  return number;
}

void DomainTable::release(uint32_t number) {
  DomainEntry& entry = *entries_[number];
  CHECK(entry.deliveries > 0);
  if (--entry.deliveries > 0) return;
  idle_.push_back(&entry);
  if (idle_.size() > kIdleDomains) evict(idle_.pop_front());
}

void DomainTable::evict(DomainEntry* entry) {
  if (entry->routing) {  // the answer will look for it
    idle_.push_back(entry);
    return;
  }
  by_name_[part_of(entry->name.text())].erase(entry->name.text());
  --size_;
  free_numbers_.push_back(entry->number);
  entries_[entry->number].reset();
}

const DomainEntry* DomainTable::find(std::string_view name) const {
  const auto& names = by_name_[part_of(name)];
  const auto found = names.find(name);
  if (found == names.end()) return nullptr;
  DomainEntry* entry = entries_[found->second].get();
  if (entry->generation != generation_) refresh(entry);
  return entry;
}

void DomainTable::set_route(DomainEntry* entry, mx::RoutePtr route) {
  if (route->site.empty()) note_hosts(entry);
  entry->route = std::move(route);
}

// Of mail that waits, before its route is forgotten.
void DomainTable::note_hosts(DomainEntry* entry) const {
  if (entry->deliveries == 0 || entry->route == nullptr || entry->route->hosts.empty()) return;
  entry->last_host = last_hosts_.number_of(entry->route->hosts.front().name, entry->route->site);
}

void DomainTable::refresh(DomainEntry* entry) const {
  entry->generation = generation_;
  note_hosts(entry);
  entry->route = nullptr;
  entry->settings = nullptr;
  entry->rules.clear();
  entry->detours.clear();
  entry->outdated = entry->routing;
}

}  // namespace relay::queue
