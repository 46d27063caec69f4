#include "relay/queue/delivery_index.h"

#include <utility>

#include "conf/vocab/check.h"

namespace relay::queue {

namespace {

constexpr size_t kFewestPlaces = 8;

// At most four of five places are taken, so that a search ends soon.
bool crowded(size_t taken, size_t places) { return taken * 5 > places * 4; }

}  // namespace

// Ids are a time and a count: a few of their bits differ, which ones depends on the traffic.
DeliveryIndex::Hash DeliveryIndex::hash(conf::MessageId id) {
  uint64_t mixed = id * 0x9e3779b97f4a7c15ULL;
  mixed = (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93ULL;
  return {static_cast<size_t>(mixed >> (64 - kPartBits)), static_cast<uint16_t>(mixed >> (48 - kPartBits))};
}

size_t DeliveryIndex::Part::look(conf::MessageId id, uint16_t tag) const {
  size_t place = home(tag);
  while (firsts[place] != nullptr && (tags[place] != tag || firsts[place]->id != id)) place = after(place);
  return place;
}

void DeliveryIndex::Part::grow() {
  const std::vector<Delivery*> old_firsts = std::move(firsts);
  const std::vector<uint16_t> old_tags = std::move(tags);
  const size_t places = old_firsts.size() < kFewestPlaces ? kFewestPlaces : old_firsts.size() * 5 / 4;
  firsts.assign(places, nullptr);
  tags.assign(places, 0);
  for (size_t from = 0; from < old_firsts.size(); ++from) {
    if (old_firsts[from] == nullptr) continue;
    size_t place = home(old_tags[from]);
    while (firsts[place] != nullptr) place = after(place);
    firsts[place] = old_firsts[from];
    tags[place] = old_tags[from];
  }
}

// Moves back into the free place `gap` what a search would no longer find behind it.
void DeliveryIndex::Part::close_gap(size_t gap) {
  const auto distance = [this](size_t from, size_t to) {
    return to >= from ? to - from : to + firsts.size() - from;
  };
  for (size_t place = after(gap); firsts[place] != nullptr; place = after(place)) {
    if (distance(home(tags[place]), place) < distance(gap, place)) continue;
    firsts[gap] = std::exchange(firsts[place], nullptr);
    tags[gap] = tags[place];
    gap = place;
  }
}

Delivery* DeliveryIndex::find(conf::MessageId id) const {
  const Hash at = hash(id);
  const Part& part = parts_[at.part];
  return part.firsts.empty() ? nullptr : part.firsts[part.look(id, at.tag)];
}

Delivery* DeliveryIndex::put(Delivery* delivery) {
  const Hash at = hash(delivery->id);
  Part& part = parts_[at.part];
  if (crowded(part.size + 1, part.firsts.size())) part.grow();
  const size_t place = part.look(delivery->id, at.tag);
  part.tags[place] = at.tag;
  Delivery* const before = std::exchange(part.firsts[place], delivery);
  if (before != nullptr) return before;
  ++part.size;
  ++size_;
  return nullptr;
}

void DeliveryIndex::erase(conf::MessageId id) {
  const Hash at = hash(id);
  Part& part = parts_[at.part];
  CHECK(part.size > 0);
  const size_t place = part.look(id, at.tag);
  CHECK(part.firsts[place] != nullptr);
  part.firsts[place] = nullptr;
  --part.size;
  --size_;
  if (part.size > 0) {
    part.close_gap(place);
  } else {
    part.firsts = {};  // a queue that was long gives its memory back
    part.tags = {};
  }
}

}  // namespace relay::queue
