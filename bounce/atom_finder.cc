#include "bounce/atom_finder.h"

#include <deque>

#include "conf/vocab/check.h"

namespace bounce {

AtomFinder::AtomFinder(const std::vector<std::string>& atoms) : atoms_(atoms.size()) {
  for (const std::string& atom : atoms) {
    CHECK(!atom.empty());
    for (const char c : atom) {
      uint8_t& place = class_of_[static_cast<unsigned char>(c)];
      if (place == 0) place = static_cast<uint8_t>(classes_++);
    }
  }
  const auto add_state = [this] {
    next_.resize(next_.size() + classes_, 0);
    output_.push_back(kNone);
    return static_cast<uint32_t>(output_.size() - 1);
  };
  add_state();
  for (size_t i = 0; i < atoms.size(); ++i) {
    uint32_t state = 0;
    for (const char c : atoms[i]) {
      const size_t edge = state * classes_ + class_of_[static_cast<unsigned char>(c)];
      if (next_[edge] == 0) {
        const uint32_t fresh = add_state();
        next_[edge] = fresh;
      }
      state = next_[edge];
    }
    hits_.push_back({static_cast<int>(i), output_[state]});
    output_[state] = static_cast<uint32_t>(hits_.size() - 1);
  }
  // Breadth first: a missing edge goes where the longest proper suffix would go.
  std::vector<uint32_t> suffix(output_.size(), 0);
  std::deque<uint32_t> open;
  for (uint32_t c = 1; c < classes_; ++c) {
    if (next_[c] != 0) open.push_back(next_[c]);
  }
  while (!open.empty()) {
    const uint32_t state = open.front();
    open.pop_front();
    // The list of the suffix goes behind this state's own: only its last element is ours to change.
    uint32_t* tail = &output_[state];
    while (*tail != kNone) tail = &hits_[*tail].next;
    *tail = output_[suffix[state]];
    for (uint32_t c = 1; c < classes_; ++c) {
      uint32_t& edge = next_[state * classes_ + c];
      const uint32_t fallback = next_[suffix[state] * classes_ + c];
      if (edge == 0) {
        edge = fallback;
      } else {
        suffix[edge] = fallback;
        open.push_back(edge);
      }
    }
  }
}

void AtomFinder::find(std::string_view text, std::vector<int>* found) const {
  thread_local std::vector<uint64_t> seen;
  seen.assign(atoms_ / 64 + 1, 0);
  found->clear();
  uint32_t state = 0;
  for (const char c : text) {
    state = step(state, static_cast<unsigned char>(c));
    for (uint32_t hit = output_[state]; hit != kNone; hit = hits_[hit].next) {
      const auto atom = static_cast<size_t>(hits_[hit].atom);
      uint64_t& word = seen[atom / 64];
      const uint64_t bit = uint64_t{1} << (atom % 64);
      if ((word & bit) != 0) break;  // its list was walked before, and so were the rest
      word |= bit;
      found->push_back(static_cast<int>(atom));
    }
  }
}

}  // namespace bounce
